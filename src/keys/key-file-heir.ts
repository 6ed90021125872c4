import { basename, dirname } from "node:path";
import type { FileOperations } from "./file-operations.ts";
import { temporaryPath, unlinkQuietly } from "./temporary-file.ts";

/**
 * Takes a name away from a key file, or from a link to one, that lives on under the names that link to it: the first of
 * them takes its place, the others link to that. Wherever this is cut off, each of the names leads to the key.
 * @param links the paths of those names, in the folder of the file
 * @param sync makes the folder's entries durable
 * @returns false: nothing links to it, and nothing was changed
 */
export function handOverKeyFile(
  location: string,
  [heir, ...others]: readonly string[],
  operations: FileOperations,
  sync: () => void,
): boolean {
  if (heir === undefined) return false;
  // It may link to one of the others.
  relink(heir, location, operations);
  for (const other of others) relink(other, heir, operations);
  sync();
  operations.renameSync(location, heir);
  sync();
  return true;
}

/** A link to another name of its folder, in place of the one that was there. */
function relink(link: string, target: string, operations: FileOperations): void {
  const temporary = temporaryPath(dirname(link));
  try {
    operations.symlinkSync(basename(target), temporary);
    operations.renameSync(temporary, link);
  } catch (error) {
    unlinkQuietly(temporary, operations);
    throw error;
  }
}
