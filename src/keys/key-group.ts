import { lstatSync } from "node:fs";
import { join } from "node:path";
import { DkimctlError } from "../errors.ts";
import { createFiles } from "./durable-file-group.ts";
import type { FileAccess } from "./file-access.ts";
import type { FileOperations } from "./file-operations.ts";
import { keyExistsError, writeFailure } from "./key-file.ts";
import { keyFileName } from "./key-name.ts";
import type { CreateOutcome, NamedNewKey } from "./key-store.ts";
import { systemErrorCode } from "./key-store-errors.ts";
import { encodePrivateKey } from "./private-key.ts";
import { publicKeyFingerprint } from "./public-key.ts";
import type { RecordTagsFolder, TagsToWrite } from "./record-tags-file.ts";

/** What a group of keys is written with. */
export interface KeyGroupTools {
  readonly folder: string;
  readonly tags: RecordTagsFolder;
  readonly access: FileAccess;
  readonly operations: FileOperations;
}

/** Files that are open at once: a quarter of what a process may have by default. */
const MOST_OPEN_FILES = 256;

/**
 * Makes many keys of a folder as `KeyStore.create` makes one; their files are synced together. The tags of each are in
 * place before the key is, and gone again when it could not be made.
 */
export async function createKeys(keys: readonly NamedNewKey[], tools: KeyGroupTools): Promise<CreateOutcome[]> {
  const outcomes: CreateOutcome[] = [];
  for (let start = 0; start < keys.length; start += MOST_OPEN_FILES) {
    outcomes.push(...(await createKeyGroup(keys.slice(start, start + MOST_OPEN_FILES), tools)));
  }
  return outcomes;
}

async function createKeyGroup(keys: readonly NamedNewKey[], tools: KeyGroupTools): Promise<CreateOutcome[]> {
  const { folder, tags, access, operations } = tools;
  const outcomes = new Map<NamedNewKey, CreateOutcome>();
  const locationOf = ({ name }: NamedNewKey) => join(folder, keyFileName(name));
  const fail = (key: NamedNewKey, cause: unknown) => {
    const error = writeFailure(cause, locationOf(key));
    if (!(error instanceof DkimctlError)) throw error;
    outcomes.set(key, { kind: "failed", error });
  };
  const drafts: { key: NamedNewKey; path: string; bytes: Uint8Array; undo: () => void }[] = [];
  const free = keys.filter((key) => {
    const fault = faultOf(locationOf(key));
    if (fault !== undefined) fail(key, fault);
    return fault === undefined;
  });
  const written = await tags.writeMany(free.map(tagsOf), access);
  for (const [index, key] of free.entries()) {
    const result = written[index];
    if (result === undefined || "error" in result) fail(key, result?.error);
    else drafts.push({ key, path: locationOf(key), bytes: encode(key), undo: result.undo });
  }
  const errors = await createFiles(folder, drafts, access, operations).catch((error: unknown) =>
    drafts.map(() => error),
  );
  for (const [index, { key, path, undo }] of drafts.entries()) {
    const error = errors[index];
    if (error === undefined) outcomes.set(key, { kind: "created", location: path });
    else {
      // When the name was taken meanwhile it may be by this very key: then the tags are in use.
      if (systemErrorCode(error) !== "EEXIST") undo();
      fail(key, error);
    }
  }
  return keys.flatMap((key) => outcomes.get(key) ?? []);
}

/** Why the name cannot be given, as far as a look tells. */
function faultOf(location: string): unknown {
  try {
    return lstatSync(location, { throwIfNoEntry: false }) && keyExistsError(location);
  } catch (error) {
    return error;
  }
}

function tagsOf({ name, privateKey, tags }: NamedNewKey): TagsToWrite {
  return { name, tags, fingerprint: publicKeyFingerprint(privateKey.publicKey) };
}

function encode({ privateKey, encoding = "pkcs8" }: NamedNewKey): Uint8Array {
  return new TextEncoder().encode(encodePrivateKey(privateKey, encoding));
}
