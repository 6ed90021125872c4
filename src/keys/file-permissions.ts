import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { formatFileMode } from "./file-access.ts";

/*
 * What is too open, one sentence each with the command that mends it. A folder in which others can write lets them
 * replace the key; a sticky one (/tmp) does not, yet it lets them add keys when it is the folder of the keys itself.
 */

/** @param allowedMode the mode that key files are configured to have */
export function keyFilePermissionWarnings(path: string, mode: number, allowedMode: number): string[] {
  const permissions = mode & 0o777;
  // A signer that runs as another user reads the key by its group: that is no fault, whatever is configured.
  const allowed = allowedMode | 0o040;
  const writable = whoElse(permissions, 0o020, 0o002);
  const readable = whoElse(permissions & ~allowed, 0o040, 0o004);
  if (writable === undefined && readable === undefined) return [];
  const faults = [
    readable === undefined ? [] : [`be read by ${readable}`],
    writable === undefined ? [] : [`be changed by ${writable}`],
  ].flat();
  const mended = (permissions & (allowed | 0o700) & ~0o133) | 0o400;
  return [
    `${path} can ${faults.join(" and ")} (mode ${formatFileMode(permissions)}); run: chmod ${formatFileMode(mended)} ${shellQuote(path)}`,
  ];
}

/** The warnings for `folder` and every folder above it in its path. @param folder free of symbolic links */
export function folderPermissionWarnings(folder: string): string[] {
  const warnings: string[] = [];
  for (let path = folder, inner: string | undefined; path !== inner; inner = path, path = dirname(path)) {
    const warning = folderPermissionWarning(path, { holdsKeys: path === folder });
    if (warning !== undefined) warnings.push(warning);
  }
  return warnings;
}

function folderPermissionWarning(path: string, { holdsKeys }: { holdsKeys: boolean }): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const writable = whoElse(stats.mode, 0o020, 0o002);
  const sticky = (stats.mode & 0o1000) !== 0;
  if (writable === undefined || (sticky && !holdsKeys)) return undefined;
  const letters = ((stats.mode & 0o020) !== 0 ? "g" : "") + ((stats.mode & 0o002) !== 0 ? "o" : "");
  const mode = formatFileMode(stats.mode & 0o1777);
  return `the folder ${path} can be written by ${writable} (mode ${mode}), who could put other keys there; run: chmod ${letters}-w ${shellQuote(path)}`;
}

function whoElse(mode: number, groupBit: number, othersBit: number): string | undefined {
  if ((mode & groupBit) !== 0) return (mode & othersBit) !== 0 ? "group and others" : "the group";
  return (mode & othersBit) !== 0 ? "others" : undefined;
}

/**
 * The path without symbolic links; `undefined` where it cannot be known: nothing is there, or one works in a folder below
 * another that one cannot look into.
 */
export function realPathIfKnown(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** One word for a POSIX shell, to be shown to a person; control characters in the form that bash and ksh read. */
export function shellQuote(word: string): string {
  if (/^[A-Za-z0-9_./:@%+=-]+$/.test(word)) return word;
  if (!/[\x00-\x1f\x7f-\x9f]/.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`;
  const escaped = word.replace(/[\\'\x00-\x1f\x7f-\x9f]/g, (c) =>
    c === "\\" || c === "'" ? `\\${c}` : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `$'${escaped}'`;
}
