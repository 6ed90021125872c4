import { DkimctlError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import { encodeSubjectPublicKeyInfo, type PublicKey, subjectPublicKeyInfoText } from "../keys/public-key.ts";
import { scanBase64 } from "./base64-value.ts";
import { decodeQpSection, encodeQpSection } from "./qp-section.ts";
import { parseTagList, TagListSyntaxError, trimFws } from "./tag-list.ts";

/**
 * The DKIM key record: the TXT data at `<selector>._domainkey.<domain>`.
 * No I/O, no clock, no policy: what is too weak, unknown or unwise is for the checks to say.
 * @see RFC 6376 §3.6.1 (tags), RFC 8463 §4.2 (Ed25519), erratum 3017 (RSA encodings)
 */
export interface KeyRecord extends RecordTags {
  /** k=, `rsa` when absent. Values are case-sensitive (§3.2): `RSA` is an unknown type, kept as such. */
  readonly keyType: string;
  /** p=, decoded from base64 and no further. `undefined` means revoked: an empty p=. */
  readonly publicKey: Uint8Array | undefined;
  /** Tags that RFC 6376 does not define, such as the historic g=; verifiers ignore them. Absent when there is none. */
  readonly otherTags?: ReadonlyMap<string, string>;
}

/** Text at a selector that is not a DKIM key record. */
export class KeyRecordSyntaxError extends DkimctlError {
  override readonly code = "DKIM_KEY_RECORD_SYNTAX";
}

const KNOWN_TAGS = new Set(["v", "h", "k", "s", "t", "n", "p"]);

/**
 * @param text the strings of one TXT record, joined without separator (RFC 6376 §3.6.2.2)
 * @throws {KeyRecordSyntaxError} not a tag-list, not DKIM1, without p=, or p= not base64
 */
export function parseKeyRecord(text: string): KeyRecord {
  const tags = readTags(text);
  const [firstTag] = tags.keys();
  const version = tags.get("v");
  if (version !== undefined && firstTag !== "v")
    throw new KeyRecordSyntaxError("v= must be the first tag (RFC 6376 §3.6.1)");
  if (version !== undefined && version !== "DKIM1") {
    throw new KeyRecordSyntaxError(`v= must be DKIM1, not ${quoteName(version)} (RFC 6376 §3.6.1)`);
  }
  const encodedKey = tags.get("p");
  if (encodedKey === undefined) throw new KeyRecordSyntaxError("p= is missing (RFC 6376 §3.6.1)");
  const hash = tags.get("h");
  const service = tags.get("s");
  const flags = tags.get("t");
  const note = tags.get("n");
  const others = [...tags].filter(([name]) => !KNOWN_TAGS.has(name));
  return {
    keyType: tags.get("k") ?? "rsa",
    publicKey: encodedKey === "" ? undefined : decodeBase64(encodedKey),
    ...(hash !== undefined && { hashAlgorithms: splitColonList(hash) }),
    ...(service !== undefined && { serviceTypes: splitColonList(service) }),
    ...(flags !== undefined && { flags: splitColonList(flags) }),
    ...(note !== undefined && { note: decodeQpSection(note) }),
    ...(others.length > 0 && { otherTags: new Map(others) }),
  };
}

/** The record as it is published: `v; h; k; s; t; n; p`, k= always written because some verifiers want it. */
export function formatKeyRecord(record: KeyRecord): string {
  return [...formatKeyTags(record), `p=${formatPublicKey(record)}`].join("; ");
}

/** `name=value` of each tag but p=, in the order of `formatKeyRecord`. */
export function formatKeyTags(record: Omit<KeyRecord, "publicKey">): string[] {
  const tags = ["v=DKIM1"];
  if (record.hashAlgorithms !== undefined) tags.push(`h=${record.hashAlgorithms.join(":")}`);
  tags.push(`k=${record.keyType}`);
  if (record.serviceTypes !== undefined) tags.push(`s=${record.serviceTypes.join(":")}`);
  if (record.flags !== undefined) tags.push(`t=${record.flags.join(":")}`);
  if (record.note !== undefined) tags.push(`n=${encodeQpSection(record.note)}`);
  for (const [name, value] of record.otherTags ?? []) tags.push(`${name}=${value}`);
  return tags;
}

/** The value of p=: base64, empty for a revoked key. */
function formatPublicKey({ publicKey }: KeyRecord): string {
  if (publicKey === undefined) return "";
  return Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length).toString("base64");
}

/** The record to publish for a key: SubjectPublicKeyInfo for RSA (erratum 3017), the bare 32 octets for Ed25519. */
export function keyRecordFor(publicKey: PublicKey, tags: RecordTags = {}): KeyRecord {
  return { ...tags, keyType: publicKey.type, publicKey: publishedKeyBytes(publicKey) };
}

/** The value of p= for this key: `formatPublicKey` of its `keyRecordFor`. */
export function publishedKeyText(publicKey: PublicKey): string {
  return publicKey.type === "rsa" ? subjectPublicKeyInfoText(publicKey) : formatPublicKey(keyRecordFor(publicKey));
}

/** What p= encodes for this key, in the form that every tested verifier reads. */
export function publishedKeyBytes(publicKey: PublicKey): Uint8Array {
  return publicKey.type === "ed25519" ? publicKey.bytes : encodeSubjectPublicKeyInfo(publicKey);
}

/** The elements of a colon-separated list, white space around them dropped (RFC 6376 §3.6.1). */
export function splitColonList(value: string): string[] {
  return value.split(":").map(trimFws);
}

function readTags(text: string): ReadonlyMap<string, string> {
  try {
    return parseTagList(text);
  } catch (error) {
    if (error instanceof TagListSyntaxError) throw new KeyRecordSyntaxError(error.message, { cause: error });
    throw error;
  }
}

/** Missing padding is let pass: the grammar makes it optional (RFC 6376 §2.10). */
function decodeBase64(text: string): Uint8Array {
  const { octets } = scanBase64(text);
  if (octets === undefined) throw new KeyRecordSyntaxError("p= is not base64 (RFC 6376 §3.6.1)");
  return octets;
}
