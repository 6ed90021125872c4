import { type Dirent, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { NameSyntaxError } from "./domain-name.ts";
import { realPathIfKnown } from "./file-permissions.ts";
import { compareKeyNames, type KeyName, parseKeyFileName } from "./key-name.ts";
import { systemErrorCode } from "./key-store-errors.ts";

/** Which names of a folder of keys are symbolic links to which others. The folder is listed once, when first asked. */
export class KeyLinks {
  readonly #folder: string;
  #linksTo: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Forgets the listing, so that the next look sees what has changed. */
  refresh(): void {
    this.#linksTo = undefined;
  }

  /** The names that stand for the key in this file of the folder, by way of others too, but its own. In order. */
  namesOf(fileName: string): KeyName[] {
    this.#linksTo ??= listLinks(this.#folder);
    const found = new Set<string>();
    const open = [fileName];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      for (const link of this.#linksTo.get(file) ?? []) {
        if (found.has(link) || link === fileName) continue;
        found.add(link);
        open.push(link);
      }
    }
    return [...found].flatMap(keyNameOf).sort(compareKeyNames);
  }
}

/** From the name of a file to those of the links that name it. */
function listLinks(folder: string): ReadonlyMap<string, readonly string[]> {
  const links = new Map<string, string[]>();
  const realFolder = realPathIfKnown(folder) ?? resolve(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const target = entry.isSymbolicLink() ? targetOf(entry, folder, realFolder) : undefined;
    if (target === undefined) continue;
    const others = links.get(target);
    if (others === undefined) links.set(target, [entry.name]);
    else others.push(entry.name);
  }
  return links;
}

/** The name in the folder that a link leads to, be it by way of a link elsewhere; `undefined`: there is none. */
function targetOf({ name }: Dirent, folder: string, realFolder: string): string | undefined {
  try {
    const target = resolve(realFolder, readlinkSync(join(folder, name)));
    if (dirname(target) === realFolder || realpathSync(dirname(target)) === realFolder) return basename(target);
    const file = realpathSync(target);
    return dirname(file) === realFolder ? basename(file) : undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

function keyNameOf(fileName: string): KeyName[] {
  try {
    return [parseKeyFileName(fileName)];
  } catch (error) {
    if (error instanceof NameSyntaxError) return [];
    throw error;
  }
}
