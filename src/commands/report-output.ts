import { closeSync, fchmodSync, fsyncSync, lstatSync, openSync, realpathSync, renameSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CliContext } from "../context.ts";
import { OperationError } from "../errors.ts";
import { withSyncedFolder } from "../keys/durable-file.ts";
import { fileOperations } from "../keys/file-operations.ts";
import { sweepTemporaryFiles, temporaryPath, unlinkQuietly } from "../keys/temporary-file.ts";
import type { Output } from "../terminal/output.ts";

/** Where a report goes. Nothing is at its place before `commit`, and nothing is left of it after `discard`. */
export interface ReportOutput extends Pick<Output, "write" | "drained" | "isTTY"> {
  /** @throws {OperationError} */
  commit(): void;
  discard(): void;
}

/** So much is kept before it is written. */
const BUFFER_CHARACTERS = 1 << 16;

/**
 * The report's place: a file that is replaced in one step, or without a path (or for `-`) standard output.
 * @param hold keep what standard output would get until `commit`, for a report that may not be wanted
 */
export function openReportOutput(path: string | undefined, hold: boolean, cli: CliContext): ReportOutput {
  if (path === undefined || path === "-") return hold ? heldOutput(cli) : directOutput(cli);
  return explaining(path, () => openFile(path, cli.signal));
}

function directOutput({ stdout }: CliContext): ReportOutput {
  return {
    write: (text) => stdout.write(text),
    drained: () => stdout.drained(),
    isTTY: stdout.isTTY,
    commit() {},
    discard() {},
  };
}

function heldOutput({ stdout }: CliContext): ReportOutput {
  const parts: string[] = [];
  return {
    write: (text) => parts.push(text),
    drained: async () => {},
    isTTY: stdout.isTTY,
    commit: () => stdout.write(parts.join("")),
    discard: () => parts.splice(0),
  };
}

/** A sibling takes the text and then the name, so that a reader sees the old report or the new one, whole. */
function openFile(path: string, signal: AbortSignal): ReportOutput {
  const target = resolveTarget(path);
  const isPlace = target.kind !== "special";
  if (isPlace) sweepTemporaryFiles(dirname(target.path));
  const written = isPlace ? temporaryPath(dirname(target.path)) : target.path;
  // As for any report, who may read it is the umask's to say; a file that is replaced keeps its mode.
  const descriptor = openSync(written, isPlace ? "wx" : "w", 0o666);
  let buffer = "";
  let isOpen = true;
  const flush = () => {
    const octets = Buffer.from(buffer, "utf8");
    buffer = "";
    for (let done = 0; done < octets.length; ) done += writeSync(descriptor, octets, done);
  };
  const close = () => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
    signal.removeEventListener("abort", discard);
  };
  const discard = () => {
    if (!isOpen) return;
    close();
    if (isPlace) unlinkQuietly(written, fileOperations);
  };
  signal.addEventListener("abort", discard, { once: true });
  return {
    write(text) {
      buffer += text;
      if (isOpen && buffer.length >= BUFFER_CHARACTERS) explaining(path, flush);
    },
    drained: async () => {},
    isTTY: false,
    commit() {
      if (!isOpen) return;
      explaining(path, () => {
        flush();
        if (target.kind === "file") fchmodSync(descriptor, target.mode);
        if (isPlace) fsyncSync(descriptor);
        close();
        if (!isPlace) return;
        withSyncedFolder(dirname(target.path), fileOperations, (sync) => {
          renameSync(written, target.path);
          sync();
        });
      });
    },
    discard,
  };
}

type Target =
  | { readonly kind: "new" | "special"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly mode: number };

/** A link's target is replaced, not the link; a device or a pipe is written to. */
function resolveTarget(path: string): Target {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return { kind: "new", path: resolve(path) };
  if (stats.isSymbolicLink()) return resolveTarget(realpathSync(path));
  if (stats.isFile()) return { kind: "file", path: resolve(path), mode: stats.mode & 0o777 };
  return { kind: "special", path };
}

function explaining<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^[A-Z]+: ([^,]*).*$/, "$1") : String(error);
    throw new OperationError(`cannot write ${JSON.stringify(path)}: ${reason}`, { cause: error });
  }
}
