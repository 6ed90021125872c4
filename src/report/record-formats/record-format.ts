import type { ProviderFault, ProviderName } from "../../checks/provider-limits.ts";
import { formatKeyRecord, formatKeyTags, keyRecordFor, publishedKeyText } from "../../dns/key-record.ts";
import type { DomainName } from "../../keys/domain-name.ts";
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
  /** Why the provider that was named cannot hold the record; `undefined` when none was named. */
  readonly providerFaults?: readonly ProviderFault[] | undefined;
}

/** What a listing needs to know beside its records. */
export interface RecordFormatOptions {
  /** The zone that all the records go into; `undefined`: whichever holds them. */
  readonly relativeTo?: DomainName | undefined;
  /** The zone of a domain, for tools that want to know it; by default the domain itself. */
  readonly zoneOf?: ((domain: DomainName) => DomainName) | undefined;
  /** The DNS provider that the records go to. */
  readonly provider?: ProviderName | undefined;
}

/**
 * One way to write records, for one listing: `begin`, then `record` for each key, then `end`.
 * Each returns text that ends with a newline or is empty. A listing streams and is as short in memory as one record, but
 * for formats that need the records sorted by zone.
 */
export interface RecordFormat {
  begin?(): string;
  /** @throws {NotInZoneError} the record does not belong into the zone of `relativeTo` */
  record(record: RecordToPrint): string;
  end?(): string;
  /** What a person must know of the listing before it is used, after its `end`. */
  note?(): string | undefined;
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

/** The text of the record, by its parts. */
export function recordTagTexts({ publicKey, tags }: RecordToPrint): RecordTagTexts {
  return { tags: tagTexts(tags, publicKey.type), key: publishedKeyText(publicKey) };
}

let latest: { readonly tags: RecordTags; readonly keyType: string; readonly texts: readonly string[] } | undefined;

/** The same array for the same tags as before: so have nearly all keys of a listing. */
function tagTexts(tags: RecordTags, keyType: string): readonly string[] {
  if (latest?.tags !== tags || latest.keyType !== keyType) {
    latest = { tags, keyType, texts: formatKeyTags({ ...tags, keyType }) };
  }
  return latest.texts;
}

/** RSA: the exact length of the modulus. Ed25519: 256, as for its field. */
export function publicKeyBits(publicKey: PublicKey): number {
  return publicKey.type === "rsa" ? publicKey.modulusBits : 256;
}
