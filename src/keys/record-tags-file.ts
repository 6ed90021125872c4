import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { quoteName } from "./domain-name.ts";
import { createFile, replaceFile, withSyncedFolder } from "./durable-file.ts";
import { createFiles } from "./durable-file-group.ts";
import type { FileAccess } from "./file-access.ts";
import type { FileOperations } from "./file-operations.ts";
import { shellQuote } from "./file-permissions.ts";
import { type KeyName, keyFileName } from "./key-name.ts";
import type { KnownKey, RecordTags } from "./key-store.ts";
import { KeyFileError, systemErrorCode, systemErrorReason } from "./key-store-errors.ts";

/*
 * Signers read key files and expect them to begin with -----BEGIN, so the tags of a key's record lie in a file of their
 * own. It is named after the key itself, not only after the key's name: it is written before the key appears, and no
 * crash, race or restored backup can give a key the tags of another.
 */

const SCHEMA = "dkimctl/tags/1";
const LISTS = ["hashAlgorithms", "serviceTypes", "flags"] as const;

/** NAME_MAX of Linux's file systems is 255; the fingerprint, the suffix and their dots take 22. */
const MAX_STEM_LENGTH = 233;

const TAGS_FILE = /\.[0-9a-f]{16}\.json$/;

export interface TagsToWrite {
  readonly name: KeyName;
  /** Of the public key, hexadecimal. */
  readonly fingerprint: string;
  readonly tags: RecordTags;
}

/** The tags of the keys of one store: a folder of small JSON files that is listed once and read where it names a key. */
export class RecordTagsFolder {
  readonly #path: string;
  readonly #operations: FileOperations;
  #listing: { names: Set<string>; stems: Set<string> } | undefined;

  constructor(path: string, operations: FileOperations) {
    this.#path = path;
    this.#operations = operations;
  }

  /** Forgets the listing, so that the next look sees what other processes have written. */
  refresh(): void {
    this.#listing = undefined;
  }

  /** Whether a key of this name has had tags: when none has, no fingerprint need be computed. @throws system errors */
  mayHave(name: KeyName): boolean {
    const { stems } = this.#list();
    return stems.size > 0 && stems.has(tagsStem(name));
  }

  /** False also when that cannot be known. */
  surelyHasNone(name: KeyName): boolean {
    try {
      return !this.mayHave(name);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return false;
    }
  }

  /** The paths of all tag files but those of these keys. @throws system errors */
  allBut(keys: readonly KnownKey[]): string[] {
    const { names } = this.#list();
    const exact = new Set(keys.flatMap((key) => (key.fingerprint ? [tagsFileName(key.name, key.fingerprint)] : [])));
    const stems = new Set(keys.flatMap(({ name, fingerprint }) => (fingerprint ? [] : [tagsStem(name)])));
    return [...names]
      .filter((name) => TAGS_FILE.test(name) && !exact.has(name) && !stems.has(name.replace(TAGS_FILE, "")))
      .toSorted()
      .map((name) => join(this.#path, name));
  }

  /**
   * @param fingerprint of the public key, hexadecimal
   * @throws {KeyFileError} the file was damaged
   */
  read(name: KeyName, fingerprint: string): RecordTags {
    const fileName = tagsFileName(name, fingerprint);
    if (!this.#list().names.has(fileName)) return {};
    const path = join(this.#path, fileName);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return {};
      throw new KeyFileError(`the tags kept with the key, ${path}, cannot be read: ${systemErrorReason(error)}`, {
        cause: error,
      });
    }
    return parseRecordTags(text, path);
  }

  /**
   * Makes `tags` those of the key, durably; the folder must be there when they are not empty.
   * @returns the function that puts back what was there before, as far as it can
   */
  write(name: KeyName, fingerprint: string, tags: RecordTags, access: FileAccess): () => void {
    const path = join(this.#path, tagsFileName(name, fingerprint));
    const before = lstatSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path);
    if (!hasTags(tags)) this.remove(name, fingerprint);
    else this.#put(path, encodeRecordTags(tags), access);
    return () => this.#putBack(name, fingerprint, before, access);
  }

  /** `write` for many keys, whose new files are synced together. @returns what `write` does, or the error it throws */
  async writeMany(
    entries: readonly TagsToWrite[],
    access: FileAccess,
  ): Promise<({ readonly undo: () => void } | { readonly error: unknown })[]> {
    const drafts = entries.map((entry) => {
      const path = join(this.#path, tagsFileName(entry.name, entry.fingerprint));
      const isNew = hasTags(entry.tags) && lstatSync(path, { throwIfNoEntry: false }) === undefined;
      return { ...entry, file: isNew ? { path, bytes: encodeRecordTags(entry.tags) } : undefined };
    });
    const files = drafts.flatMap(({ file }) => file ?? []);
    const errors = files.length === 0 ? [] : await createFiles(this.#path, files, access, this.#operations);
    this.refresh();
    const faults = new Map(files.map((file, index) => [file, errors[index]]));
    return drafts.map(({ name, fingerprint, tags, file }) => {
      if (file === undefined) return attempt(() => this.write(name, fingerprint, tags, access));
      const error = faults.get(file);
      return error === undefined ? { undo: () => this.#putBack(name, fingerprint, undefined, access) } : { error };
    });
  }

  remove(name: KeyName, fingerprint: string): void {
    const fileName = tagsFileName(name, fingerprint);
    const path = join(this.#path, fileName);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
    withSyncedFolder(this.#path, this.#operations, (sync) => {
      this.#operations.unlinkSync(path);
      sync();
    });
    this.refresh();
  }

  #putBack(name: KeyName, fingerprint: string, before: Uint8Array | undefined, access: FileAccess): void {
    try {
      if (before === undefined) this.remove(name, fingerprint);
      else this.#put(join(this.#path, tagsFileName(name, fingerprint)), before, access);
    } catch {
      // The failure that made this necessary is the one to report; tags without their key have no effect.
    }
  }

  #put(path: string, bytes: Uint8Array, access: FileAccess): void {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) createFile(path, bytes, access, this.#operations);
    else replaceFile(path, bytes, access, { operations: this.#operations });
    this.refresh();
  }

  #list(): { names: Set<string>; stems: Set<string> } {
    if (this.#listing === undefined) {
      const names = new Set(listFolder(this.#path));
      const stems = new Set([...names].map((name) => name.replace(TAGS_FILE, "")));
      this.#listing = { names, stems };
    }
    return this.#listing;
  }
}

function attempt(write: () => () => void): { undo: () => void } | { error: unknown } {
  try {
    return { undo: write() };
  } catch (error) {
    return { error };
  }
}

function encodeRecordTags(tags: RecordTags): Uint8Array {
  return new TextEncoder().encode(formatRecordTags(tags));
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Whether there is any tag to keep. */
export function hasTags(tags: RecordTags): boolean {
  return Object.values(tags).some((value) => value !== undefined);
}

function tagsFileName(name: KeyName, fingerprint: string): string {
  return `${tagsStem(name)}.${fingerprint.slice(0, 16)}.json`;
}

function tagsStem(name: KeyName): string {
  const stem = keyFileName(name).slice(0, -".pem".length);
  return stem.length <= MAX_STEM_LENGTH
    ? stem
    : `sha256-${createHash("sha256").update(stem).digest("hex").slice(0, 32)}`;
}

/** The tags as JSON that `parseRecordTags` reads, with a line end. */
export function formatRecordTags(tags: RecordTags): string {
  return `${JSON.stringify({ schema: SCHEMA, ...tags }, null, 2)}\n`;
}

/** @throws {KeyFileError} not JSON, not of this schema, or a value that no record can hold */
export function parseRecordTags(text: string, path: string): RecordTags {
  const fail = (reason: string) =>
    new KeyFileError(`the tags kept with the key, ${path}, cannot be used: ${reason}`, {
      hint: `mend the file, or do without the tags: rm ${shellQuote(path)}`,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail("it is not a JSON object");
  const { schema, note, ...rest } = value as Record<string, unknown>;
  if (schema !== SCHEMA) throw fail(`its schema is not ${JSON.stringify(SCHEMA)}`);
  if (note !== undefined && typeof note !== "string") throw fail(`"note" is not a text`);
  const tags: { -readonly [Key in keyof RecordTags]: RecordTags[Key] } = note === undefined ? {} : { note };
  for (const list of LISTS) {
    const { [list]: words } = rest;
    delete rest[list];
    if (words === undefined) continue;
    if (!isWordList(words)) throw fail(`"${list}" is not a list of words as a key record holds them`);
    tags[list] = words;
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw fail(`${quoteName(unknown)} is not known here`);
  return tags;
}

/** RFC 6376 §3.6.1: hyphenated-words (§2.11), or `*` for any service. */
function isWordList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((word) => typeof word === "string" && /^(\*|[a-z]([a-z0-9-]*[a-z0-9])?)$/i.test(word))
  );
}
