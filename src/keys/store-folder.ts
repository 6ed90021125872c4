import { constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { withSyncedFolder } from "./durable-file.ts";
import { type FileAccess, type FileAccessOptions, resolveFileAccess } from "./file-access.ts";
import { type FileOperations, fileOperations } from "./file-operations.ts";
import { shellQuote } from "./file-permissions.ts";
import { writeFailure } from "./key-file.ts";
import { KeyStoreError, systemErrorCode, systemErrorReason } from "./key-store-errors.ts";

/** What dkimctl keeps beside the keys: the lock, the tags of their records, the journals of rotation. */
export const CONTROL_FOLDER = ".dkimctl";

/**
 * Makes the folder of a new store, and those above it; one that is there keeps its permissions. Who may read the key
 * files may enter the folder, nobody else.
 * @throws {FileAccessError | KeyStoreError}
 */
export function createStoreFolder(
  path: string,
  options: FileAccessOptions = {},
  operations: FileOperations = fileOperations,
): void {
  const access = resolveFileAccess(options);
  try {
    mkdirSync(dirname(path), { recursive: true });
    ensureFolder(path, access, operations);
  } catch (error) {
    // What stands in the way is no key: to speak of overwriting one would mislead.
    if (systemErrorCode(error) === "EEXIST") requireStoreFolder(path);
    throw writeFailure(error, path);
  }
}

/** The folder, made durably when it is not there. @param access of the files in it. @throws system errors */
export function ensureFolder(path: string, access: FileAccess, operations: FileOperations): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  withSyncedFolder(dirname(path), operations, (sync) => {
    try {
      operations.mkdirSync(path, 0o700);
    } catch (error) {
      // Another process has just made it.
      if (systemErrorCode(error) === "EEXIST" && statSync(path).isDirectory()) return;
      throw error;
    }
    const descriptor = operations.openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      if (access.uid !== undefined || access.gid !== undefined) {
        const { uid, gid } = statSync(path);
        operations.fchownSync(descriptor, access.uid ?? uid, access.gid ?? gid);
      }
      operations.fchmodSync(descriptor, folderMode(access.mode));
    } finally {
      operations.closeSync(descriptor);
    }
    sync();
  });
}

/** Who can read the files can enter and list the folder; only the owner changes it. */
function folderMode(fileMode: number): number {
  const readable = fileMode & 0o444;
  return 0o700 | readable | (readable >> 2);
}

/** @throws {KeyStoreError} */
export function requireStoreFolder(path: string): void {
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    throw storeFailure(error, path);
  }
  throw new KeyStoreError(`the key store ${path} is not a folder`, { hint: "name another one with --store" });
}

/** What it means that the folder of a store cannot be read; `error` itself when it is no error of the operating system. */
export function storeFailure(error: unknown, path: string): unknown {
  const cause = error;
  switch (systemErrorCode(error)) {
    case undefined:
      return error;
    case "ENOENT":
      return new KeyStoreError(`there is no key store at ${path}`, {
        hint: "make one with dkimctl init, or name another one with --store",
        cause,
      });
    case "ENOTDIR":
      return new KeyStoreError(`the key store ${path} is not a folder`, {
        hint: "name another one with --store",
        cause,
      });
    default:
      return new KeyStoreError(`the key store ${path} cannot be read: ${systemErrorReason(error)}`, {
        hint: `see who may: namei -l ${shellQuote(path)}`,
        cause,
      });
  }
}
