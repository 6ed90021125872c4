import { splitTxtStrings } from "../../dns/txt-strings.ts";
import { displayDomainName } from "../../keys/domain-name.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { publicKeyFingerprint } from "../../keys/public-key.ts";
import { publicKeyBits, type RecordFormat, type RecordToPrint, recordTagTexts, recordText } from "./record-format.ts";

/** Changes with the shape of the document only. */
const SHOWKEYS_SCHEMA = "dkimctl/showkeys/1";

/** One element of `records`. Every field is always there; what a key does not have is null. */
export interface JsonRecord {
  readonly index: number;
  readonly domain: string;
  /** The domain for people: U-labels where they are valid. */
  readonly domainUnicode: string;
  readonly selector: string;
  /** The owner name, without trailing dot. */
  readonly name: string;
  readonly type: "TXT";
  readonly ttlSeconds: number;
  readonly algorithm: "rsa" | "ed25519";
  readonly bits: number;
  /** SHA-256 of the SubjectPublicKeyInfo, in hexadecimal. */
  readonly fingerprint: string;
  /** p=, in base64. */
  readonly publicKey: string;
  /** The whole text of the record. */
  readonly value: string;
  /** The same text in strings of at most 255 octets, unquoted. */
  readonly strings: readonly string[];
  readonly tags: {
    readonly hashAlgorithms: readonly string[] | null;
    readonly serviceTypes: readonly string[] | null;
    readonly flags: readonly string[] | null;
    readonly note: string | null;
  };
  readonly location: string | null;
}

/** One document `{"schema":…,"records":[…]}`, of the same shape for no record, one and many; one record a line. */
export function jsonFormat(): RecordFormat {
  let separator = "";
  return {
    begin: () => `{"schema":${JSON.stringify(SHOWKEYS_SCHEMA)},"records":[\n`,
    record(record) {
      const { providerFaults = null } = record;
      const line = `${separator}${JSON.stringify({ ...jsonRecord(record), providerFaults })}\n`;
      separator = ",";
      return line;
    },
    end: () => "]}\n",
  };
}

/** The record as the JSON document has it. */
export function jsonRecord(record: RecordToPrint): JsonRecord {
  const { name, publicKey, tags } = record;
  const value = recordText(record);
  return {
    index: record.index,
    domain: name.domain,
    domainUnicode: displayDomainName(name.domain),
    selector: name.selector,
    name: keyRecordName(name),
    type: "TXT",
    ttlSeconds: record.ttlSeconds,
    algorithm: publicKey.type,
    bits: publicKeyBits(publicKey),
    fingerprint: publicKeyFingerprint(publicKey),
    publicKey: recordTagTexts(record).key,
    value,
    strings: splitTxtStrings(value),
    tags: {
      hashAlgorithms: tags.hashAlgorithms ?? null,
      serviceTypes: tags.serviceTypes ?? null,
      flags: tags.flags ?? null,
      note: tags.note ?? null,
    },
    location: record.location ?? null,
  };
}
