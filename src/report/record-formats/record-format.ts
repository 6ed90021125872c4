import { formatKeyRecord, formatKeyTags, formatPublicKey, keyRecordFor } from "../../dns/key-record.ts";
import { quoteTxtStrings } from "../../dns/txt-strings.ts";
import type { KeyName } from "../../keys/key-name.ts";
import type { RecordTags } from "../../keys/key-store.ts";
import type { PublicKey } from "../../keys/public-key.ts";

/** A stored key whose DNS record is to be shown. */
export interface RecordToPrint {
  /** The N of `key#N`: the key's place in the whole listing, from 1. */
  readonly index: number;
  readonly name: KeyName;
  readonly publicKey: PublicKey;
  readonly tags: RecordTags;
  /** Where the private key is, as `KeyStore` tells it. */
  readonly location?: string | undefined;
  readonly ttlSeconds: number;
}

/**
 * One way to write records, for one listing: `begin`, then `record` for each key, then `end`.
 * Each returns text that ends with a newline or is empty, so a listing streams and is as short in memory as one record.
 */
export interface RecordFormat {
  begin?(): string;
  /** @throws {NotInZoneError} format `plain`, a domain outside the zone that the host is to be relative to */
  record(record: RecordToPrint): string;
  end?(): string;
}

/** The tags of a record's text apart, so that a layout can order and break them as its model does. */
export interface RecordTagTexts {
  /** `name=value` of each tag but p=, in the order of `formatKeyRecord`. */
  readonly tags: readonly string[];
  /** The base64 of p=. */
  readonly key: string;
}

/** The text to publish: what the joined strings of every format are, but for the quirks `amavis` and `opendkim` own up to. */
export function recordText({ publicKey, tags }: RecordToPrint): string {
  return formatKeyRecord(keyRecordFor(publicKey, tags));
}

export function recordTagTexts({ publicKey, tags }: RecordToPrint): RecordTagTexts {
  const record = keyRecordFor(publicKey, tags);
  return { tags: formatKeyTags(record), key: formatPublicKey(record) };
}

/** Text as the quoted strings of a TXT record, each of at most `maxOctets`. */
export function quotedStrings(text: string, maxOctets?: number): string[] {
  return quoteTxtStrings(text, maxOctets);
}

/** RSA: the exact length of the modulus. Ed25519: 256, as for its field. */
export function publicKeyBits(publicKey: PublicKey): number {
  return publicKey.type === "rsa" ? publicKey.modulusBits : 256;
}
