import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import type { ResolverOptions } from "./dns/dns2-resolver.ts";
import type { Resolver } from "./dns/resolver.ts";
import { ExitCode } from "./errors.ts";
import type { DirectoryKeyStoreOptions } from "./keys/directory-key-store.ts";
import type { KeyStore } from "./keys/key-store.ts";
import type { Output } from "./terminal/output.ts";
import { ProcessOutput } from "./terminal/process-output.ts";
import type { Prompter } from "./terminal/prompt.ts";

/** Everything of the outside world that a command may touch. Only this file and bin/ touch `process`. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by Ctrl-C, SIGTERM, SIGHUP or a closed pipe, with an `Interruption` as its reason. */
  readonly signal: AbortSignal;
  /** How many pieces of CPU work may run at once. */
  readonly parallelism: number;
  now(): Date;
  /** @throws whatever `node:fs` throws; "-" is not special here */
  readFile(path: string): Uint8Array;
  openKeyStore(options: DirectoryKeyStoreOptions): Promise<KeyStore>;
  createResolver(options: ResolverOptions): Promise<Resolver>;
  /** `undefined` without a terminal: then a missing answer is a usage error, never a hang. */
  openPrompter(): Promise<Prompter | undefined>;
  /** What `main` returns when nothing is thrown. */
  exitCode: ExitCode;
}

/** Why a run was ended from outside. Not an error to print. */
export class Interruption {
  readonly cause: NodeJS.Signals | "closed pipe";
  constructor(cause: NodeJS.Signals | "closed pipe") {
    this.cause = cause;
  }
}

/** The real world. `endProcess` gives a signal's death back to the shell, after everything was cleaned up. */
export function processContext(): CliContext & { endProcess(): void } {
  const abort = new AbortController();
  const interrupt = (reason: Interruption) => abort.abort(reason);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, () => interrupt(new Interruption(signal)));
  const onClosed = () => interrupt(new Interruption("closed pipe"));
  const stdout = new ProcessOutput({ descriptor: 1, stream: () => process.stdout, onClosed });
  const stderr = new ProcessOutput({ descriptor: 2, stream: () => process.stderr, onClosed, after: stdout });
  return {
    env: process.env,
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    signal: abort.signal,
    get parallelism() {
      return availableParallelism();
    },
    now: () => new Date(),
    readFile: (path) => readFileSync(path),
    async openKeyStore(options) {
      const { DirectoryKeyStore } = await import("./keys/directory-key-store.ts");
      return new DirectoryKeyStore(options);
    },
    async createResolver(options) {
      const { createResolver } = await import("./dns/dns2-resolver.ts");
      return createResolver(options);
    },
    async openPrompter() {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
      const { createPrompter } = await import("./terminal/prompt.ts");
      return createPrompter({ input: process.stdin, output: process.stderr, signal: abort.signal });
    },
    exitCode: ExitCode.ok,
    endProcess() {
      stdout.flush();
      const { reason } = abort.signal;
      if (reason instanceof Interruption && reason.cause !== "closed pipe") {
        // The shell must see death by this signal, so that a loop around us ends too.
        process.kill(process.pid, reason.cause);
      }
    },
  };
}
