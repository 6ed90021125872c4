import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";
import { findBinary } from "./peers.ts";

export interface RedisServerOptions {
  /** Beside what every server here is given: its port, its folder, and an append-only file that is flushed at each change. */
  readonly settings?: readonly string[];
  readonly port?: number;
  /** A sentinel is the same program, with a configuration file in the first of its settings. */
  readonly program?: "sentinel";
  /** Whether it is stopped when the test ends; default true. */
  readonly endsWithTest?: boolean;
}

/** A real redis-server on a port of 127.0.0.1, with a folder of its own. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #settings: readonly string[];
  readonly #isSentinel: boolean;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, { settings = [], program }: RedisServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#settings = settings;
    this.#isSentinel = program === "sentinel";
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "dkimctl-redis-"));
    const server = new RedisServer(options.port ?? (await freePort()), folder, options);
    if (options.endsWithTest !== false) onTestFinished(() => server.end());
    await server.start();
    return server;
  }

  /** The address of a store in it. @param parameters such as `lease=1` */
  url(parameters = ""): string {
    return `redis://127.0.0.1:${this.port}${parameters === "" ? "" : `?${parameters}`}`;
  }

  /** Starts it, or starts it again with what its disk has. */
  async start(): Promise<void> {
    const own = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder];
    const durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"];
    const parameters = this.#isSentinel ? [...this.#settings, ...own] : [...own, ...durable, ...this.#settings];
    const child = spawn(findBinary("redis-server") ?? "redis-server", parameters, {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (log += String(text)));
    this.#process = child;
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
      if (child.exitCode !== null) throw new Error(`redis-server ended by itself:\n${log}`);
      if (await this.#isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`redis-server does not answer:\n${log}`);
  }

  /** SIGKILL: nothing is written that was not on its way to the disk. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  }

  /** SIGSTOP and SIGCONT. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What redis-cli prints, without its last line end. */
  cli(...command: readonly string[]): string {
    return redisCli(this.port, ...command);
  }

  #isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1", () => socket.write("PING\r\n"));
      socket.once("error", () => resolve(false));
      socket.once("data", (answer) => {
        socket.destroy();
        // NOAUTH and the like: it serves.
        resolve(/^(\+PONG|-NO|-WRONG|-DENIED)/.test(answer.toString("latin1")));
      });
    });
  }
}

export function redisCli(port: number, ...command: readonly string[]): string {
  const program = findBinary("redis-cli") ?? "redis-cli";
  return execFileSync(program, ["-p", String(port), ...command], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).replace(/\n$/, "");
}

/** A folder of a test's own for certificates and the like. */
export function redisFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-redis-files-"));
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
