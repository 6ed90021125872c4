import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { correctRecord, correctRrset } from "../../src/checks/corrected-record.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const RSA = rsa.publicKey.export({ type: "spki", format: "der" }).toString("base64");
const RSA_LINES = RSA.replace(/.{64}/g, "$&\n");
const PKCS1 = rsa.publicKey.export({ type: "pkcs1", format: "der" }).toString("base64");
const PRIVATE = rsa.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
const edKey = ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(7));
const ED = Buffer.from(edKey.publicKey.bytes).toString("base64");
const ED_SPKI = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), edKey.publicKey.bytes]).toString(
  "base64",
);
const good = `v=DKIM1; k=rsa; p=${RSA}`;
const goodEd = `v=DKIM1; k=ed25519; p=${ED}`;

/** The next character of the alphabet: other bits, yet only such as belong to no octet. */
function withPadBits(character = "A"): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return alphabet[alphabet.indexOf(character) + 1] ?? "/";
}

describe("the record that was meant", () => {
  test.each<[string, string, string]>([
    ["quotes around", `"${good}"`, good],
    ["string divisions", `${good.slice(0, 200)}" "${good.slice(200)}`, good],
    ["parentheses, too", `( "v=DKIM1; k=rsa; " "p=${RSA}" )`, good],
    ["a whole zone line", `s1._domainkey 60 IN TXT "${good}"`, good],
    ["backslashes", `v=DKIM1\\; k=rsa\\; p=${RSA}`, good],
    ["line breaks", `v=DKIM1;\nk=rsa;\np=${RSA_LINES}`, good],
    ["a byte order mark", `\ufeff${good}`, good],
    ["a byte order mark, as octets", `\xef\xbb\xbf${good}`, good],
    ["no-break spaces", `v=DKIM1;\u00a0k=rsa; p=${RSA}`, good],
    ["zero-width spaces", `v=DKIM1; k=rsa; p=${RSA.slice(0, 50)}\u200b${RSA.slice(50)}`, good],
    ["curly quotes", `\u201c${good}\u201d`, good],
    ["HTML", `&quot;v=DKIM1&#59; k=rsa&#x3B; p=${RSA.replaceAll("+", "&#43;")}&quot;`, good],
    ["URL encoding", `v=DKIM1; k=rsa; p=${encodeURIComponent(RSA)}`, good],
    ["the URL alphabet", `v=DKIM1; k=rsa; p=${RSA.replaceAll("+", "-").replaceAll("/", "_")}`, good],
    ["PEM lines", `v=DKIM1; k=rsa; p=-----BEGIN PUBLIC KEY-----${RSA_LINES}-----END PUBLIC KEY-----`, good],
    ["PKCS#1", `v=DKIM1; k=rsa; p=${PKCS1}`, good],
    ["Ed25519 SPKI", `v=DKIM1; k=ed25519; p=${ED_SPKI}`, goodEd],
    ["no k=", `v=DKIM1; p=${ED}`, goodEd],
    ["wrong k=", `v=DKIM1; k=RSA; p=${RSA}`, good],
    ["another wrong k=", `v=DKIM1; k=ed25519; p=${RSA}`, good],
    ["no v=", `k=rsa; p=${RSA}`, good],
    ["misplaced v=", `k=rsa; p=${RSA}; v=DKIM1`, good],
    ["lower-case version", `v=dkim1; k=rsa; p=${RSA}`, good],
    ["colons for semicolons", `v=DKIM1: k=rsa: p=${RSA}`, good],
    ["upper-case tags", `V=DKIM1; K=rsa; P=${RSA}`, good],
    ["surplus semicolons", `;; v=DKIM1;; k=rsa; p=${RSA};;`, good],
    ["pasted twice", `${good}; ${good}`, good],
    ["surplus padding", `v=DKIM1; k=ed25519; p=${ED}==`, goodEd],
    ["missing padding", `v=DKIM1; k=ed25519; p=${ED.replace("=", "")}`, goodEd],
    [
      "octets after the key",
      `v=DKIM1; k=rsa; p=${Buffer.concat([Buffer.from(RSA, "base64"), Buffer.alloc(2)]).toString("base64")}`,
      good,
    ],
    ["lists", `v=DKIM1; h=sha1 : sha256; k=rsa; s=; t=s:; g=; p=${RSA}`, `v=DKIM1; h=sha256; k=rsa; t=s; p=${RSA}`],
    [
      "a note that is no quoted-printable",
      `v=DKIM1; k=rsa; n=100=% sûr; p=${RSA}`,
      `v=DKIM1; k=rsa; n=100=3D% s=C3=BBr; p=${RSA}`,
    ],
    ["revoked, badly", "p=; v=DKIM1", "v=DKIM1; k=rsa; p="],
  ])("%s", (_title, text, expected) => {
    const corrected = correctRecord(text);
    expect(corrected?.text).toBe(expected);
    expect(corrected?.changes.length).toBeGreaterThan(0);
    expect(checkRecord(expected).severity).not.toBe("error");
  });

  test.each([
    ["nothing is wrong", good],
    ["a character is missing", `v=DKIM1; k=rsa; p=${RSA.slice(0, 60)}${RSA.slice(61)}`],
    ["cut off", good.slice(0, 200)],
    ["two different keys", `v=DKIM1; p=${RSA}; p=${ED}`],
    ["a private key is published", `v=DKIM1; k=rsa; p=${PRIVATE}`],
    ["no key", "v=DKIM1; k=rsa"],
    ["something else", "v=spf1 -all"],
    ["not a point of the curve", `v=DKIM1; k=ed25519; p=Ag${"A".repeat(41)}`],
    [
      "too short a key",
      "k=rsa; p=MEgCQQCo9+BpMRYQ/dL3DS2CyJxRF+j6ctbT3/Qp84+KeFhnii7NT7fELilKUSnxS30WAvQCCo2yU1orfgqr41mM70MBAgMBAAE=",
    ],
    ["the last character was changed", `k=ed25519; p=${ED.slice(0, -2)}${withPadBits(ED.at(-2))}=`],
  ])("nothing is guessed when %s", (_title, text) => {
    expect(correctRecord(text)).toBeUndefined();
  });

  test("the private key is the truth", () => {
    for (const text of ["v=DKIM1; t=s; p=", good, `v=DKIM1; k=ed25519; p=${PRIVATE}`, "", "junk"]) {
      const corrected = correctRecord(text, { privateKey: edKey });
      expect(corrected?.text.endsWith(`k=ed25519; ${text.includes("t=s") ? "t=s; " : ""}p=${ED}`)).toBe(true);
    }
    expect(correctRecord(goodEd, { privateKey: edKey })).toBeUndefined();
  });

  test("two halves in two records", () => {
    const halves = [good.slice(0, 255), good.slice(255)];
    expect(correctRrset(halves)?.text).toBe(good);
    expect(correctRrset([...halves].reverse())?.text).toBe(good);
    expect(correctRrset([good, goodEd])).toBeUndefined();
    expect(correctRrset([good])).toBeUndefined();
    expect(correctRrset([good.slice(0, 200), good.slice(210)])).toBeUndefined();
  });

  test("whatever the text, what is printed has no error itself", () => {
    const piece = fc.constantFrom(
      "v=DKIM1",
      "V=DKIM1",
      "k=RSA",
      "p=",
      RSA,
      ED,
      PKCS1,
      ";",
      " ",
      "\n",
      '"',
      "\\;",
      "\ufeff",
      "h=sha1",
      "t=y",
      "n=é=",
      "( ",
      " )",
      "&#59;",
      "x=\u00a0",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join("")),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          const corrected = correctRecord(text);
          if (corrected !== undefined) expect(checkRecord(corrected.text).severity).not.toBe("error");
          if (corrected !== undefined) expect(correctRecord(corrected.text)).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("hostile text of a quarter of a megabyte takes no more than its length", () => {
  for (const unit of [
    "=",
    " ",
    "\n",
    '"',
    '" ',
    "\\;",
    ";",
    "p=",
    "A",
    "&#59;",
    ") ",
    "\ufeff",
    "-----BEGIN ",
    "v=DKIM1: ",
    "\r",
    "é",
  ]) {
    const text = `v=DKIM1; p=${unit.repeat(250_000 / unit.length)}x`;
    expect(checkRecord(text).findings.length).toBeLessThan(200);
    correctRecord(text);
  }
}, 20_000);
