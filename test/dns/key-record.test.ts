import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatKeyRecord, type KeyRecord, keyRecordFor, parseKeyRecord } from "../../src/dns/key-record.ts";
import { parseRecordTags } from "../../src/dns/record-tags.ts";

const KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const KEY_OCTETS = new Uint8Array(Buffer.from(KEY, "base64"));

describe("key records (RFC 6376 §3.6.1)", () => {
  test.each<[string, string, KeyRecord]>([
    ["RFC 8463 §A.2", `v=DKIM1; k=ed25519; p=${KEY}`, { keyType: "ed25519", publicKey: KEY_OCTETS }],
    ["k= is rsa by default, v= may be absent", `p=${KEY}`, { keyType: "rsa", publicKey: KEY_OCTETS }],
    ["values are case-sensitive", `k=RSA; p=${KEY}`, { keyType: "RSA", publicKey: KEY_OCTETS }],
    ["an empty p= is a revoked key", "v=DKIM1; p= ", { keyType: "rsa", publicKey: undefined }],
    [
      "white space in p= (§2.10)",
      `p=${KEY.slice(0, 9)} \r\n\t${KEY.slice(9)}`,
      { keyType: "rsa", publicKey: KEY_OCTETS },
    ],
    ["missing padding", `p=${KEY.slice(0, -1)}`, { keyType: "rsa", publicKey: KEY_OCTETS }],
    [
      "lists, a note, other tags",
      `v=DKIM1; h=sha256 : x; s=*; t=y:s; n=a=3Bb; g=*; p=${KEY}`,
      {
        keyType: "rsa",
        publicKey: KEY_OCTETS,
        hashAlgorithms: ["sha256", "x"],
        serviceTypes: ["*"],
        flags: ["y", "s"],
        note: "a;b",
        otherTags: new Map([["g", "*"]]),
      },
    ],
  ])("%s", (_title, text, record) => {
    expect(parseKeyRecord(text)).toEqual(record);
    expect(parseKeyRecord(formatKeyRecord(record))).toEqual(record);
  });

  test.each([
    ["nothing", ""],
    ["v= that is not first", `p=${KEY}; v=DKIM1`],
    ["v= in lower case", `v=dkim1; p=${KEY}`],
    ["another version", `v=DKIM2; p=${KEY}`],
    ["no p=", "v=DKIM1; k=rsa"],
    ["the URL alphabet in p=", "p=ab-_"],
    ["a single sextet", "p=abcde"],
    ["surplus padding", `p=${KEY}=`],
    ["padding alone", "p=="],
    ["a duplicate tag (§3.2)", `p=${KEY}; p=${KEY}`],
  ])("refuses %s", (_title, text) => {
    expect(() => parseKeyRecord(text)).toThrow(expect.objectContaining({ code: "DKIM_KEY_RECORD_SYNTAX" }));
  });

  test("any text is a record that formats again, or our error", () => {
    const piece = fc.constantFrom(
      "v=DKIM1",
      "k=rsa",
      "p=AAAA",
      "p=",
      "h=sha256",
      "t=s",
      "n==3",
      "n=x y",
      "; ",
      ";",
      " ",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        let record: KeyRecord;
        try {
          record = parseKeyRecord(pieces.join(""));
        } catch (error) {
          expect(error).toMatchObject({ code: "DKIM_KEY_RECORD_SYNTAX" });
          return;
        }
        expect(parseKeyRecord(formatKeyRecord(record))).toEqual(record);
      }),
    );
  });

  test("octets of a note that are not UTF-8 are latin1", () => {
    expect(parseKeyRecord(`n==FBr; p=`).note).toBe("ûr");
    expect(parseKeyRecord(`n==EF=BF=BD; p=`).note).toBe("\ufffd");
  });

  test("any note comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (note) => {
        const text = formatKeyRecord({ keyType: "rsa", publicKey: KEY_OCTETS, note });
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(parseKeyRecord(text).note).toBe(note);
      }),
    );
  });
});

describe("the record to publish", () => {
  test("RSA is SubjectPublicKeyInfo (erratum 3017)", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const { n, e } = publicKey.export({ format: "jwk" });
    const record = keyRecordFor(
      {
        type: "rsa",
        modulus: new Uint8Array(Buffer.from(n ?? "", "base64url")),
        exponent: new Uint8Array(Buffer.from(e ?? "", "base64url")),
        modulusBits: 1024,
      },
      { flags: ["s"], note: "made; by hand", hashAlgorithms: ["sha256"], serviceTypes: ["email"] },
    );
    expect(formatKeyRecord(record)).toMatch(/^v=DKIM1; h=sha256; k=rsa; s=email; t=s; n=made=3B by hand; p=MI/);
    const der = Buffer.from(record.publicKey ?? []);
    expect(createPublicKey({ key: der, format: "der", type: "spki" }).equals(publicKey)).toBe(true);
  });

  test("Ed25519 is the bare 32 octets (RFC 8463 §4.2)", () => {
    expect(formatKeyRecord(keyRecordFor({ type: "ed25519", bytes: KEY_OCTETS }))).toBe(`v=DKIM1; k=ed25519; p=${KEY}`);
  });
});

describe("tags as typed", () => {
  test("lists are split and doubles dropped", () => {
    const tags = parseRecordTags({ hash: ["sha256"], service: ["email:tlsrpt", "email"], flags: ["y:s"], note: "x" });
    expect(tags).toEqual({
      hashAlgorithms: ["sha256"],
      serviceTypes: ["email", "tlsrpt"],
      flags: ["y", "s"],
      note: "x",
    });
    expect(parseRecordTags({ hash: [], note: undefined })).toEqual({});
  });

  test.each([
    ["sha1", { hash: ["sha1:sha256"] }],
    ["no sha256", { hash: ["sha512"] }],
    ["a list element that is empty", { hash: ["sha256:"] }],
    ["a service other than mail", { service: ["chat"] }],
    ["not a hyphenated-word", { service: ["email;p="] }],
    ["an unknown flag", { flags: ["n"] }],
    ["a long note", { note: "x".repeat(201) }],
  ])("refuses %s", (_title, options) => {
    expect(() => parseRecordTags(options)).toThrow(expect.objectContaining({ code: "DKIM_USAGE" }));
  });
});
