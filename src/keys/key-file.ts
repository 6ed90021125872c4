import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createFile, replaceByLink, replaceFile } from "./durable-file.ts";
import { DEFAULT_KEY_MODE, type FileAccess, type FileAccessOptions, resolveFileAccess } from "./file-access.ts";
import { type FileOperations, fileOperations } from "./file-operations.ts";
import { keyFilePermissionWarnings, realPathIfKnown, shellQuote } from "./file-permissions.ts";
import {
  FileAccessError,
  KeyExistsError,
  KeyFileError,
  KeyNotFoundError,
  KeyStoreError,
  StoreLockedError,
  systemErrorCode,
  systemErrorReason,
} from "./key-store-errors.ts";
import { sweepTemporaryFiles } from "./temporary-file.ts";

/** Eight times the largest key in its longest spelling; what is larger is some other file. */
const MAX_KEY_FILE_OCTETS = 256 * 1024;

export interface KeyFile {
  readonly bytes: Uint8Array;
  /** The file's own path, every symbolic link followed; `path` itself when it is none. */
  readonly realPath: string;
  /** About the file alone; its folders are for `folderPermissionWarnings`. */
  readonly warnings: readonly string[];
  /** Of the file that a link leads to. */
  readonly writtenAt: Date;
}

/**
 * The octets of a key file; a symbolic link is followed.
 * @param allowedMode the mode that key files are configured to have
 * @param maxOctets what is longer is refused; by default no more than a key file can be
 * @throws {KeyNotFoundError} nothing is there
 * @throws {KeyFileError} it is no regular file, too large, or cannot be read
 */
export function readKeyFile(
  path: string,
  {
    allowedMode = DEFAULT_KEY_MODE,
    maxOctets = MAX_KEY_FILE_OCTETS,
  }: { allowedMode?: number; maxOctets?: number } = {},
): KeyFile {
  let descriptor: number | undefined;
  try {
    let realPath = path;
    try {
      descriptor = openSync(path, READ | constants.O_NOFOLLOW);
    } catch (error) {
      // ELOOP here says that it is a link: only then is the path to be resolved.
      if (systemErrorCode(error) !== "ELOOP") throw error;
      realPath = realpathSync(path);
      descriptor = openSync(realPath, READ);
    }
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? "a folder" : stats.isFIFO() ? "a named pipe" : "a device";
      throw new KeyFileError(`${path} is ${kind}, not a key file`);
    }
    const bytes = readBounded(descriptor, stats.size, path, maxOctets);
    const warnings = keyFilePermissionWarnings(realPath, stats.mode, allowedMode);
    return { bytes, realPath, warnings, writtenAt: stats.mtime };
  } catch (error) {
    throw readFailure(error, path);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

// O_NONBLOCK: opening a named pipe must not wait for a writer.
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

function readBounded(descriptor: number, size: number, path: string, maxOctets: number): Uint8Array {
  // One octet more than the file claims to have, so that one which grows is noticed.
  const bytes = new Uint8Array(Math.min(size, maxOctets) + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < bytes.length; length += count) {
    count = readSync(descriptor, bytes, length, bytes.length - length, null);
  }
  if (length === bytes.length) {
    const reason = size > maxOctets ? `has ${size} octets; no key file is that long` : "changed while it was read";
    throw new KeyFileError(`${path} ${reason}`);
  }
  return bytes.subarray(0, length);
}

function readFailure(error: unknown, path: string): unknown {
  switch (systemErrorCode(error)) {
    case undefined:
      return error;
    case "ENOENT":
      return lstatSync(path, { throwIfNoEntry: false }) === undefined
        ? new KeyNotFoundError(`there is no file ${path}`, { cause: error })
        : new KeyFileError(`${path} is a symbolic link to a file that is not there`, {
            hint: `see where it points: readlink ${shellQuote(path)}`,
            cause: error,
          });
    case "ENXIO":
      return new KeyFileError(`${path} is a socket or a device, not a key file`, { cause: error });
    default:
      return new KeyFileError(`${path} cannot be read: ${systemErrorReason(error)}`, {
        hint: systemErrorCode(error) === "EACCES" ? `see who may: namei -l ${shellQuote(path)}` : undefined,
        cause: error,
      });
  }
}

/**
 * Makes a key file that nobody but those whom `access` names can read, at no moment: whole and durable when this
 * returns, not there when it throws. Left-overs of killed runs in the folder are removed.
 * @throws {KeyExistsError} the path is taken, be it by a dangling link
 * @throws {FileAccessError | KeyStoreError}
 */
export function createKeyFile(
  path: string,
  content: Uint8Array | string,
  options: FileAccessOptions = {},
  operations: FileOperations = fileOperations,
): void {
  const access = resolveFileAccess(options);
  sweepTemporaryFiles(dirname(path), operations);
  writeKeyFile(path, toBytes(content), access, operations);
}

/** `createKeyFile` with the access resolved and without sweeping: for many keys in one folder. */
export function writeKeyFile(path: string, bytes: Uint8Array, access: FileAccess, operations: FileOperations): void {
  try {
    createFile(path, bytes, access, operations);
  } catch (error) {
    throw writeFailure(error, path);
  }
}

/**
 * Like `createKeyFile`; a file that is there already is first kept beside it, under the path that is returned.
 * The replacement is one step: at each moment the path holds the old key or the new one.
 * @throws {StoreLockedError} another process replaced the file at the same time; nothing was changed
 * @throws {FileAccessError | KeyStoreError}
 */
export function replaceKeyFile(
  path: string,
  content: Uint8Array | string,
  { now = new Date(), ...options }: FileAccessOptions & { now?: Date } = {},
  operations: FileOperations = fileOperations,
): string | undefined {
  const access = resolveFileAccess(options);
  sweepTemporaryFiles(dirname(path), operations);
  return rewriteKeyFile(path, toBytes(content), access, now, operations);
}

/** `replaceKeyFile` with the access resolved and without sweeping. */
export function rewriteKeyFile(
  path: string,
  bytes: Uint8Array,
  access: FileAccess,
  now: Date,
  operations: FileOperations,
): string | undefined {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      createFile(path, bytes, access, operations);
      return undefined;
    }
    const backup = freeBackupPath(path, now);
    replaceFile(path, bytes, access, { backup, operations });
    return backup;
  } catch (error) {
    throw writeFailure(error, path);
  }
}

/**
 * Makes the file at `path` a link to `target`, a file of the same folder; what was there is kept under the path that is
 * returned. A link that leads to `target` already is left alone: its backup would only be another name of the new key.
 */
export function relinkKeyFile(path: string, target: string, now: Date, operations: FileOperations): string | undefined {
  if (realPathIfKnown(path) === realPathIfKnown(join(dirname(path), target))) return undefined;
  const backup = freeBackupPath(path, now);
  replaceByLink(path, target, { backup, operations });
  return backup;
}

/** `<path>.<yyyymmddThhmmssZ>.bak`, with `-2`, `-3` … before `.bak` when two keys are replaced within a second. */
function freeBackupPath(path: string, now: Date): string {
  const stamp = now.toISOString().replace(/[-:]|\.[0-9]+/g, "");
  for (let count = 1; ; count++) {
    const backup = `${path}.${stamp}${count === 1 ? "" : `-${count}`}.bak`;
    if (lstatSync(backup, { throwIfNoEntry: false }) === undefined) return backup;
  }
}

/** What a failed write means to the user; `error` itself when it is no error of the operating system. */
export function writeFailure(error: unknown, path: string): unknown {
  const cause = error;
  const reason = systemErrorReason(error);
  const folder = dirname(path);
  switch (systemErrorCode(error)) {
    case undefined:
      return error;
    case "EEXIST":
      return keyExistsError(path, cause);
    case "EBUSY":
      return new StoreLockedError(`${path} was changed by another process at the same time`, { cause });
    case "ENOENT":
    case "ENOTDIR":
      return new KeyStoreError(`cannot write ${path}: the folder ${folder} does not exist`, {
        hint: `make it: mkdir -m 0700 ${shellQuote(folder)}`,
        cause,
      });
    case "EACCES":
      return new KeyStoreError(`cannot write ${path}: ${reason}`, {
        hint: `run as a user who may write in ${folder}, see: namei -l ${shellQuote(folder)}`,
        cause,
      });
    case "EPERM":
      return new FileAccessError(`cannot give ${path} the owner, group or mode asked for: ${reason}`, {
        hint: "run as root, or leave --owner and --group out",
        cause,
      });
    case "ENAMETOOLONG":
      return new KeyStoreError(
        `cannot write ${path}: a file's name has 255 octets at most, and this one would have ${Buffer.byteLength(basename(path))}`,
        { hint: "choose a shorter selector, or one with fewer dots: each of them takes three octets", cause },
      );
    case "ENOSPC":
    case "EDQUOT":
      return new KeyStoreError(`cannot write ${path}: ${reason}; nothing was changed`, {
        hint: `free some space, see: df -h ${shellQuote(folder)}`,
        cause,
      });
    default:
      return new KeyStoreError(`cannot write ${path}: ${reason}; nothing was changed`, { cause });
  }
}

function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** That a new key would have taken the place of what is at `path`. */
export function keyExistsError(path: string, cause?: unknown): KeyExistsError {
  return new KeyExistsError(`${path} exists; it was not touched`, {
    hint: "give another name (--selector), or --force, which keeps the old key as a backup",
    cause,
  });
}
