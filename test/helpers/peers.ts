import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Whether tests that need these programs must be skipped, and why. With DKIMCTL_REQUIRE_PEERS=1 nothing is skipped: the tests
 * then fail by themselves, and CI notices.
 */
export function requirePeer(...binaries: readonly string[]): { skip: boolean; reason: string } {
  const missing = binaries.filter((binary) => findBinary(binary) === undefined);
  const reason = missing.length === 0 ? "" : `not installed: ${missing.join(", ")}`;
  return { skip: missing.length > 0 && process.env.DKIMCTL_REQUIRE_PEERS !== "1", reason };
}

/** The path of a program; Debian keeps daemons where a user's PATH does not look. */
export function findBinary(binary: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, binary)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
