import { readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { DkimctlError } from "../../errors.ts";
import { replaceFile } from "../../keys/durable-file.ts";
import { shellQuote } from "../../keys/file-permissions.ts";
import { systemErrorCode, systemErrorReason } from "../../keys/key-store-errors.ts";
import { quoteTxtString, splitTxtStrings } from "../txt-strings.ts";
import { PublishError, type Publisher, requirePlainName } from "./publisher.ts";
import { joinedLines, type ProgramCall, requireProgram, runProgram } from "./run-program.ts";
import { raiseSoaSerial, SoaSerialError } from "./soa-serial.ts";

/** In each path and word, `{zone}` is the name of the zone. */
export interface ZoneFilePublisherOptions {
  /** The file that the zone includes. */
  readonly file: string;
  /** The zone's master file, whose SOA record's serial is raised; `undefined`: somebody else does. */
  readonly serialFile?: string | undefined;
  /** Judges the zone before the server is asked to read it: the program and its arguments. */
  readonly check?: readonly string[] | undefined;
  /** Makes the server read it: the program and its arguments. */
  readonly reload?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const HEAD = "; written by dkimctl: each change replaces this file; include it in the zone with $INCLUDE\n";
const FILE_MODE = 0o644;

/**
 * A file of TXT records, one a line with its whole name, replaced in one step; then the serial, then the server's
 * reload. Where a step fails, the file is put back as it was. A serial is never lowered.
 */
export function createZoneFilePublisher(options: ZoneFilePublisherOptions): Publisher {
  return {
    async change({ name, zone, ttlSeconds, before, after }, signal) {
      signal?.throwIfAborted();
      const owner = `${requirePlainName(name).toLowerCase()}.`;
      const origin = requirePlainName(zone).toLowerCase();
      const inZone = (text: string) => text.replaceAll("{zone}", origin);
      const path = inZone(options.file);
      const callOf = (command: readonly string[]) => ({
        argv: command.map(inZone),
        stdin: "",
        env: { ...options.env, DKIMCTL_ZONE: origin },
        timeLimitMs: options.timeLimitMs,
        signal,
      });
      const reload = async (ending?: AbortSignal) => {
        if (options.reload !== undefined) await requireProgram({ ...callOf(options.reload), signal: ending });
      };
      const raise = () => {
        if (options.serialFile !== undefined) raiseSerial(inZone(options.serialFile), options.now());
      };

      const old = readLines(path);
      const listing = (rrset: readonly (readonly string[])[]) => withRecords(old ?? [], owner, ttlSeconds, rrset);
      const lines = listing(after === undefined ? [] : [splitTxtStrings(after)]);
      const isThere = old?.join("\n") === lines.join("\n");
      // What is there may be of an earlier run that was killed: then the DNS tells what was there before.
      const earlier = isThere && before !== undefined ? listing(before) : old;
      let isAsked = false;
      try {
        if (!isThere) writeLines(path, lines);
        raise();
        if (options.check !== undefined) await requireSound(origin, callOf(options.check));
        isAsked = true;
        await reload(signal);
      } catch (cause) {
        if (!(cause instanceof DkimctlError)) throw cause;
        try {
          writeLines(path, earlier);
          if (isAsked) raise();
        } catch (error) {
          if (!(error instanceof DkimctlError)) throw error;
          throw new PublishError(`${cause.message}; nor was the file put back: ${error.message}`, { cause });
        }
        // The server may have read the new file all the same. Whatever asked us to end must not end this half-way.
        if (isAsked) await reload().catch(() => {});
        const said = isAsked && options.reload && `see what it says: ${typed(callOf(options.reload))}`;
        const hint = cause.hint ?? (said || undefined);
        throw new PublishError(`${cause.message}; ${path} was put back as it was`, { cause, hint });
      }
    },
  };
}

async function requireSound(zone: string, call: ProgramCall): Promise<void> {
  const { exitCode, output } = await runProgram(call);
  if (exitCode === 0) return;
  throw new PublishError(`${JSON.stringify(call.argv[0])} refuses the zone ${zone}: ${joinedLines(output)}`, {
    hint: `if this passes now, it was the new record that was refused: ${typed(call)}`,
  });
}

/** As it can be typed. */
function typed({ argv }: ProgramCall): string {
  return argv.map(shellQuote).join(" ");
}

function withRecords(
  lines: readonly string[],
  owner: string,
  ttlSeconds: number,
  rrset: readonly (readonly string[])[],
): string[] {
  const others = lines.filter((line) => !line.toLowerCase().startsWith(`${owner}\t`));
  const own = rrset.map((strings) => `${owner}\t${ttlSeconds}\tIN\tTXT\t${strings.map(quoteTxtString).join(" ")}`);
  return [...others, ...own].sort();
}

/** Our own lines; whatever else stands in the file is somebody's who must be asked. `undefined`: there is no file. */
function readLines(path: string): string[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unwritable(error, path);
  }
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  const foreign = lines.findIndex((line) => !/^[a-z0-9_.-]+\.\t[0-9]+\tIN\tTXT\t".*"$/i.test(line));
  if (foreign >= 0) {
    throw new PublishError(`${path} holds something that dkimctl did not write: it is not replaced`, {
      hint: "give dkimctl a file of its own, and include it in the zone with $INCLUDE",
    });
  }
  return lines;
}

/** @param lines `undefined` removes the file */
function writeLines(path: string, lines: readonly string[] | undefined): void {
  try {
    if (lines === undefined) {
      rmSync(path, { force: true });
    } else {
      const text = `${HEAD}${lines.map((line) => `${line}\n`).join("")}`;
      replaceFile(path, Buffer.from(text, "latin1"), { mode: FILE_MODE });
    }
  } catch (error) {
    throw unwritable(error, path);
  }
}

/** The file keeps its owner and its mode, and a symbolic link to it stays one. */
function raiseSerial(path: string, now: number): void {
  try {
    const file = realpathSync(path);
    const { mode, uid, gid } = statSync(file);
    const raised = raiseSoaSerial(readFileSync(file, "latin1"), now);
    replaceFile(file, Buffer.from(raised, "latin1"), { mode: mode & 0o777, uid, gid });
  } catch (error) {
    if (!(error instanceof SoaSerialError)) throw unwritable(error, path);
    throw new PublishError(`the serial in ${path} cannot be raised: ${error.message}`, {
      cause: error,
      hint: "publish.serial-file must be the master file with the SOA record of the zone",
    });
  }
}

function unwritable(error: unknown, path: string): unknown {
  if (systemErrorCode(error) === undefined) return error;
  return new PublishError(`the zone file ${path} cannot be replaced: ${systemErrorReason(error)}`, { cause: error });
}
