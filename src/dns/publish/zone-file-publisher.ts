import { readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { DkimctlError } from "../../errors.ts";
import { replaceFile } from "../../keys/durable-file.ts";
import { shellQuote } from "../../keys/file-permissions.ts";
import { systemErrorCode, systemErrorReason } from "../../keys/key-store-errors.ts";
import { quoteTxtString, splitTxtStrings } from "../txt-strings.ts";
import { PublishError, type Publisher, requirePlainName } from "./publisher.ts";
import { requireProgram } from "./run-program.ts";
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
      const owner = `${requirePlainName(name).toLowerCase()}.`;
      const origin = requirePlainName(zone).toLowerCase();
      const inZone = (text: string) => text.replaceAll("{zone}", origin);
      const path = inZone(options.file);
      const run = async (command: readonly string[] | undefined) => {
        if (command === undefined) return;
        const { timeLimitMs } = options;
        const env = { ...options.env, DKIMCTL_ZONE: origin };
        await requireProgram({ argv: command.map(inZone), stdin: "", env, timeLimitMs, signal });
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
        await run(options.check);
        isAsked = true;
        await run(options.reload);
      } catch (cause) {
        if (!(cause instanceof DkimctlError)) throw cause;
        try {
          writeLines(path, earlier);
          if (isAsked) raise();
        } catch (error) {
          if (!(error instanceof DkimctlError)) throw error;
          throw new PublishError(`${cause.message}; nor was the file put back: ${error.message}`, { cause });
        }
        // The server may have read the new file all the same.
        if (isAsked) await run(options.reload).catch(() => {});
        const command = (isAsked ? options.reload : options.check)?.map((word) => shellQuote(inZone(word)));
        throw new PublishError(`${cause.message}; ${path} was put back as it was`, {
          cause,
          hint: cause.hint ?? (command && `see what it says: ${command.join(" ")}`),
        });
      }
    },
  };
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
