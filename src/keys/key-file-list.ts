import { accessSync, constants, type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { NameSyntaxError } from "./domain-name.ts";
import { shellQuote } from "./file-permissions.ts";
import { type KeyName, parseKeyFileName } from "./key-name.ts";
import type { KeyStoreEntry } from "./key-store.ts";
import { systemErrorCode, systemErrorReason } from "./key-store-errors.ts";
import { storeFailure } from "./store-folder.ts";

/**
 * The keys of a folder and what looks like one and is none, by domain and selector. The names are read at once, since
 * they are to be in order, as one string each; everything else happens when the caller comes to it.
 * @throws {KeyStoreError} the folder is not there or cannot be listed
 */
export function* listKeyFiles(
  folder: string,
  filter: (name: KeyName) => boolean = () => true,
): Generator<KeyStoreEntry, void, undefined> {
  for (const entry of sortedEntries(folder)) {
    const fileName = entry.slice(entry.lastIndexOf("\0") + 2);
    const location = join(folder, fileName);
    let name: KeyName;
    try {
      name = parseKeyFileName(fileName);
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      yield { kind: "problem", location, reason: error.message, hint: error.hint };
      continue;
    }
    if (filter(name)) yield keyFileEntry(name, location, entry.charAt(entry.lastIndexOf("\0") + 1));
  }
}

/** `<domain> NUL <selector> NUL <kind><file name>`: plain string order is the order of names, and costs little memory. */
function sortedEntries(folder: string): string[] {
  const entries: string[] = [];
  for (const entry of readFolder(folder)) {
    const { name } = entry;
    if (!name.endsWith(".pem") || name.startsWith(".")) continue;
    const stem = name.slice(0, -".pem".length);
    const dot = stem.lastIndexOf(".");
    const selector = stem.slice(dot + 1).replaceAll("%2E", ".");
    entries.push(`${stem.slice(0, Math.max(dot, 0))}\0${selector}\0${kindOf(entry)}${name}`);
  }
  return entries.sort();
}

function kindOf(entry: Dirent): string {
  return entry.isFile() ? "f" : entry.isSymbolicLink() ? "l" : "o";
}

function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw storeFailure(error, folder);
  }
}

/** @param kind as `kindOf` has it */
function keyFileEntry(name: KeyName, location: string, kind: string): KeyStoreEntry {
  const problem = (reason: string, hint?: string): KeyStoreEntry => ({
    kind: "problem",
    name,
    location,
    reason,
    hint,
  });
  let isFile = kind === "f";
  try {
    if (!isFile) {
      const stats = statSync(location);
      if (stats.isDirectory())
        return problem("it is a folder, not a key file", `see inside: ls ${shellQuote(location)}`);
      isFile = stats.isFile();
    }
    if (!isFile) return problem("it is no regular file");
    accessSync(location, constants.R_OK);
    return { kind: "key", name, location };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" && kind === "l") {
      return problem(
        "it is a symbolic link to a file that is not there",
        `see where it points: readlink ${shellQuote(location)}`,
      );
    }
    const hint = code === "EACCES" ? `see who may: namei -l ${shellQuote(location)}` : undefined;
    return problem(`it cannot be read: ${systemErrorReason(error)}`, hint);
  }
}
