import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { checkRrset } from "../../src/checks/check-rrset.ts";
import { formatKeyRecord, keyRecordFor, parseKeyRecord } from "../../src/dns/key-record.ts";
import { ed25519PrivateKeyFromSeed, parsePrivateKey } from "../../src/keys/private-key.ts";
import { samePublicKey } from "../../src/keys/public-key.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const RSA = rsa.publicKey.export({ type: "spki", format: "der" }).toString("base64");
const RSA_PRIVATE = rsa.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
const PKCS1 = rsa.publicKey.export({ type: "pkcs1", format: "der" }).toString("base64");
const seed = new Uint8Array(32).fill(7);
const edKey = ed25519PrivateKeyFromSeed(seed);
const ED = Buffer.from(edKey.publicKey.bytes).toString("base64");
const ED_SPKI = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), edKey.publicKey.bytes]).toString(
  "base64",
);
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ type: "spki", format: "der" })
  .toString("base64");
/** The SPKI with something in it replaced; its two outer lengths and the two inner ones are adjusted. */
function edit(base64: string, from: RegExp, to: string, inner: 0 | 1): string {
  const hex = Buffer.from(base64, "base64").toString("hex");
  const delta = (to.length - (from.exec(hex)?.[0].length ?? 0)) / 2;
  const grow = (all: string, length: string) =>
    all.replace(length, (Number.parseInt(length, 16) + delta).toString(16).padStart(4, "0"));
  let edited = hex.replace(from, to).replace(/^3082(....)/, grow);
  if (inner === 1) edited = edited.replace(/0382(....)003082/, grow).replace(/003082(....)/, grow);
  return Buffer.from(edited, "hex").toString("base64");
}
const NO_NULL = edit(RSA, /300d06092a864886f70d0101010500/, "300b06092a864886f70d010101", 0);
const p = `p=${RSA}`;
const good = `v=DKIM1; k=rsa; ${p}`;

function secretKeyInUrlAlphabet(): string {
  for (let octet = 0; octet < 256; octet++) {
    const other = ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(octet));
    const text = Buffer.concat([other.seed, other.publicKey.bytes]).toString("base64url");
    if (text.includes("_") && text.includes("-")) return text;
  }
  throw new Error("no such seed");
}

/** `CODE:severity` of each finding, and the state. */
function verdict(text: string): string {
  const { state, findings } = checkRecord(text);
  return [state, ...findings.map(({ code, severity }) => (severity === "error" ? code : `${code}:${severity}`))].join(
    " ",
  );
}

describe("usable records", () => {
  test.each([
    good,
    `${good};`,
    `v=DKIM1 ; k = rsa ; p = ${RSA} ;`,
    `v=DKIM1; h=sha256; k=rsa; s=email; t=s; n=a=20b; ${p}`,
    `v=DKIM1; s=*; x=1; ${p}`,
    `v=DKIM1; k=ed25519; p=${ED}`,
    `v=DKIM1;\r\n ${p}`,
  ])("%.60s", (text) => {
    expect(verdict(text)).toBe("usable");
  });
});

describe("the tag list (RFC 6376 §3.2)", () => {
  test.each([
    ["nothing", "", "unusable TL-NONE"],
    ["white space", " \t\r\n ", "unusable TL-NONE"],
    ["no tag", "not a tag", "unusable TL-SYNTAX TL-NONE"],
    ["bare base64", "A".repeat(40), "unusable TL-SYNTAX TL-NONE"],
    ["a piece without =", `v=DKIM1; t; ${p}`, "unusable TL-SYNTAX"],
    ["a name that is none", `v=DKIM1; x-y=1; ${p}`, "unusable TL-SYNTAX"],
    ["NBSP between tags", `v=DKIM1;\u00a0k=rsa; ${p}`, "unusable TL-SYNTAX"],
    ["NBSP within a value", `v=DKIM1; n=a\u00a0b; ${p}`, "unusable TL-8BIT"],
    ["control character", `v=DKIM1; n=a\u001bb; ${p}`, "unusable TL-8BIT"],
    ["duplicate, unknown to all", `v=DKIM1; x=1; x=1; ${p}`, "unusable TL-DUP"],
    [";;", `v=DKIM1;; ${p}`, "unusable TL-EMPTY-SPEC"],
    ["leading ;", `; v=DKIM1; ${p}`, "unusable TL-EMPTY-SPEC"],
    ["space after the last ;", `v=DKIM1; ${p}; `, "usable TL-TRAIL-WSP:info"],
    ["bare LF", `v=DKIM1;\n ${p}`, "unusable TL-CRLF"],
    ["BOM, as a character", `\ufeffv=DKIM1; ${p}`, "unusable TL-BOM TL-SYNTAX V-MISSING:info"],
    ["BOM, as octets", `\xef\xbb\xbfv=DKIM1; ${p}`, "unusable TL-BOM TL-SYNTAX V-MISSING:info"],
    ["quotes around", `"v=DKIM1; t=s; k=rsa"`, "unusable TL-QUOTED TL-SYNTAX V-MISSING:info K-UNKNOWN P-MISSING"],
    [
      "a string division in p=",
      `v=DKIM1; p=${RSA.slice(0, 40)}" "${RSA.slice(40)}`,
      "unusable TL-QUOTED P-WSP:info P-B64",
    ],
    ["\\;", `v=DKIM1\\; ${p}`, "unusable TL-BACKSLASH V-VALUE"],
    ["V=", `V=DKIM1; ${p}`, "usable TL-UPPER:warning V-MISSING:info"],
    ["P=", `v=DKIM1; P=${RSA}`, "unusable TL-UPPER:warning P-MISSING"],
    ["1024 octets", `${good}; n=${"x".repeat(1024 - good.length - 4)}`, "usable REC-LONG:warning"],
    ["1023 octets", `${good}; n=${"x".repeat(1023 - good.length - 4)}`, "usable"],
  ])("%s", (_title, text, expected) => {
    expect(verdict(text)).toBe(expected);
  });
});

describe("the tags (RFC 6376 §3.6.1)", () => {
  test.each([
    ["no v=", p, "usable V-MISSING:info"],
    ["v= not first", `k=rsa; v=DKIM1; ${p}`, "unusable V-FIRST"],
    ["v= wrong and not first", `k=rsa; v=dkim1; ${p}`, "unusable V-FIRST V-VALUE"],
    ["v= empty", `v=; ${p}`, "unusable V-VALUE"],
    ["SPF", "v=spf1 -all", "unusable V-VALUE P-MISSING"],
    ["k= empty", `v=DKIM1; k=; ${p}`, "unusable K-EMPTY"],
    ["k=RSA", `v=DKIM1; k=RSA; ${p}`, "unusable K-UNKNOWN"],
    ["h=sha1 (RFC 8301 §3.1)", `v=DKIM1; h=sha1; ${p}`, "unusable H-NOSHA256 H-SHA1:warning"],
    ["h=sha1:sha256", `v=DKIM1; h=sha1:sha256; ${p}`, "usable H-SHA1:warning"],
    ["h=SHA256 is another word", `v=DKIM1; h=SHA256; ${p}`, "unusable H-NOSHA256 H-UNKNOWN:info"],
    ["h= with a comma", `v=DKIM1; h=sha1,sha256; ${p}`, "unusable H-SYNTAX:warning H-NOSHA256"],
    ["space beside a colon", `v=DKIM1; h=sha256 : x; ${p}`, "usable COLON-WSP:warning H-UNKNOWN:info"],
    ["s= without mail", `v=DKIM1; s=tlsrpt; ${p}`, "unusable S-NOTEMAIL"],
    ["s= empty", `v=DKIM1; s=; ${p}`, "unusable S-SYNTAX:warning S-NOTEMAIL"],
    ["s=email:tlsrpt", `v=DKIM1; s=email:tlsrpt; ${p}`, "usable S-LIST:info S-UNKNOWN:info"],
    ["t=y", `v=DKIM1; t=y; ${p}`, "usable T-TESTING:warning"],
    ["t= unknown flag", `v=DKIM1; t=s:z; ${p}`, "usable T-UNKNOWN:info"],
    ["t= a time", `v=DKIM1; t=1700000000; ${p}`, "usable T-SYNTAX:warning"],
    ["g=*", `v=DKIM1; g=*; ${p}`, "usable G-HISTORIC:info"],
    ["g= a name", `v=DKIM1; g=joe; ${p}`, "usable G-HISTORIC:warning"],
    ["n= not quoted-printable (RFC 2045 §6.7)", `v=DKIM1; n=1=2; ${p}`, "usable N-QP:warning"],
    ["no p=", "v=DKIM1; k=rsa", "unusable P-MISSING"],
    ["p= empty", "v=DKIM1; p=", "revoked P-EMPTY:info"],
    ["p= of white space", "v=DKIM1; p=\r\n ", "revoked P-EMPTY:info"],
    ["revoked, yet not readable", "v=DKIM1; p=;;", "unusable TL-EMPTY-SPEC P-EMPTY:info"],
  ])("%s", (_title, text, expected) => {
    expect(verdict(text)).toBe(expected);
  });
});

describe("what p= holds (RFC 6376 §3.6.1, erratum 3017, RFC 8463 §4.2)", () => {
  test.each([
    ["URL alphabet", `v=DKIM1; p=${RSA.replace(/[+/]/, "-")}`, "unusable P-B64"],
    ["one character over", `v=DKIM1; p=${RSA}A`, "unusable P-B64"],
    ["surplus padding", `v=DKIM1; k=ed25519; p=${ED}=`, "unusable P-B64"],
    ["pasted twice", `v=DKIM1; k=ed25519; p=${ED}${ED}`, "unusable P-B64"],
    ["no padding", `v=DKIM1; k=ed25519; p=${ED.replace("=", "")}`, "usable P-PAD:warning"],
    ["white space", `v=DKIM1; p=${RSA.slice(0, 9)} ${RSA.slice(9)}`, "usable P-WSP:info"],
    ["PEM lines", `v=DKIM1; p=-----BEGIN PUBLIC KEY----- ${RSA} -----END PUBLIC KEY-----`, "unusable P-PEM"],
    ["cut off", `v=DKIM1; p=${RSA.slice(0, 100)}`, "unusable P-DER"],
    ["an Ed25519 key without k=", `v=DKIM1; p=${ED}`, "unusable P-DER"],
    ["PKCS#1", `v=DKIM1; p=${PKCS1}`, "usable P-PKCS1:warning"],
    [
      "trailing octets",
      `v=DKIM1; p=${Buffer.concat([Buffer.from(RSA, "base64"), Buffer.alloc(3)]).toString("base64")}`,
      "unusable P-TRAILING",
    ],
    ["no NULL parameters (RFC 3279 §2.3.1)", `v=DKIM1; p=${NO_NULL}`, "unusable P-DER"],
    ["a number with a needless zero", `v=DKIM1; p=${edit(RSA, /0203010001$/, "020400010001", 1)}`, "unusable P-DER"],
    [
      "Ed25519 SPKI and an octet",
      `v=DKIM1; k=ed25519; p=${Buffer.concat([Buffer.from(ED_SPKI, "base64"), Buffer.alloc(1)]).toString("base64")}`,
      "unusable P-ED-LEN",
    ],
    ["EC", `v=DKIM1; p=${EC}`, "unusable P-ALG"],
    ["RSA under k=ed25519", `v=DKIM1; k=ed25519; p=${RSA}`, "unusable P-ALG"],
    ["RSA PKCS#1 under k=ed25519", `v=DKIM1; k=ed25519; p=${PKCS1}`, "unusable P-ALG"],
    ["Ed25519 SPKI under k=rsa", `v=DKIM1; p=${ED_SPKI}`, "unusable P-ALG"],
    ["Ed25519 SPKI", `v=DKIM1; k=ed25519; p=${ED_SPKI}`, "unusable P-ED-SPKI"],
    ["31 octets", `v=DKIM1; k=ed25519; p=${ED.slice(0, 40)}AA==`, "unusable P-ED-LEN"],
    ["y=2 is no point (RFC 8032 §5.1.3)", `v=DKIM1; k=ed25519; p=Ag${"A".repeat(41)}=`, "unusable P-ED-POINT"],
    ["the neutral point", `v=DKIM1; k=ed25519; p=AQ${"A".repeat(41)}=`, "unusable P-ED-LOWORDER"],
  ])("%s", (_title, text, expected) => {
    expect(verdict(text)).toBe(expected);
  });

  test.each([
    ["PKCS#8", `v=DKIM1; p=${RSA_PRIVATE}`],
    ["PKCS#8 under k=ed25519", `v=DKIM1; k=ed25519; p=${RSA_PRIVATE}`],
    ["PKCS#8 under an unknown k=", `v=DKIM1; k=RSA; p=${RSA_PRIVATE}`],
    ["PKCS#8 in the URL alphabet", `v=DKIM1; p=${RSA_PRIVATE.replaceAll("+", "-").replaceAll("/", "_")}`],
    ["PKCS#8 with a hole", `v=DKIM1; p=${RSA_PRIVATE.slice(0, 255)}" "${RSA_PRIVATE.slice(255)}`],
    ["PKCS#8 cut off", `v=DKIM1; p=${RSA_PRIVATE.slice(0, 255)}`],
    ["PEM", `v=DKIM1; p=-----BEGIN PRIVATE KEY-----${RSA_PRIVATE}-----END PRIVATE KEY-----`],
    ["PEM, no tags", `-----BEGIN RSA PRIVATE KEY----- ${RSA_PRIVATE}`],
    ["base64, no tags", RSA_PRIVATE],
    ["libsodium's 64 octets in the URL alphabet", `v=DKIM1; k=ed25519; p=${secretKeyInUrlAlphabet()}`],
    ["under P=", `v=DKIM1; P=${RSA_PRIVATE}`],
    [
      "libsodium's 64 octets",
      `v=DKIM1; k=ed25519; p=${Buffer.concat([seed, edKey.publicKey.bytes]).toString("base64")}`,
    ],
    [
      "a seed in an OCTET STRING",
      `v=DKIM1; k=ed25519; p=${Buffer.concat([Buffer.of(4, 32), seed]).toString("base64")}`,
    ],
  ])("a private key is critical, and not repeated: %s", (_title, text) => {
    const { state, findings } = checkRecord(text);
    expect(state).toBe("unusable");
    expect(findings.filter(({ critical }) => critical)).toHaveLength(1);
    expect(JSON.stringify(findings)).not.toContain(RSA_PRIVATE.slice(12, 40));
  });
});

describe("places, limits and options", () => {
  test("a finding tells where", () => {
    const text = `v=DKIM1; n=a\u00a0b; ${p}`;
    const [finding] = checkRecord(text).findings;
    expect(finding).toMatchObject({ code: "TL-8BIT", position: { offset: text.indexOf("\u00a0"), length: 1 } });
    const [keyType] = checkRecord(`v=DKIM1; k = RSA ; ${p}`).findings;
    expect(keyType).toMatchObject({ code: "K-UNKNOWN", tag: "k", position: { offset: 13, length: 3 } });
  });

  test("many faults of one sort are counted", () => {
    const { findings } = checkRecord(";".repeat(100_000));
    expect(findings.filter(({ code }) => code === "TL-EMPTY-SPEC")).toHaveLength(10);
    expect(findings.some(({ message }) => message.endsWith("(and 99990 more)"))).toBe(true);
  });

  test("with the private key at hand, another key is an error", () => {
    const privateKey = parsePrivateKey(Buffer.from(rsa.privateKey.export({ type: "pkcs8", format: "pem" })));
    expect(checkRecord(good, privateKey).state).toBe("usable");
    const other = checkRecord(`v=DKIM1; k=ed25519; p=${ED}`, privateKey);
    expect(other).toMatchObject({ state: "unusable", findings: [{ code: "KEY-MISMATCH" }] });
  });

  test("a published seed that happens to be a point is seen with the private key alone", () => {
    const onCurve = edKey.publicKey.bytes;
    const text = `v=DKIM1; k=ed25519; p=${Buffer.from(onCurve).toString("base64")}`;
    expect(checkRecord(text).state).toBe("usable");
    const report = checkRecord(text, { privateKey: ed25519PrivateKeyFromSeed(onCurve) });
    expect(report).toMatchObject({ state: "unusable", findings: [{ code: "P-PRIVATE", critical: true }] });
  });

  test("a key of a standard is an error where it is in use (RFC 8463 §A.2)", () => {
    const text = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    expect(checkRecord(text).severity).toBe("info");
    expect(checkRecord(text, { name: "s._domainkey.football.example.com." }).severity).toBe("ok");
    expect(checkRecord(text, { name: "s._domainkey.myexample.com" }).severity).toBe("error");
  });
});

describe("several records at one name (RFC 6376 §3.6.2.2)", () => {
  test.each<[string, string[], string, string]>([
    ["one is judged as itself", [good], "usable", "ok"],
    ["two keys", [good, `v=DKIM1; k=ed25519; p=${ED}`], "undefined", "error"],
    ["one of them revoked", [good, "v=DKIM1; p="], "undefined", "error"],
    ["one of them broken", [good, "v=DKIM1; p=!"], "undefined", "error"],
    ["one has to do with something else", [good, "v=spf1 -all"], "undefined", "warning"],
    ["DMARC has a p=, too", ["v=DMARC1; p=none", good], "undefined", "warning"],
    ["two halves", [good.slice(0, 200), good.slice(200)], "undefined", "error"],
    ["none", [], "unusable", "error"],
  ])("%s", (_title, texts, state, severity) => {
    expect(checkRrset(texts)).toMatchObject({ state, severity });
    expect(checkRrset(texts).records).toHaveLength(texts.length);
  });
});

describe("any text", () => {
  test("gives findings and never an exception", () => {
    const piece = fc.constantFrom(
      "v=DKIM1",
      "k=",
      "rsa",
      "p=",
      RSA,
      ED,
      ";",
      " ",
      "\n",
      '"',
      "\\;",
      "\ufeff",
      "=",
      "h=",
      "t=y",
      ":",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join("")),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          const { state, severity, findings } = checkRecord(text);
          expect(state === "unusable").toBe(findings.some((finding) => finding.severity === "error"));
          expect(severity === "ok").toBe(findings.length === 0);
          for (const { position } of findings) {
            if (position !== undefined) expect(position.offset + position.length).toBeLessThanOrEqual(text.length);
          }
          // What comes from outside reaches no terminal unescaped.
          for (const { message } of findings) expect(message).toMatch(/^[^\u0000-\u001f\u007f-\u009f\ufeff]*$/u);
        },
      ),
    );
  });

  test("a mutation of a good record is never usable with other key octets, unless the report says so", () => {
    const records = [good, `v=DKIM1; k=ed25519; p=${ED}`].map((text) => ({ text, key: checkRecord(text).publicKey }));
    const character = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(
        fc.constantFrom(...records),
        fc.nat(),
        fc.nat(3),
        character,
        ({ text, key }, at, removed, inserted) => {
          const offset = at % text.length;
          const mutated = text.slice(0, offset) + inserted + text.slice(offset + removed);
          const { state, publicKey } = checkRecord(mutated);
          if (state !== "usable" || key === undefined) return;
          expect(publicKey).toBeDefined();
          if (publicKey === undefined || samePublicKey(publicKey, key)) return;
          // Other octets: then the report shows them, as the record has them.
          expect(parseKeyRecord(mutated).publicKey).toEqual(keyRecordFor(publicKey).publicKey);
          expect(checkRecord(formatKeyRecord(keyRecordFor(publicKey, {}))).publicKey).toEqual(publicKey);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a good record formats to itself", () => {
    for (const text of [good, `v=DKIM1; h=sha256; k=rsa; s=email; t=s; n=a=3Bb; ${p}`]) {
      expect(formatKeyRecord(parseKeyRecord(text))).toBe(text);
    }
  });
});
