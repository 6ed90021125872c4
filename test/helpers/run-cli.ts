import { setMaxListeners } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import type { CliContext } from "../../src/context.ts";
import type { ResolverOptions, ServerPool } from "../../src/dns/dns2-resolver.ts";
import type { Resolver } from "../../src/dns/resolver.ts";
import type { KeyStore } from "../../src/keys/key-store.ts";
import { openKeyStore } from "../../src/keys/open-key-store.ts";
import { main } from "../../src/main.ts";
import { openJournalStore } from "../../src/rotation/open-journal-store.ts";
import type { Output } from "../../src/terminal/output.ts";
import type { Prompter } from "../../src/terminal/prompt.ts";

export interface RunCliOptions {
  /** The store's folder; a fresh one when missing. */
  readonly store?: string;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly now?: Date;
  readonly clock?: ReturnType<CliContext["readClock"]>;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly resolver?: Resolver;
  readonly readFile?: CliContext["readFile"];
  /** Stands between a command and the store of the test. */
  readonly keyStore?: (store: KeyStore) => KeyStore;
  /** Instead of `resolver`: one that is made as the options say. */
  readonly createResolver?: (options: ResolverOptions) => Resolver;
  /** For the authoritative servers. */
  readonly pool?: ServerPool;
  readonly prompter?: Prompter;
  readonly signal?: AbortSignal;
}

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** File names in the store, sorted, hidden ones left out. */
  readonly files: string[];
  readonly store: string;
}

/** A temporary folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function unendingSignal(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return signal;
}

/** Runs a command line in this process, on a real folder, with everything else given. */
export async function runCli(argv: readonly string[], options: RunCliOptions = {}): Promise<CliResult> {
  const store = options.store ?? temporaryFolder();
  const stdout = collector(options);
  const stderr = collector(options);
  const signal = options.signal ?? unendingSignal();
  const cli: CliContext = {
    env: { DKIMCTL_STORE: store, DKIMCTL_CONFIG: join(store, ".no-config.toml"), ...options.env },
    stdin: Readable.from([Buffer.from(options.stdin ?? "")]) as CliContext["stdin"],
    stdout,
    stderr,
    signal,
    throwIfEnded: () => signal.throwIfAborted(),
    onEnd: (listener) => signal.addEventListener("abort", () => listener(signal.reason), { once: true }),
    parallelism: 2,
    preferMemory() {},
    now: () => options.now ?? new Date("2026-11-21T12:00:00Z"),
    readClock: () => options.clock,
    readFile: options.readFile ?? ((path) => readFileSync(path)),
    async openKeyStore(settings) {
      const keyStore = await openKeyStore(settings, this);
      return options.keyStore?.(keyStore) ?? keyStore;
    },
    openJournalStore,
    createResolver: async (settings) => {
      if (options.createResolver !== undefined) return options.createResolver(settings);
      if (options.resolver === undefined) throw new Error("this test gave no resolver");
      return options.resolver;
    },
    createServerPool: async () => options.pool ?? { connect: noPool, close: async () => {} },
    openPrompter: async () => options.prompter,
    closers: [],
    exitCode: 0,
  };
  if (options.env?.DKIMCTL_CONFIG === undefined) writeFileSync(join(store, ".no-config.toml"), "");
  const exitCode = await main(argv, cli);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), files: visibleFiles(store), store };
}

function noPool(): never {
  throw new Error("this test gave no server pool");
}

function collector({ isTTY = false, columns }: RunCliOptions): Output & { text(): string } {
  let all = "";
  return {
    write: (text) => {
      all += text;
    },
    drained: async () => {},
    isTTY,
    columns: isTTY ? (columns ?? 80) : undefined,
    text: () => all,
  };
}

function visibleFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort();
}
