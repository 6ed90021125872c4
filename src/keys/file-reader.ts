import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { execPath, geteuid } from "node:process";
import { OperationError, UsageError } from "../errors.ts";
import { quoteName } from "./domain-name.ts";
import { formatFileMode } from "./file-access.ts";

/*
 * Whether another user can read a file. The kernel is asked, by a child process that becomes this user, with all its
 * groups: computed from modes, the answer would know nothing of ACLs, of security modules, or of file systems across the
 * network that do not heed root. (setpriv(1) would do, but not every system has it; node's own uid and gid options for
 * child processes drop the other groups; and seteuid() here would change every thread's user in mid-work.) What systemd
 * hides from a daemon or gives it beside its user is not seen.
 */

/** A user of this system. */
export interface FileReader {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export type Readability =
  | { readonly kind: "readable" }
  /** `reason`: one sentence, with the folder that bars the way or the file's mode. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Only root, or the user, can tell. */
  | { readonly kind: "unknown" };

/**
 * The user of this name or number; `undefined` when there is none.
 * @throws {UsageError} text that cannot be a user
 */
export async function findUser(name: string): Promise<FileReader | undefined> {
  // What starts with "-" would be an option of id(1).
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,255}\$?$/.test(name)) throw new UsageError(`${quoteName(name)} is not a user`);
  const ids = await Promise.all(["-u", "-g", "-un"].map((option) => run("id", [option, name])));
  const [uid, gid] = ids.map((text) => (text !== undefined && /^[0-9]+\n$/.test(text) ? Number(text) : undefined));
  // The other groups are found by name alone.
  return uid === undefined || gid === undefined ? undefined : { name: ids[2]?.trim() || name, uid, gid };
}

/** The answer for each path, in their order. Paths that do not exist are unreadable. */
export async function testReading(paths: readonly string[], reader: FileReader): Promise<Readability[]> {
  const self = geteuid?.();
  if (self === reader.uid && self !== 0) return paths.map((path) => explain(reader, openFault(path)));
  if (self !== 0) return paths.map(() => ({ kind: "unknown" }));
  const output = await run(execPath, ["-e", CHILD], JSON.stringify({ ...reader, paths }));
  const faults = output === undefined ? undefined : (JSON.parse(output) as (Fault | null)[]);
  if (faults === undefined || faults.length !== paths.length) {
    throw new OperationError(`cannot test what user ${reader.name} can read`);
  }
  return paths.map((_, index) => explain(reader, faults[index] ?? undefined));
}

interface Fault {
  readonly code: string;
  /** The first part of the path that it concerns. */
  readonly at: string;
  /** That part could not even be looked at. */
  readonly hidden: boolean;
  /** It is a link. */
  readonly link?: boolean;
}

const CHILD = `
const fs = require("node:fs"), path = require("node:path");
const { name, uid, gid, paths } = JSON.parse(fs.readFileSync(0, "utf8"));
process.initgroups(name, gid); process.setgid(gid); process.setuid(uid);
const prefixes = (file) => file === path.dirname(file) ? [file] : [...prefixes(path.dirname(file)), file];
console.log(JSON.stringify(paths.map((file) => {
  let at = file, hidden = true;
  try {
    for (const prefix of prefixes(file)) { at = prefix; fs.statSync(prefix); }
    hidden = false;
    fs.closeSync(fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
    return null;
  } catch (error) {
    let link = false;
    try { link = fs.lstatSync(at).isSymbolicLink(); } catch {}
    return { code: error.code, at, hidden, link };
  }
})));`;

function openFault(path: string): Fault | undefined {
  let hidden = true;
  try {
    statSync(path);
    hidden = false;
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return { code: error instanceof Error && "code" in error ? String(error.code) : "EIO", at: path, hidden };
  }
}

function explain({ name }: FileReader, fault: Fault | undefined): Readability {
  if (fault === undefined) return { kind: "readable" };
  const { code, at, hidden, link } = fault;
  if (code !== "EACCES") return { kind: "unreadable", reason: `user ${name} gets ${code} at ${at}` };
  if (hidden && link) return { kind: "unreadable", reason: `user ${name} cannot reach what ${at} links to` };
  const barrier = hidden ? dirname(at) : at;
  const verb = hidden ? "look into" : "read";
  return { kind: "unreadable", reason: `user ${name} cannot ${verb} ${barrier}${describe(barrier)}` };
}

function describe(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined
    ? ""
    : ` (mode ${formatFileMode(stats.mode & 0o777)}, owner ${stats.uid}, group ${stats.gid})`;
}

function run(program: string, parameters: readonly string[], input = ""): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(program, [...parameters], { maxBuffer: 1 << 26 }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
    child.stdin?.on("error", () => {}).end(input);
  });
}
