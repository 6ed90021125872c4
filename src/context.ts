import { readFileSync } from "node:fs";
import { availableParallelism, uptime } from "node:os";
import type { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ResolverOptions, ServerPool } from "./dns/dns2-resolver.ts";
import type { Resolver } from "./dns/resolver.ts";
import { type DkimctlError, ExitCode, OperationError } from "./errors.ts";
import type { KeyStore } from "./keys/key-store.ts";
import { systemErrorReason } from "./keys/key-store-errors.ts";
import type { KeyStoreOptions } from "./keys/open-key-store.ts";
import type { ClockReading } from "./rotation/host-clock.ts";
import type { JournalStore } from "./rotation/journal-store.ts";
import { RunEnd } from "./run-end.ts";
import type { Output } from "./terminal/output.ts";
import { ProcessOutput } from "./terminal/process-output.ts";
import type { Prompter } from "./terminal/prompt.ts";

/** Everything of the outside world that a command may touch. Only this file and bin/ touch `process`. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /**
   * Aborted by Ctrl-C, SIGTERM, SIGHUP or a closed pipe, with an `Interruption` as its reason; or by what failed outside
   * of every promise, with that error.
   */
  readonly signal: AbortSignal;
  /** @throws the reason of `signal`, once it is aborted; like `onEnd`, it does without the signal, which takes time to make */
  throwIfEnded(): void;
  /** Tells the reason of `signal` when that is aborted, at once if it is already. */
  onEnd(listener: (reason: unknown) => void): void;
  /** How many pieces of CPU work may run at once. */
  readonly parallelism: number;
  now(): Date;
  /** The clock beside one that nobody can set; `undefined` where the system has none that tells of restarts. */
  readClock(): Omit<ClockReading, "setAt"> | undefined;
  /** @throws whatever `node:fs` throws; "-" is not special here */
  readFile(path: string): Uint8Array;
  openKeyStore(options: KeyStoreOptions): Promise<KeyStore>;
  /** The journals of the keys' rotation. @param options as the store was opened with */
  openJournalStore(options: KeyStoreOptions, store: KeyStore): Promise<JournalStore>;
  createResolver(options: ResolverOptions): Promise<Resolver>;
  /** For asking single servers, such as the authoritative ones of a zone. */
  createServerPool(options: Omit<ResolverOptions, "servers" | "rotate">): Promise<ServerPool>;
  /** `undefined` without a terminal: then a missing answer is a usage error, never a hang. */
  openPrompter(): Promise<Prompter | undefined>;
  /** For runs over very many keys: from now on, what is done with is cleared away before it doubles what is in use. */
  preferMemory(): void;
  /** What a run has opened that would keep the process alive; `main` calls each when the command has ended, the last first. */
  readonly closers: (() => Promise<void>)[];
  /**
   * Set by a command that has words of its own for what ends its run, be it the command line.
   * @returns the exit status, when it has told the failure; `undefined`: it is told as every other
   */
  tellFailure?: (failure: DkimctlError, argv: readonly string[]) => ExitCode | undefined;
  /** What `main` returns when nothing is thrown. */
  exitCode: ExitCode;
}

/** Linux tells a new random number after each restart. */
const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

function readClock(): Omit<ClockReading, "setAt"> | undefined {
  try {
    const bootId = readFileSync(BOOT_ID_FILE, "latin1").trim();
    return { now: Date.now(), bootId, uptimeMs: uptime() * 1000 };
  } catch {
    return undefined;
  }
}

/** Why a run was ended from outside. Not an error to print. */
export class Interruption {
  readonly cause: NodeJS.Signals | "closed pipe";
  constructor(cause: NodeJS.Signals | "closed pipe") {
    this.cause = cause;
  }
}

/** The real world, and how to leave it. */
export interface ProcessContext extends CliContext {
  /**
   * To be awaited when `main` has answered: all output is written, and a signal's death is given to the shell.
   * @returns what failed since then, or so late that `main` did not see it, if anything did
   */
  endProcess(): Promise<unknown>;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The shell must see death by this signal, so that a loop around us ends too. */
function dieOf(signal: NodeJS.Signals): void {
  for (const each of SIGNALS) process.removeAllListeners(each);
  process.kill(process.pid, signal);
}

/**
 * The process's own streams, clock and signals. To be called once. Signals are listened to as soon as somebody wants to
 * know of them, and until then end the process as they would end any other.
 */
export function processContext(): ProcessContext {
  const runEnd = new RunEnd();
  const end = (reason: unknown) => runEnd.end(reason);
  let listens = false;
  const listen = () => {
    if (listens) return;
    listens = true;
    // Not `once`: what inquirer listens with kills the process at once when nobody else listens any more.
    for (const signal of SIGNALS) process.on(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (runEnd.hasCome) dieOf(signal);
    else end(new Interruption(signal));
  };
  process.on("uncaughtException", end);
  const output = (name: string) => ({
    onFailure(error: NodeJS.ErrnoException) {
      if (error.code === "EPIPE") end(new Interruption("closed pipe"));
      else end(new OperationError(`cannot write ${name}: ${systemErrorReason(error)}`, { cause: error }));
    },
  });
  const stdout = new ProcessOutput({ ...output("standard output"), descriptor: 1, stream: () => process.stdout });
  const stderr = new ProcessOutput({
    ...output("standard error"),
    descriptor: 2,
    stream: () => process.stderr,
    after: stdout,
  });
  return {
    env: process.env,
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    get signal() {
      listen();
      return runEnd.signal;
    },
    throwIfEnded: () => runEnd.throwIfEnded(),
    onEnd(listener) {
      listen();
      runEnd.onEnd(listener);
    },
    get parallelism() {
      return availableParallelism();
    },
    now: () => new Date(),
    readClock,
    readFile: (path) => readFileSync(path),
    async openKeyStore(options) {
      const { openKeyStore } = await import("./keys/open-key-store.ts");
      return openKeyStore(options, this);
    },
    async openJournalStore(options, store) {
      const { openJournalStore } = await import("./rotation/open-journal-store.ts");
      return openJournalStore(options, store);
    },
    async createResolver(options) {
      const { createResolver } = await import("./dns/dns2-resolver.ts");
      return createResolver(options);
    },
    async createServerPool(options) {
      const { createServerPool } = await import("./dns/dns2-resolver.ts");
      return createServerPool(options);
    },
    async openPrompter() {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
      // The terminal must be put back as it was before a signal ends the process.
      listen();
      const { createPrompter } = await import("./terminal/prompt.ts");
      const prompter = createPrompter({
        input: process.stdin,
        output: process.stderr,
        signal: runEnd.signal,
        // A terminal in raw mode sends Ctrl-C as a key, not as a signal.
        interrupt: () => end(new Interruption("SIGINT")),
      });
      this.closers.push(() => prompter.closed());
      return prompter;
    },
    preferMemory() {
      // V8 lets four times what is in use gather. It reads this when it clears, and nowhere else; as an option of node, it
      // would cost every start V8's caches of Node's own code.
      setFlagsFromString("--heap-growing-percent=50");
      // What it allowed itself when it last cleared, it would still use up.
      setFlagsFromString("--expose-gc");
      runInNewContext("gc")();
    },
    closers: [],
    exitCode: ExitCode.ok,
    async endProcess() {
      await Promise.all([stdout.flushed(), stderr.flushed()]);
      const { reason } = runEnd;
      if (!(reason instanceof Interruption)) return runEnd.wasThrown ? undefined : reason;
      if (reason.cause !== "closed pipe") dieOf(reason.cause);
      return undefined;
    },
  };
}
