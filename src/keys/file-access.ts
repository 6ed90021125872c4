import { readFileSync } from "node:fs";
import { getegid, geteuid, getgroups } from "node:process";
import { quoteName } from "./domain-name.ts";
import { FileAccessError } from "./key-store-errors.ts";

/** What a file is given before it has its name. */
export interface FileAccess {
  readonly mode: number;
  /** `undefined`: as the process creates it. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** Who may read the key files that are made: a signer often runs as another user. */
export interface FileAccessOptions {
  /** Permission bits, default 0600. Modes that let others read, or group or others write, need `allowInsecurePermissions`. */
  readonly mode?: number | undefined;
  /** A user's name or number. */
  readonly owner?: string | undefined;
  /** A group's name or number. */
  readonly group?: string | undefined;
  readonly allowInsecurePermissions?: boolean | undefined;
}

export const DEFAULT_KEY_MODE = 0o600;

/**
 * The mode in text such as `0640` or `640`.
 * @throws {FileAccessError} not three octal digits with an optional zero before them
 */
export function parseFileMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) {
    throw new FileAccessError(`${quoteName(text)} is not a file mode`, { hint: "write it in octal: 0600 or 0640" });
  }
  return Number.parseInt(text, 8);
}

/** `0640`, as chmod reads it. */
export function formatFileMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/**
 * The options with names resolved and rights proven, before anything is made.
 * @throws {FileAccessError} an insecure mode, an unknown name, or an owner or group that this process may not give
 */
export function resolveFileAccess(options: FileAccessOptions = {}): FileAccess {
  const { mode = DEFAULT_KEY_MODE, owner, group, allowInsecurePermissions = false } = options;
  requireKeyMode(mode, allowInsecurePermissions);
  const uid = owner === undefined ? undefined : resolveId(owner, "user", "/etc/passwd");
  const gid = group === undefined ? undefined : resolveId(group, "group", "/etc/group");
  const self = geteuid?.();
  if (self !== undefined && self !== 0) {
    if (uid !== undefined && uid !== self) {
      throw new FileAccessError(`only root can make user ${quoteName(owner ?? "")} the owner of a file`, {
        hint: `run as root, or as ${owner}, or leave the owner out`,
      });
    }
    if (gid !== undefined && gid !== getegid?.() && !getgroups?.().includes(gid)) {
      throw new FileAccessError(
        `this user is not in the group ${quoteName(group ?? "")}, and cannot give files to it`,
        {
          hint: `run as root, or join the group: usermod --append --groups ${group} USER`,
        },
      );
    }
  }
  return { mode, uid, gid };
}

function requireKeyMode(mode: number, allowInsecurePermissions: boolean): void {
  const shown = formatFileMode(mode);
  if (!Number.isInteger(mode) || mode < 0 || (mode & ~0o666) !== 0 || (mode & 0o400) === 0) {
    throw new FileAccessError(`mode ${shown} is not one for a key file: its owner reads it, and nobody runs it`, {
      hint: "use 0600, or 0640 with a group that the signer is in",
    });
  }
  if ((mode & 0o026) !== 0 && !allowInsecurePermissions) {
    const fault = (mode & 0o004) !== 0 ? "every user of this machine read" : "users other than the owner change";
    throw new FileAccessError(`mode ${shown} would let ${fault} the private key`, {
      hint: "use 0640 with --group GROUP of the signer, or insist with --insecure-permissions",
    });
  }
}

/** passwd(5) and group(5): name, password, number. */
function resolveId(name: string, kind: "user" | "group", file: string): number {
  if (/^[0-9]{1,10}$/.test(name) && Number(name) < 0xffffffff) return Number(name);
  let lines: string[] = [];
  try {
    lines = readFileSync(file, "utf8").split("\n");
  } catch {
    // Without the file no name is known; numbers still are.
  }
  for (const line of lines) {
    const [entry, , id] = line.split(":");
    if (entry === name && id !== undefined && /^[0-9]+$/.test(id)) return Number(id);
  }
  throw new FileAccessError(`there is no ${kind} ${quoteName(name)} in ${file}`, {
    hint: `check the spelling; a ${kind} kept elsewhere (LDAP) is given by its number, see: id ${kind === "user" ? "USER" : "-g USER"}`,
  });
}
