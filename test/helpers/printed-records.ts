import { parseKeyRecord } from "../../src/dns/key-record.ts";
import { joinTxtStrings, unescapeTxtString } from "../../src/dns/txt-strings.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { type PublicKey, parseSubjectPublicKeyInfo, rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import type { RecordToPrint } from "../../src/report/record-formats/record-format.ts";

/** The unescaped strings that stand in quotes in zone text, lines of comment left out. */
export function quotedStringsOf(zoneText: string): string[] {
  const data = zoneText.replace(/^;.*$/gm, "");
  return [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, escaped = ""]) => unescapeTxtString(escaped));
}

/** The public key in the strings of one printed record. */
export function publicKeyIn(zoneText: string): PublicKey {
  const record = parseKeyRecord(joinTxtStrings(quotedStringsOf(zoneText)));
  const bytes = record.publicKey ?? new Uint8Array();
  return record.keyType === "ed25519" ? { type: "ed25519", bytes } : parseSubjectPublicKeyInfo(bytes);
}

/** Numbers of the right size, no key to sign with: making 8192 real bits takes seconds. */
export function rsaKeyOfBits(bits: number): PublicKey {
  const modulus = new Uint8Array(Math.ceil(bits / 8)).map((_, i) => (i * 151 + bits) & 0xff);
  const topBit = (bits - 1) % 8;
  modulus[0] = ((modulus[0] ?? 0) & ((1 << topBit) - 1)) | (1 << topBit);
  modulus[modulus.length - 1] = 1;
  return rsaPublicKeyFromNumbers(modulus, Uint8Array.of(1, 0, 1));
}

export const ed25519Key: PublicKey = { type: "ed25519", bytes: new Uint8Array(32).map((_, i) => i * 7 + 250) };

export function recordToPrint(
  fields: Partial<Omit<RecordToPrint, "name">> & { domain?: string; selector?: string } = {},
): RecordToPrint {
  const { domain = "example.com", selector = "mail", ...rest } = fields;
  const name = parseKeyName(domain, selector);
  return { index: 1, name, publicKey: rsaKeyOfBits(1024), tags: {}, ttlSeconds: 3600, ...rest };
}
