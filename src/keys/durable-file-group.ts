import { type FileNode, giveName, isSameNode, nodeOf, openFolder, openNew } from "./durable-file.ts";
import type { FileAccess } from "./file-access.ts";
import type { FileOperations } from "./file-operations.ts";
import { temporaryPath, unlinkQuietly } from "./temporary-file.ts";

export interface FileToMake {
  /** In the folder of the group. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A file under way. */
interface Draft {
  readonly file: FileToMake;
  readonly temporary: string;
  descriptor: number | undefined;
  /** What the path names since this draft was given it. */
  made?: FileNode | undefined;
  error?: unknown;
}

/**
 * Makes many files of one folder, each as `createFile` makes one: there whole or not at all, durable when the promise
 * resolves, nothing replaced. They are synced side by side in the thread pool, so that the disk makes one flush of many,
 * and the folder is synced once. Nothing has its name before its content is on disk: a process that is killed leaves
 * temporary files and whole ones.
 * @returns for each file `undefined`, or the system's error why it is not there
 * @throws system errors: the folder cannot be opened
 */
export async function createFiles(
  folder: string,
  files: readonly FileToMake[],
  access: FileAccess,
  operations: FileOperations,
): Promise<readonly unknown[]> {
  const { sync, close } = openFolder(folder, operations);
  try {
    const drafts = files.map((file) => write(folder, file, access, operations));
    await Promise.all(drafts.map((draft) => syncDraft(draft, operations)));
    for (const draft of drafts) name(draft, access, operations);
    try {
      if (drafts.some(({ made }) => made !== undefined)) sync();
    } catch (error) {
      // Whether their names are on disk nobody knows: none of them is made.
      for (const draft of drafts) undo(draft, error, operations);
    }
    return drafts.map(({ error }) => error);
  } finally {
    close();
  }
}

function write(folder: string, file: FileToMake, access: FileAccess, operations: FileOperations): Draft {
  const temporary = temporaryPath(folder);
  try {
    return { file, temporary, descriptor: openNew(temporary, file.bytes, access, operations) };
  } catch (error) {
    return { file, temporary, descriptor: undefined, error };
  }
}

async function syncDraft(draft: Draft, operations: FileOperations): Promise<void> {
  const { descriptor } = draft;
  if (descriptor === undefined) return;
  try {
    await new Promise<void>((resolve, reject) =>
      operations.fsync(descriptor, (error) => (error === null ? resolve() : reject(error))),
    );
  } catch (error) {
    draft.error = error;
  }
  try {
    operations.closeSync(descriptor);
  } catch (error) {
    draft.error ??= error;
  }
}

function name(draft: Draft, access: FileAccess, operations: FileOperations): void {
  const { file, temporary } = draft;
  if (draft.error === undefined) {
    try {
      giveName(temporary, file.path, file.bytes, access, operations);
      draft.made = nodeOf(file.path);
      operations.unlinkSync(temporary);
      return;
    } catch (error) {
      undo(draft, error, operations);
    }
  }
  unlinkQuietly(temporary, operations);
}

function undo(draft: Draft, error: unknown, operations: FileOperations): void {
  draft.error ??= error;
  const { file, made } = draft;
  if (made !== undefined && isSameNode(made, nodeOf(file.path))) unlinkQuietly(file.path, operations);
}
