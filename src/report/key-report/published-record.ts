import type { RecordToPublish } from "../../checks/record-to-publish.ts";
import { formatKeyRecord, parseKeyRecord } from "../../dns/key-record.ts";
import { quoteTxtStrings } from "../../dns/txt-strings.ts";
import { formatTxtRecord } from "../../dns/zone-text-write.ts";
import { NameSyntaxError } from "../../keys/domain-name.ts";
import { classifyKeyBytes } from "../../keys/key-bytes.ts";
import { type KeyName, parseKeyName } from "../../keys/key-name.ts";
import type { PublicKey } from "../../keys/public-key.ts";
import { createRecordFormat, type RecordFormatName } from "../record-formats/index.ts";

/** What `--publish-as` takes; the first is the default. */
export const PUBLISH_FORMAT_NAMES = ["bind", "amavis", "rspamd", "opendkim", "plain", "value"] as const;
export type PublishFormatName = (typeof PUBLISH_FORMAT_NAMES)[number] & RecordFormatName;

export interface PublishOptions {
  readonly format: PublishFormatName;
  readonly ttlSeconds: number;
}

/**
 * A corrected record in the format that is asked for. Where its name is not known, or it has what the format's model
 * has no place for (a revoked key, a tag of somebody's own), it is the plainest text of that kind: the value, host and
 * value, or quoted strings with their owner. Ends with a line feed.
 */
export function renderRecordToPublish({ name, text }: RecordToPublish, { format, ttlSeconds }: PublishOptions): string {
  if (format === "value") return `${text}\n`;
  const keyName = name === undefined ? undefined : tryKeyName(name);
  if (keyName === undefined) {
    return format === "plain" ? `${text}\n` : `${quoteTxtStrings(text, " ")}\n`;
  }
  const recordName = `${keyName.selector}._domainkey.${keyName.domain}`;
  const record = parseKeyRecord(text);
  const publicKey = record.publicKey && readPublicKey(record.publicKey);
  // What the writer would print for this key and these tags must be this very record.
  if (publicKey === undefined || formatKeyRecord(record) !== text || record.otherTags !== undefined) {
    return format === "plain" ? `${recordName}\t${text}\n` : formatTxtRecord({ name: recordName, text, ttlSeconds });
  }
  return createRecordFormat(format).record({ index: 1, name: keyName, publicKey, tags: record, ttlSeconds });
}

/** The pair in `<selector>._domainkey.<domain>`; `undefined` when it is none. */
export function tryKeyName(name: string): KeyName | undefined {
  const [selector = "", domain = "", ...more] = name.replace(/\.$/, "").split(/\._domainkey\./i);
  if (more.length > 0) return undefined;
  try {
    return parseKeyName(domain, selector);
  } catch (error) {
    if (error instanceof NameSyntaxError) return undefined;
    throw error;
  }
}

function readPublicKey(octets: Uint8Array): PublicKey | undefined {
  const what = classifyKeyBytes(octets);
  if (what.kind === "raw-32") return { type: "ed25519", bytes: octets };
  return what.kind === "spki" && what.algorithm === "rsa" && what.fault === undefined ? what.publicKey : undefined;
}
