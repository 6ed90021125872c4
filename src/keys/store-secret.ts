import { statSync } from "node:fs";
import { shellQuote } from "./file-permissions.ts";
import { KeyStoreError, systemErrorCode, systemErrorReason } from "./key-store-errors.ts";
import type { StoreSurroundings } from "./open-key-store.ts";

/** The text of a file that a store's configuration names. @throws {KeyStoreError} */
export function readStoreFile(path: string, readFile: StoreSurroundings["readFile"]): string {
  try {
    return Buffer.from(readFile(path)).toString("utf8");
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new KeyStoreError(`${path} cannot be read: ${systemErrorReason(error)}`, { cause: error });
  }
}

/** The first line of a file that holds a password or a token. @throws {KeyStoreError} every user can read it */
export function readStoreSecret(path: string, readFile: StoreSurroundings["readFile"]): string {
  const [line = ""] = readStoreFile(path, readFile).split(/\r?\n/, 1);
  if (((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0) {
    throw new KeyStoreError(`${path} can be read by every user`, { hint: `run: chmod 600 ${shellQuote(path)}` });
  }
  return line;
}
