import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { formatSignatureField } from "../../src/signing/signature-field.ts";
import { parseSignatureValue, SignatureSyntaxError, withoutSignatureData } from "../../src/signing/signature-header.ts";

const tags = {
  v: "1",
  a: "rsa-sha256",
  c: "relaxed/simple",
  d: "example.com",
  s: "sel",
  h: "from:to",
  bh: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  b: "AAAA",
};

/** The value with some tags changed; `undefined` leaves one out. */
function valueWith(changes: Readonly<Record<string, string | undefined>>): string {
  return Object.entries({ ...tags, ...changes })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join("; ");
}

describe("accepted (RFC 6376 §3.5)", () => {
  test.each<[string, Record<string, string | undefined>, Record<string, unknown>]>([
    [
      "c= absent is simple/simple",
      { c: undefined },
      { headerCanonicalization: "simple", bodyCanonicalization: "simple" },
    ],
    [
      "c= of one word leaves the body simple",
      { c: "relaxed" },
      { headerCanonicalization: "relaxed", bodyCanonicalization: "simple" },
    ],
    ["names fold to lower case", { d: "Example.COM", s: "Sel" }, { domain: "example.com", selector: "sel" }],
    ["white space in h=, b=, bh=", { h: " From :\r\n\tTo ", b: " AA\r\n AA " }, { signedHeaders: ["from", "to"] }],
    ["repeats in h=", { h: "from:from:to" }, { signedHeaders: ["from", "from", "to"] }],
    ["base64 without padding (§2.10)", { b: "AA" }, { signature: new Uint8Array(1) }],
    ["i= absent", {}, { identity: { localPart: "", domain: "example.com" } }],
    ["i= below d=", { i: "a@B.example.com" }, { identity: { localPart: "a", domain: "b.example.com" } }],
    [
      "i= quoted-printable (§2.11)",
      { i: "a=40=C3=BC=3B\r\n b@example.com" },
      { identity: { localPart: "a@ü;b", domain: "example.com" } },
    ],
    [
      "i= in UTF-8 (RFC 8616 §4)",
      { i: "\xc3\xbc@b\xc3\xbc.example.com" },
      { identity: { localPart: "ü", domain: "xn--b-eha.example.com" } },
    ],
    ["q= with an unknown method beside ours", { q: "http/x : dns/txt" }, {}],
    ["t=, x=, l=", { t: "1", x: "2", l: "0" }, { signedAt: 1, expiresAt: 2, bodyLength: 0 }],
    ["an unknown tag (§3.2)", { zz: "a b" }, {}],
    ["Ed25519 (RFC 8463)", { a: "ed25519-sha256" }, { algorithm: "ed25519-sha256" }],
    ["rsa-sha1, for the key to refuse", { a: "rsa-sha1" }, { algorithm: "rsa-sha1" }],
    ["a final semicolon and space", { b: "AAAA; " }, {}],
  ])("%s", (_title, changes, expected) => {
    expect(parseSignatureValue(valueWith(changes))).toMatchObject(expected);
  });
});

describe("refused", () => {
  test.each<[string, Record<string, string | undefined>, RegExp]>([
    ...["v", "a", "b", "bh", "d", "h", "s"].map((name): [string, Record<string, undefined>, RegExp] => [
      `${name}= absent (§3.5 REQUIRED)`,
      { [name]: undefined },
      /is missing/,
    ]),
    ["v=2", { v: "2" }, /v= must be 1/],
    ["v=1.0", { v: "1.0" }, /v= must be 1/],
    ["an unknown algorithm", { a: "dsa-sha1" }, /a= names no known/],
    ["an algorithm in capitals (§3.2 case-sensitive)", { a: "RSA-SHA256" }, /a= names no known/],
    ["an empty b=", { b: " " }, /b= is empty/],
    ["an empty bh=", { bh: "" }, /bh= is empty/],
    ["base64url", { b: "AA-_" }, /b= is not base64/],
    ["base64 of 5 digits", { b: "AAAAA" }, /b= is not base64/],
    ["too much padding", { b: "AAAA=" }, /b= is not base64/],
    ["digits after padding", { b: "AA==AA" }, /b= is not base64/],
    ["From not signed (§5.4)", { h: "to:subject" }, /From/],
    ["an empty name in h=", { h: "from::to" }, /field name/],
    ["a colon at the end of h=", { h: "from:" }, /field name/],
    ["a space in a name of h=", { h: "from:t o" }, /field name/],
    ["an unknown c=", { c: "nofws/simple" }, /canonicalization/],
    ["c= with three words", { c: "simple/simple/simple" }, /canonicalization/],
    ["an empty c=", { c: "" }, /canonicalization/],
    ["q= without dns/txt", { q: "dns/special" }, /q=/],
    ["q= of a bare dns", { q: "dns" }, /q=/],
    ["an empty d=", { d: "" }, /d= is empty/],
    ["d= with a dot at its end", { d: "example.com." }, /dot/],
    ["d= that is no name", { d: "exa mple.com" }, /not a domain/],
    ["d= with an underscore", { d: "a_b.com" }, /not a domain/],
    ["s= that is no name", { s: "a/b" }, /not a selector/],
    ["a name longer than DNS has", { s: "a.".repeat(120).concat("a") }, /characters/],
    ["i= without @", { i: "example.com" }, /"@"/],
    ["i= of another domain", { i: "a@example.org" }, /neither/],
    ["i= that merely ends like d=", { i: "a@badexample.com" }, /neither/],
    ["i= above d=", { d: "a.example.com", i: "@example.com" }, /neither/],
    ["i= with a stray =", { i: "a=zz@example.com" }, /quoted-printable/],
    ["l= that is no number", { l: "-1" }, /l= is no number/],
    ["l= of 77 digits", { l: "1".repeat(77) }, /l= is no number/],
    ["t= of 13 digits", { t: "1".repeat(13) }, /t= is no number/],
    ["x= that is no number", { x: "never" }, /x= is no number/],
    ["x= not later than t=", { t: "5", x: "5" }, /x= is not later/],
    ["a tag twice (§3.2)", { zz: "1; zz=2" }, /stands twice/],
    ["a piece without =", { zz: "1; y" }, /not a tag list/],
    ["an empty piece", { v: "1;" }, /not a tag list/],
    ["octets that are not UTF-8", { i: "\xff@example.com" }, /UTF-8/],
    ["UTF-8 outside d=, i=, s=", { zz: "\xc3\xbc" }, /not a tag list/],
    ["a control character", { zz: "\0" }, /not a tag list/],
  ])("%s", (_title, changes, reason) => {
    const parse = () => parseSignatureValue(valueWith(changes));
    expect(parse).toThrow(SignatureSyntaxError);
    expect(parse).toThrow(reason);
  });

  test("any text: parsed, or refused with our own error", () => {
    const pieces = fc.constantFrom(
      "v=1;",
      "a=",
      "b=",
      "h=from",
      "=",
      ";",
      ":",
      "\r\n ",
      "\xff",
      "@",
      "i=@",
      "=4",
      "example.com",
      "l=",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((all) => all.join("")),
        ),
        (text) => {
          const latin1 = text.replace(/[^\0-\xff]/g, "?");
          try {
            parseSignatureValue(latin1);
          } catch (error) {
            expect(error).toBeInstanceOf(SignatureSyntaxError);
          }
        },
      ),
    );
  });
});

describe("withoutSignatureData (RFC 6376 §3.7)", () => {
  test.each([
    ["DKIM-Signature: a=1; b=xyz", "DKIM-Signature: a=1; b="],
    ["DKIM-Signature: b= x\r\n y ; bh=z", "DKIM-Signature: b=; bh=z"],
    ["DKIM-Signature:b \t= x=;", "DKIM-Signature:b \t=;"],
    ["DKIM-Signature: bb=1; xb=2;\r\n\tb=3\r\n ", "DKIM-Signature: bb=1; xb=2;\r\n\tb="],
  ])("%j", (text, expected) => {
    expect(withoutSignatureData(text)).toBe(expected);
  });
});

describe("formatSignatureField", () => {
  const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const signature = fc.record({
    domain: fc.tuple(label, label).map((labels) => parseDomainName(labels.join("."))),
    selector: label.map(parseSelector),
    headerCanonicalization: fc.constantFrom("simple", "relaxed"),
    bodyCanonicalization: fc.constantFrom("simple", "relaxed"),
    algorithm: fc.constantFrom("rsa-sha256", "ed25519-sha256"),
    signedHeaders: fc.array(label, { maxLength: 40 }).map((names) => ["from", ...names]),
    bodyHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    localPart: fc.string({ maxLength: 20 }),
    bodyLength: fc.option(fc.nat(), { nil: undefined }),
    signedAt: fc.option(fc.nat(1000), { nil: undefined }),
    expiresAt: fc.option(fc.integer({ min: 1001, max: 99999 }), { nil: undefined }),
  });
  test("what it writes is read back, on lines of at most 77 octets", () => {
    fc.assert(
      fc.property(signature, ({ localPart, ...fields }) => {
        const identity = { localPart, domain: fields.domain };
        const text = formatSignatureField({ ...fields, identity });
        expect(parseSignatureValue(`${text.slice(text.indexOf(":") + 1)}AAAA`)).toMatchObject({ ...fields, identity });
        const long = text.split("\r\n").filter((line) => line.length > 77 && !/^\ti=/.test(line));
        expect(long).toEqual([]);
      }),
    );
  });
});
