import { accessSync, constants, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type DomainName, NameSyntaxError } from "./domain-name.ts";
import { shellQuote } from "./file-permissions.ts";
import { compareKeyNames, type KeyName, keyFileName, parseKeyFileName } from "./key-name.ts";
import type { KeyProblem, KeyStoreEntry } from "./key-store.ts";
import { systemErrorCode, systemErrorReason } from "./key-store-errors.ts";
import type { Selector } from "./selector.ts";
import { storeFailure } from "./store-folder.ts";

const SUFFIX = ".pem";

/** A file that is named as a key's; whether it is one, `examineKeyFile` tells. */
export interface NamedFile {
  readonly kind: "named";
  readonly name: KeyName;
  readonly location: string;
}

/**
 * The *.pem files of a folder by domain and selector; a name that cannot be a key's is a problem. The names are read at
 * once, since they are to be in order, as one string each; everything else happens when the caller comes to it.
 * @throws {KeyStoreError} the folder is not there or cannot be listed
 */
export function* namedFiles(
  folder: string,
  filter: (name: KeyName) => boolean = () => true,
): Generator<NamedFile | KeyProblem, void, undefined> {
  const prefix = join(folder, SUFFIX).slice(0, -SUFFIX.length);
  for (const fileName of sortedFileNames(folder)) {
    const location = prefix + fileName;
    let name: KeyName;
    try {
      name = parseKeyFileName(fileName);
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      yield { kind: "problem", location, reason: error.message, hint: error.hint };
      continue;
    }
    if (filter(name)) yield { kind: "named", name, location };
  }
}

/** By domain, then selector. */
function sortedFileNames(folder: string): string[] {
  const names = readFolder(folder).filter((name) => name.endsWith(SUFFIX) && !name.startsWith("."));
  return areInOrder(names) ? names : names.sort((a, b) => compareKeyNames(partsOf(a), partsOf(b)));
}

/** Most folders are read in order; to sort such a one would take each name apart twice. */
function areInOrder(names: readonly string[]): boolean {
  let last = partsOf("");
  for (const name of names) {
    const parts = partsOf(name);
    if (compareKeyNames(last, parts) > 0) return false;
    last = parts;
  }
  return true;
}

/** What a file's name is ordered by, be it that of a key or not. */
function partsOf(fileName: string): KeyName {
  const end = fileName.length - SUFFIX.length;
  const divider = fileName.lastIndexOf(".", end - 1);
  const selector = fileName.slice(divider + 1, end);
  return {
    domain: fileName.slice(0, Math.max(divider, 0)) as DomainName,
    selector: (selector.includes("%") ? selector.replaceAll("%2E", ".") : selector) as Selector,
  };
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw storeFailure(error, folder);
  }
}

/** Whether the folder has a file of this name, whatever it is. @throws {KeyStoreError} nobody can tell */
export function isFileThere(folder: string, name: KeyName): boolean {
  try {
    return lstatSync(join(folder, keyFileName(name)), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw storeFailure(error, folder);
  }
}

/** Whether it is a file that can be read, without reading it. */
export function examineKeyFile({ name, location }: NamedFile): KeyStoreEntry {
  const problem = (reason: string, hint?: string): KeyStoreEntry => ({
    kind: "problem",
    name,
    location,
    reason,
    hint,
  });
  try {
    const stats = statSync(location);
    if (stats.isDirectory()) return problem("it is a folder, not a key file", `see inside: ls ${shellQuote(location)}`);
    if (!stats.isFile()) return problem("it is no regular file");
    accessSync(location, constants.R_OK);
    return { kind: "key", name, location };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" && isLink(location)) {
      return problem(
        "it is a symbolic link to a file that is not there",
        `see where it points: readlink ${shellQuote(location)}`,
      );
    }
    const hint = code === "EACCES" ? `see who may: namei -l ${shellQuote(location)}` : undefined;
    return problem(`it cannot be read: ${systemErrorReason(error)}`, hint);
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
