import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DerTag } from "../../src/keys/der.ts";
import { encodeDer, encodeUnsignedInteger } from "../../src/keys/der-writer.ts";
import { encodePem } from "../../src/keys/pem.ts";
import {
  encodePrivateKey,
  encodePrivateKeyDer,
  type PrivateKey,
  PrivateKeyError,
  parsePrivateKey,
  toPrivateKeyObject,
} from "../../src/keys/private-key.ts";
import { encodeSubjectPublicKeyInfo } from "../../src/keys/public-key.ts";
import { toBigInt, toOctets } from "../../src/keys/rsa-numbers.ts";
import { encodeRsaPrivateKey, type RsaPrivateKey } from "../../src/keys/rsa-private-key.ts";
import { encodeRsaPublicKey } from "../helpers/pkcs1-public-key.ts";
import { ed25519Sample, rsaSample, vector } from "./sample-keys.ts";

const rsa = rsaSample();
const ed25519 = ed25519Sample();
const octets = (text: string) => new TextEncoder().encode(text);
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const base64 = (bytes: Uint8Array) => octets(`${Buffer.from(bytes).toString("base64")}\n`);
const publicPem = (key: PrivateKey) => encodePem("PUBLIC KEY", encodeSubjectPublicKeyInfo(key.publicKey));

function failure(bytes: Uint8Array): PrivateKeyError {
  try {
    parsePrivateKey(bytes);
  } catch (error) {
    if (error instanceof PrivateKeyError) return error;
    throw error;
  }
  throw new Error("the key was read");
}

describe("forms that are read", () => {
  const cases: [string, PrivateKey, Uint8Array, string, string][] = [
    ["PKCS#8 PEM (RFC 5208)", rsa, octets(encodePrivateKey(rsa, "pkcs8")), "pkcs8", "pem"],
    ["PKCS#1 PEM (RFC 8017 §A.1.2)", rsa, octets(encodePrivateKey(rsa, "pkcs1")), "pkcs1", "pem"],
    ["PKCS#8 DER", rsa, encodePrivateKeyDer(rsa, "pkcs8"), "pkcs8", "der"],
    ["PKCS#1 DER", rsa, encodePrivateKeyDer(rsa, "pkcs1"), "pkcs1", "der"],
    ["base64 of PKCS#8", rsa, base64(encodePrivateKeyDer(rsa, "pkcs8")), "pkcs8", "base64"],
    ["Ed25519 PKCS#8 PEM (RFC 8410 §7)", ed25519, octets(encodePrivateKey(ed25519, "pkcs8")), "pkcs8", "pem"],
    ["Ed25519 PKCS#8 DER", ed25519, encodePrivateKeyDer(ed25519, "pkcs8"), "pkcs8", "der"],
    ["base64 seed", ed25519, octets(encodePrivateKey(ed25519, "seed")), "seed", "base64"],
    [
      "base64 seed and public key",
      ed25519,
      base64(join(ed25519.seed, ed25519.publicKey.bytes)),
      "seed-public",
      "base64",
    ],
    ["64 octets", ed25519, join(ed25519.seed, ed25519.publicKey.bytes), "seed-public", "raw"],
  ];
  test.each(cases)("%s", (_title, privateKey, bytes, format, encoding) => {
    expect(parsePrivateKey(bytes)).toEqual({ privateKey, format, encoding, notes: [] });
    // A Buffer is read like any other octets, and the key does not share its memory.
    const buffer = Buffer.from(bytes);
    const parsed = parsePrivateKey(buffer).privateKey;
    expect(parsed).toEqual(privateKey);
  });

  test("Ed25519 version 2 (RFC 5958 §2)", () => {
    const parsed = parsePrivateKey(vector("ed25519-v2.pem"));
    expect(parsed).toMatchObject({ format: "ed25519-v2", encoding: "pem" });
  });

  test("a seed does not share the file's memory", () => {
    const bytes = Buffer.from(encodePrivateKeyDer(ed25519, "pkcs8"));
    const { privateKey } = parsePrivateKey(bytes);
    bytes.fill(0);
    expect(privateKey).toEqual(ed25519);
  });

  test.each([
    ["the public key beside it", publicPem(rsa), "also holds the public key"],
    ["a byte order mark", "\ufeff", "byte order mark"],
    ["a certificate beside it", Buffer.from(vector("cert.pem")).toString(), "also holds a CERTIFICATE block"],
  ])("a note tells of %s", (_title, text, note) => {
    const { privateKey, notes } = parsePrivateKey(octets(text + encodePrivateKey(rsa, "pkcs8")));
    expect(privateKey).toEqual(rsa);
    expect(notes).toEqual([expect.stringContaining(note)]);
  });
});

describe("what is refused, by name", () => {
  const pem = encodePrivateKey(rsa, "pkcs8");
  test.each([
    ["nothing", "", "not-a-key", "is empty"],
    ["two keys", pem + encodePrivateKey(ed25519, "pkcs8"), "several-keys", "2 private keys"],
    ["the public key of another", pem + publicPem(ed25519), "several-keys", "public key of another"],
    ["a public key", publicPem(rsa), "public-key", "public key"],
    ["a public key labelled private", publicPem(rsa).replaceAll("PUBLIC", "PRIVATE"), "broken", "holds a public key"],
    ["a cut-off file", pem.slice(0, 400), "broken", "END line"],
    ["base64 of half a key", base64(encodePrivateKeyDer(rsa, "pkcs8").slice(0, 300)), "broken", "cut off"],
    ["a certificate", vector("cert.pem"), "certificate", "certificate"],
    ["a certificate request", vector("request.pem"), "not-a-key", "certificate request"],
    ["an EC key", vector("ec.pem"), "unsupported", "is an EC key; DKIM signs with RSA or Ed25519 only"],
    ["RSASSA-PSS", vector("rsa-pss.pem"), "unsupported", "RSASSA-PSS"],
    ["three primes", vector("rsa-3prime.pem"), "unsupported", "more than two primes"],
    ["PKCS#12", vector("bundle.p12"), "unsupported", "PKCS#12"],
    ["an encrypted key", vector("enc-pkcs8.pem"), "encrypted", "encrypted"],
    ["an encrypted key, DER", vector("enc.der"), "encrypted", "encrypted"],
    ["a traditional encrypted key", vector("enc-traditional.pem"), "encrypted", "encrypted"],
    ["OpenSSH", pem.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY"), "unsupported", "OpenSSH"],
    ["DSA", pem.replaceAll("PRIVATE KEY", "DSA PRIVATE KEY"), "unsupported", "DSA"],
    ["an unknown private key", pem.replaceAll("PRIVATE KEY", "ODD PRIVATE KEY"), "unsupported", "unknown"],
    ["key parameters", pem.replaceAll("PRIVATE KEY", "DH PARAMETERS"), "not-a-key", "parameters"],
    ["OpenPGP", pem.replaceAll("PRIVATE KEY", "PGP PRIVATE KEY BLOCK"), "not-a-key", "OpenPGP"],
    ["a DNS record", "v=DKIM1; k=rsa; p=MIGf", "not-a-key", "DNS record"],
    ["zone text", 'x IN TXT ( "v=DKIM1; p=" )', "not-a-key", "DNS record"],
    ["a JWK", '{"kty":"RSA","d":"AA"}', "not-a-key", "JWK"],
    ["a PuTTY key", "PuTTY-User-Key-File-3: ssh-rsa", "unsupported", "PuTTY"],
    ["an OpenSSH public key", "ssh-ed25519 AAAAC3Nz x@y", "public-key", "OpenSSH public key"],
    ["a hexadecimal seed", "00".repeat(32), "not-a-key", "hexadecimal"],
    ["END without BEGIN", pem.slice(30), "broken", "no BEGIN line"],
    ["UTF-16", new Uint8Array(Buffer.from(`\ufeff${pem}`, "utf16le")), "broken", "UTF-16"],
    ["other text", "hello\n", "not-a-key", "text"],
    ["random octets", Uint8Array.of(0, 1, 2, 3), "not-a-key", "not a private key"],
    ["too long a file", new Uint8Array(300_000), "not-a-key", "octets"],
    ["64 octets that do not fit", join(ed25519.seed, ed25519.seed), "broken", "does not belong to the seed"],
    ["a seed in an OCTET STRING", base64(join(Uint8Array.of(4, 32), ed25519.seed)), "unsupported", "OCTET STRING"],
  ])("%s", (_title, content, kind, message) => {
    const error = failure(typeof content === "string" ? octets(content) : content);
    expect(error).toMatchObject({ kind, code: "DKIM_PRIVATE_KEY", message: expect.stringContaining(message) });
    expect(error.message).toMatch(/^[a-z]/);
  });

  test("an Ed25519 version 2 key with another public half (RFC 8410 §7)", () => {
    const text = Buffer.from(vector("ed25519-v2.pem")).toString();
    const body = Buffer.from(text.replace(/-----.*-----/g, ""), "base64");
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    expect(failure(octets(encodePem("PRIVATE KEY", body)))).toMatchObject({ kind: "broken" });
  });
});

describe("RSA numbers are proven (RFC 8017 §3.2)", () => {
  const { modulus, exponent } = rsa.publicKey;
  const plus = (number: Uint8Array, n: bigint) => toOctets(toBigInt(number) + n);
  const p = toBigInt(rsa.prime1);
  const q = toBigInt(rsa.prime2);
  /** A private exponent that works and is not below the modulus. */
  const largeExponent = () => {
    const half = ((p - 1n) * (q - 1n)) / 2n;
    let large = toBigInt(rsa.privateExponent);
    while (large < p * q) large += half;
    return toOctets(large);
  };
  const cases: [string, RsaPrivateKey, string][] = [
    ["modulus", { ...rsa, publicKey: { ...rsa.publicKey, modulus: plus(modulus, 2n) } }, "not the product"],
    [
      "even public exponent",
      { ...rsa, publicKey: { ...rsa.publicKey, exponent: plus(exponent, 1n) } },
      "public exponent is even",
    ],
    [
      "public exponent",
      { ...rsa, publicKey: { ...rsa.publicKey, exponent: plus(exponent, 2n) } },
      "does not belong to the public",
    ],
    ["public exponent 1", { ...rsa, publicKey: { ...rsa.publicKey, exponent: Uint8Array.of(1) } }, "below 3"],
    ["private exponent", { ...rsa, privateExponent: plus(rsa.privateExponent, 2n) }, "does not follow"],
    ["private exponent too large", { ...rsa, privateExponent: largeExponent() }, "not smaller"],
    [
      "one prime twice",
      { ...rsa, publicKey: { ...rsa.publicKey, modulus: toOctets(p * p) }, prime2: rsa.prime1 },
      "does not follow",
    ],
    ["exponent1", { ...rsa, exponent1: plus(rsa.exponent1, 2n) }, "does not follow"],
    ["exponent2", { ...rsa, exponent2: plus(rsa.exponent2, 2n) }, "does not follow"],
    ["coefficient", { ...rsa, coefficient: plus(rsa.coefficient, 1n) }, "coefficient"],
    ["coefficient not reduced", { ...rsa, coefficient: plus(rsa.coefficient, p) }, "coefficient"],
    ["primes 1 and n", { ...rsa, prime1: modulus, prime2: Uint8Array.of(1) }, "a prime is even, or 1"],
    ["primes swapped", { ...rsa, prime1: rsa.prime2, prime2: rsa.prime1 }, "does not follow"],
  ];
  test.each(cases)("%s", (_title, key, reason) => {
    for (const format of ["pkcs8", "pkcs1"] as const) {
      const error = failure(octets(encodePrivateKey(key, format)));
      expect(error.kind).toBe("broken");
      expect(error.message).toContain(reason);
    }
  });

  test("a modulus beyond 16,384 bits is not computed with", () => {
    const huge = new Uint8Array(3000).fill(0xff);
    const key = { ...rsa, publicKey: { ...rsa.publicKey, modulus: huge } };
    expect(failure(encodePrivateKeyDer(key, "pkcs1")).message).toContain("the limit is 16384");
  });

  test("an unknown version is refused", () => {
    const body = encodeRsaPrivateKey(rsa).slice();
    const at = Buffer.from(body).indexOf(Buffer.from([2, 1, 0]));
    body[at + 2] = 2;
    expect(failure(body).kind).not.toBe(undefined);
    expect(failure(octets(encodePem("RSA PRIVATE KEY", body))).message).toContain("unknown version 2");
  });
});

describe("mutants", () => {
  test.each([
    ["RSA PKCS#8 PEM", octets(encodePrivateKey(rsa, "pkcs8"))],
    ["RSA PKCS#1 DER", encodePrivateKeyDer(rsa, "pkcs1")],
    ["Ed25519 PKCS#8 PEM", octets(encodePrivateKey(ed25519, "pkcs8"))],
    ["Ed25519 version 2", vector("ed25519-v2.pem")],
  ])("of %s are refused with our error, or are a whole other key", (_title, good) => {
    const rsaNumbers = encodeRsaPrivateKey(rsa);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(2), (at, octet, cut) => {
        const mutant = join(good.subarray(0, at), Uint8Array.of(octet), good.subarray(at + cut));
        try {
          const { privateKey } = parsePrivateKey(mutant);
          // No change of one octet makes another consistent RSA key: what is read is the key itself.
          if (privateKey.type === "rsa") expect(encodeRsaPrivateKey(privateKey)).toEqual(rsaNumbers);
        } catch (error) {
          expect(error).toBeInstanceOf(PrivateKeyError);
          expect((error as PrivateKeyError).message.length).toBeLessThan(300);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test("any octets give our error or an Ed25519 key", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          expect(parsePrivateKey(bytes).privateKey.type).toBe("ed25519");
        } catch (error) {
          expect(error).toBeInstanceOf(PrivateKeyError);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test("no error holds a stretch of the file", () => {
    const good = encodePrivateKey(rsa, "pkcs8");
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom("", "*", "\r", " ", "\n", "-----"), (at, insert) => {
        const mutant = good.slice(0, at) + insert + good.slice(at + 1);
        try {
          parsePrivateKey(octets(mutant));
        } catch (error) {
          const { message, hint } = error as PrivateKeyError;
          for (const word of `${message} ${hint}`.match(/[A-Za-z0-9+/]{16,}/g) ?? []) expect(good).not.toContain(word);
        }
      }),
      { numRuns: 800 },
    );
  });
});

describe("writing", () => {
  test("LF line ends of 64 characters, and what does not exist is refused", () => {
    const text = encodePrivateKey(rsa, "pkcs8");
    expect(text).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{1,64}\n-----END PRIVATE KEY-----\n$/,
    );
    expect(() => encodePrivateKey(rsa, "seed")).toThrow(TypeError);
    expect(() => encodePrivateKey(ed25519, "pkcs1")).toThrow(TypeError);
  });

  test.each([
    ["RSA", rsa],
    ["Ed25519", ed25519],
  ])("node:crypto gets the same %s key", (_title, key) => {
    const der = toPrivateKeyObject(key).export({ format: "der", type: "pkcs8" });
    expect(new Uint8Array(der)).toEqual(encodePrivateKeyDer(key, "pkcs8"));
  });

  test("an RSA key with its public key is held to it (RFC 5958 §2)", () => {
    const body = Buffer.from(encodePrivateKeyDer(rsa, "pkcs8")).subarray(4);
    const withPublic = (publicKey: Uint8Array) =>
      encodeDer(DerTag.sequence, body, encodeDer(0x81, Uint8Array.of(0), publicKey));
    expect(parsePrivateKey(withPublic(encodeRsaPublicKey(rsa.publicKey))).privateKey).toEqual(rsa);
    const other = { ...rsa.publicKey, exponent: Uint8Array.of(3) };
    expect(failure(withPublic(encodeRsaPublicKey(other)))).toMatchObject({ kind: "broken" });
  });

  test("PKCS#8 attributes are read over (RFC 5958 §2)", () => {
    const body = encodePrivateKeyDer(ed25519, "pkcs8").slice(2);
    const attribute = encodeDer(
      0xa0,
      encodeDer(
        DerTag.sequence,
        Uint8Array.of(6, 1, 42),
        encodeDer(DerTag.set, encodeUnsignedInteger(Uint8Array.of(1))),
      ),
    );
    expect(parsePrivateKey(encodeDer(DerTag.sequence, body, attribute)).privateKey).toEqual(ed25519);
  });
});
