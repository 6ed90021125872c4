import type { KeyName } from "../key-name.ts";
import { parseKeyName } from "../key-name.ts";
import type { NewKey, RecordTags } from "../key-store.ts";
import { KeyFileError } from "../key-store-errors.ts";
import { formatRecordTags, hasTags, parseRecordTags } from "../record-tags-file.ts";
import { rspamdVaultKey } from "../rspamd-raw-key.ts";
import { member } from "./vault-client.ts";

/**
 * What Vault holds for one domain, as rspamd reads it: `selectors`, each with `selector` and `key`, signing between
 * `valid_start` and `valid_end` (seconds since the epoch). What is ours stands in `dkimctl`, and in an entry's `tags`;
 * rspamd passes over both. What others wrote is kept as it is.
 */
export interface VaultDocument {
  readonly selectors: readonly VaultEntry[];
  readonly dkimctl?: OwnPart;
  readonly [foreign: string]: unknown;
}

export interface VaultEntry {
  readonly selector: string;
  readonly key: string;
  readonly domain?: string;
  readonly alg?: string;
  /** Record tags, as `formatRecordTags` writes them. */
  readonly tags?: unknown;
  readonly valid_start?: number;
  readonly valid_end?: number;
  readonly [foreign: string]: unknown;
}

export interface OwnPart {
  /** The journal of the domain's rotation, as text. */
  readonly journal?: string;
  readonly lease?: { readonly owner: string; readonly until: number };
  /** Keys that were replaced, and when. */
  readonly replaced?: readonly (VaultEntry & { readonly replaced_at: string })[];
  /** Versions up to this one hold a key that is gone, and are to be destroyed. */
  readonly destroy?: number;
}

/** A new key does not sign before its record is in the DNS and somebody says so: the last second of the year 9999. */
export const NOT_YET = 253_402_300_799;

export const NO_DOCUMENT: VaultDocument = { selectors: [] };

/**
 * @param value the data that Vault has for the domain
 * @throws {KeyFileError} it is not what rspamd reads; it is never changed then
 */
export function parseVaultDocument(value: unknown, location: string): VaultDocument {
  const fail = (reason: string) => new KeyFileError(`${location} is no document of DKIM keys: ${reason}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail("it is no object");
  const { selectors = [], dkimctl, ...foreign } = value as Record<string, unknown>;
  if (!Array.isArray(selectors)) throw fail(`"selectors" is no list`);
  for (const [index, entry] of selectors.entries()) {
    if (typeof member(entry, "selector") !== "string" || typeof member(entry, "key") !== "string") {
      throw fail(`entry ${index + 1} lacks selector or key`);
    }
  }
  return {
    ...foreign,
    selectors: selectors as VaultEntry[],
    ...(dkimctl !== undefined && { dkimctl: parseOwnPart(dkimctl, fail) }),
  };
}

function parseOwnPart(value: unknown, fail: (reason: string) => KeyFileError): OwnPart {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail(`"dkimctl" is no object`);
  const journal = member(value, "journal");
  const lease = member(value, "lease");
  const destroy = member(value, "destroy");
  const replaced = member(value, "replaced");
  if (journal !== undefined && typeof journal !== "string") throw fail(`"dkimctl.journal" is no text`);
  if (destroy !== undefined && !Number.isSafeInteger(destroy)) throw fail(`"dkimctl.destroy" is no version`);
  if (replaced !== undefined && !Array.isArray(replaced)) throw fail(`"dkimctl.replaced" is no list`);
  if (
    lease !== undefined &&
    (typeof member(lease, "owner") !== "string" || typeof member(lease, "until") !== "number")
  ) {
    throw fail(`"dkimctl.lease" lacks owner or until`);
  }
  return value as OwnPart;
}

/** The entry as rspamd takes it. */
export function vaultEntry({ domain, selector }: KeyName, { privateKey, tags }: NewKey): VaultEntry {
  return {
    selector,
    domain,
    alg: privateKey.type,
    key: rspamdVaultKey(privateKey),
    ...(hasTags(tags) && { tags: JSON.parse(formatRecordTags(tags)) }),
  };
}

/** The record tags that are kept with the key. @throws {KeyFileError} */
export function entryTags({ tags }: VaultEntry, location: string): RecordTags {
  return tags === undefined ? {} : parseRecordTags(JSON.stringify(tags), location);
}

/** Whether the entry is the key of this name, in the document of its domain; selectors are told apart without regard to case. */
export function isEntryOf(entry: VaultEntry, { domain, selector }: KeyName): boolean {
  return entry.selector.toLowerCase() === selector && (entry.domain ?? domain).toLowerCase() === domain;
}

/** The key's name. @throws {NameSyntaxError} no key can have it */
export function entryName(entry: VaultEntry, domain: string): KeyName {
  return parseKeyName(entry.domain ?? domain, entry.selector);
}
