import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { FileOperations } from "./file-operations.ts";
import { temporaryPath, unlinkQuietly } from "./temporary-file.ts";

/**
 * Takes a name away from a key file that lives on under the names that link to it: the first of them becomes the file,
 * the others link to that. Wherever this is cut off, each of the names leads to the key.
 * @param sync makes the folder's entries durable
 * @returns false: nothing links to it, or it is a link itself; nothing was changed
 */
export function handOverKeyFile(location: string, operations: FileOperations, sync: () => void): boolean {
  if (!lstatSync(location).isFile()) return false;
  const [heir, ...others] = linksTo(location);
  if (heir === undefined) return false;
  for (const other of others) {
    const temporary = temporaryPath(dirname(location));
    try {
      operations.symlinkSync(basename(heir), temporary);
      operations.renameSync(temporary, other);
    } catch (error) {
      unlinkQuietly(temporary, operations);
      throw error;
    }
  }
  sync();
  operations.renameSync(location, heir);
  sync();
  return true;
}

/** The names of the folder that lead to the file, in order. */
function linksTo(location: string): string[] {
  const folder = dirname(location);
  const file = realpathSync(location);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink() && entry.name.endsWith(".pem"))
    .map(({ name }) => join(folder, name))
    .filter((link) => leadsTo(link, file))
    .sort();
}

function leadsTo(link: string, file: string): boolean {
  try {
    return realpathSync(link) === file;
  } catch {
    // It leads nowhere, and so not here.
    return false;
  }
}
