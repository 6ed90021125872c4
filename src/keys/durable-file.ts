import { constants, fstatSync, lstatSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { FileAccess } from "./file-access.ts";
import { type FileOperations, fileOperations } from "./file-operations.ts";
import { systemErrorCode } from "./key-store-errors.ts";
import { temporaryPath, unlinkQuietly } from "./temporary-file.ts";

/*
 * Files that are there whole or not at all, and on disk when the call returns: written under a temporary name, synced,
 * given their name by link() or rename(), and the folder synced. All of it is synchronous on purpose: no signal handler
 * of ours can run half-way. Errors are those of node:fs; the callers know what to say.
 */

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes the file; an existing one of any kind, a dangling link included, is EEXIST and stays as it is. */
export function createFile(path: string, bytes: Uint8Array, access: FileAccess, operations = fileOperations): void {
  withSyncedFolder(dirname(path), operations, (sync) => {
    const temporary = writeTemporary(path, bytes, access, operations);
    let made: FileNode | undefined;
    try {
      giveName(temporary, path, bytes, access, operations);
      made = nodeOf(path);
      operations.unlinkSync(temporary);
      sync();
    } catch (error) {
      unlinkQuietly(temporary, operations);
      if (made !== undefined && isSameNode(made, nodeOf(path))) unlinkQuietly(path, operations);
      throw error;
    }
  });
}

/**
 * Replaces the file in one step. With `backup`, a path that must be free (EEXIST), the old file is kept there first;
 * a symbolic link is kept and replaced as a link, the file it names is not touched. When this throws, the old file is in place.
 */
export function replaceFile(
  path: string,
  bytes: Uint8Array,
  access: FileAccess,
  { backup, operations = fileOperations }: { backup?: string; operations?: FileOperations } = {},
): void {
  replaceBy(() => writeTemporary(path, bytes, access, operations), path, { backup, operations });
}

/** Like `replaceFile`; what takes the file's place is a symbolic link to `target`. */
export function replaceByLink(
  path: string,
  target: string,
  { backup, operations = fileOperations }: { backup: string; operations?: FileOperations },
): void {
  const makeLink = () => {
    const temporary = temporaryPath(dirname(path));
    operations.symlinkSync(target, temporary);
    return temporary;
  };
  replaceBy(makeLink, path, { backup, operations });
}

/** @param make puts what is to stand at `path` under a temporary name in the same folder, and returns that */
function replaceBy(
  make: () => string,
  path: string,
  { backup, operations }: { backup: string | undefined; operations: FileOperations },
): void {
  withSyncedFolder(dirname(path), operations, (sync) => {
    const temporary = make();
    let kept = false;
    try {
      const before = nodeOf(path);
      if (backup !== undefined) {
        keepAs(path, backup, operations);
        kept = true;
        sync();
      }
      // What was kept must be what is replaced: somebody without our lock may have been quicker.
      if (backup !== undefined && !isSameNode(before, nodeOf(path))) {
        throw Object.assign(new Error("changed meanwhile"), { code: "EBUSY", syscall: "rename" });
      }
      operations.renameSync(temporary, path);
      if (backup === undefined) return sync();
      try {
        sync();
      } catch (error) {
        // From here on the backup may be the only copy: whatever fails now, it is not removed.
        kept = false;
        operations.renameSync(backup, path);
        throw error;
      }
    } catch (error) {
      if (kept && backup !== undefined) unlinkQuietly(backup, operations);
      throw error;
    } finally {
      unlinkQuietly(temporary, operations);
    }
  });
}

/** Runs `change` with a function that makes the folder's entries durable; a folder that cannot be synced fails first. */
export function withSyncedFolder(folder: string, operations: FileOperations, change: (sync: () => void) => void): void {
  const { sync, close } = openFolder(folder, operations);
  try {
    change(sync);
  } finally {
    close();
  }
}

/** The folder, with a function that makes its entries durable. */
export function openFolder(folder: string, operations: FileOperations): { sync: () => void; close: () => void } {
  const descriptor = operations.openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    sync() {
      try {
        operations.fsyncSync(descriptor);
      } catch (error) {
        // Some file systems have nothing to sync for a folder and say so.
        if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(systemErrorCode(error) ?? "")) throw error;
      }
    },
    close() {
      try {
        operations.closeSync(descriptor);
      } catch {
        // Nothing was written through it: what was synced is there.
      }
    },
  };
}

/** The path of a new, complete, synced file beside `path`. */
export function writeTemporary(
  path: string,
  bytes: Uint8Array,
  access: FileAccess,
  operations: FileOperations,
): string {
  const temporary = temporaryPath(dirname(path));
  writeNew(temporary, bytes, access, operations);
  return temporary;
}

/**
 * Gives a complete temporary file its name, without replacing. On a file system without hard links the name is made
 * with O_EXCL and filled: still nothing is ever overwritten, but a crash then leaves a part of the file, which reading
 * refuses by name and the next `create` will not overwrite.
 */
export function giveName(
  temporary: string,
  path: string,
  bytes: Uint8Array,
  access: FileAccess,
  operations: FileOperations,
): void {
  try {
    operations.linkSync(temporary, path);
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    writeNew(path, bytes, access, operations);
  }
}

function keepAs(path: string, backup: string, operations: FileOperations): void {
  try {
    operations.linkSync(path, backup);
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    const { mode, uid, gid } = lstatSync(path);
    writeNew(backup, readFileSync(path), { mode: mode & 0o777, uid, gid }, operations);
  }
}

function writeNew(path: string, bytes: Uint8Array, access: FileAccess, operations: FileOperations): void {
  const descriptor = openNew(path, bytes, access, operations);
  let open = true;
  try {
    operations.fsyncSync(descriptor);
    open = false;
    operations.closeSync(descriptor);
  } catch (error) {
    if (open) operations.closeSync(descriptor);
    unlinkQuietly(path, operations);
    throw error;
  }
}

/** A new file with its content, not synced yet. @returns its descriptor */
export function openNew(path: string, bytes: Uint8Array, access: FileAccess, operations: FileOperations): number {
  const descriptor = operations.openSync(path, CREATE, 0o600);
  try {
    const stats = fstatSync(descriptor);
    const { uid = stats.uid, gid = stats.gid } = access;
    // The owner before the mode: a wider mode must never apply to the wrong group.
    if (uid !== stats.uid || gid !== stats.gid) operations.fchownSync(descriptor, uid, gid);
    operations.fchmodSync(descriptor, access.mode);
    for (let written = 0; written < bytes.length; ) {
      written += operations.writeSync(descriptor, bytes, written, bytes.length - written);
    }
    return descriptor;
  } catch (error) {
    operations.closeSync(descriptor);
    unlinkQuietly(path, operations);
    throw error;
  }
}

function lacksHardLinks(error: unknown): boolean {
  return ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(systemErrorCode(error) ?? "");
}

export interface FileNode {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Which file a path is, a symbolic link itself; `undefined`: there is none. @throws system errors */
export function nodeOf(path: string): FileNode | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** Whether both are one and the same file; two that are not there are not. */
export function isSameNode(a: FileNode | undefined, b: FileNode | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
