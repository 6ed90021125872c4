import fc from "fast-check";
import { expect, test } from "vitest";
import { describeForeignFile } from "../../src/keys/foreign-key-file.ts";
import { vector } from "./sample-keys.ts";

const octets = (text: string) => new TextEncoder().encode(text);

test.each([
  ["certificate", vector("cert.pem"), 'a certificate of "CN=example.com" (RSA 1024 bits)'],
  ["certificate request", vector("request.pem"), 'a certificate request for "CN=example.com"'],
  ["PKCS#12 without password", vector("bundle.p12"), "a PKCS#12 file without password, of 1 entry"],
  ["OpenPGP armor", octets("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxx\n=yy\n"), "an OpenPGP file (public key block)"],
  ["OpenPGP packets (RFC 9580 §4.2)", Uint8Array.of(0x99, 1, 13, 4, 0), "a binary OpenPGP key"],
  ["JWK (RFC 7517)", octets('{"kty":"RSA"}'), "a JSON web key (JWK)"],
  ["record text", octets("v=DKIM1; p="), "the text of a DKIM DNS record"],
  ["zone text", octets('a IN TXT ("v=DKIM1; p=")'), "the text of a DKIM DNS record"],
  ["text", octets("hello"), undefined],
  ["our own key", vector("rsa1024.pem"), undefined],
])("%s", async (_title, bytes, expected) => {
  expect(await describeForeignFile(bytes)).toBe(expected);
});

test("any octets, and damaged files, are no exception", async () => {
  const samples = [vector("bundle.p12"), vector("request.pem"), vector("cert.pem")];
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3),
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(),
      fc.nat(255),
      async (which, random, at, octet) => {
        const bytes = samples[which]?.slice() ?? random;
        if (bytes.length > 0) bytes[at % bytes.length] = octet;
        expect((await describeForeignFile(bytes)) ?? "").toBeTypeOf("string");
      },
    ),
    { numRuns: 300 },
  );
});
