import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { NameSyntaxError } from "./domain-name.ts";
import { keyFilePermissionWarnings } from "./file-permissions.ts";
import { type KeyName, parseKeyFileName } from "./key-name.ts";
import type { KeyBackup } from "./key-store.ts";
import { systemErrorCode } from "./key-store-errors.ts";
import { PrivateKeyError, parsePrivateKey } from "./private-key.ts";
import { publicKeyFingerprint } from "./public-key.ts";
import { storeFailure } from "./store-folder.ts";

/** `<key file>.<time>[-<count>].bak` as replacing a key makes it, and what people and editors do. */
const BACKUP = /^(.+\.pem)(?:\.([0-9]{8}T[0-9]{6}Z)(?:-[0-9]+)?)?(?:~|\.(?:bak|old|orig|save))$/;

/** More than any key file has. */
const MAX_OCTETS = 262_144;

/** In order of their file names. @param allowedMode of key files. @throws {KeyStoreError} the folder cannot be listed */
export function listKeyBackups(folder: string, allowedMode: number): KeyBackup[] {
  return folderNames(folder)
    .toSorted()
    .flatMap((fileName) => {
      const [, keyFile, stamp] = BACKUP.exec(fileName) ?? [];
      const name = keyFile === undefined ? undefined : nameOf(keyFile);
      const backup = name && readBackup(join(folder, fileName), name, stamp, allowedMode);
      return backup === undefined ? [] : [backup];
    });
}

function readBackup(
  location: string,
  name: KeyName,
  stamp: string | undefined,
  allowedMode: number,
): KeyBackup | undefined {
  const stats = lstatSync(location, { throwIfNoEntry: false });
  if (stats === undefined || !(stats.isFile() || stats.isSymbolicLink())) return undefined;
  const since = parseStamp(stamp) ?? stats.mtime;
  const fingerprint = readFingerprint(location);
  if (stats.isSymbolicLink()) return { kind: "link", location, name, since, fingerprint, warnings: [] };
  const warnings = keyFilePermissionWarnings(location, stats.mode, allowedMode);
  return { kind: "private-key", location, name, since, fingerprint, warnings };
}

function readFingerprint(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > MAX_OCTETS) return undefined;
    return publicKeyFingerprint(parsePrivateKey(readFileSync(path)).privateKey.publicKey);
  } catch (error) {
    if (error instanceof PrivateKeyError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** `20261121T120000Z`; nothing when that is no time. */
function parseStamp(stamp: string | undefined): Date | undefined {
  if (stamp === undefined) return undefined;
  const time = new Date(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function nameOf(fileName: string): KeyName | undefined {
  try {
    return parseKeyFileName(fileName);
  } catch (error) {
    if (error instanceof NameSyntaxError) return undefined;
    throw error;
  }
}

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw storeFailure(error, folder);
  }
}
