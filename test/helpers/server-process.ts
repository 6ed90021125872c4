import { rm } from "node:fs/promises";
import { type Daemon, start } from "./daemon-process.ts";

export interface ServerProcessOptions {
  /** A peer, such as `named`; found where `requirePeer` finds it. */
  readonly program: string;
  readonly args: readonly string[];
  /** What it logs once it serves. */
  readonly ready: RegExp;
  /** Everything it has on the disk: gone with `stop`. */
  readonly folder: string;
}

/** A real server in the foreground, which tells by its log when it serves. */
export class ServerProcess {
  readonly #daemon: Daemon;
  readonly #options: ServerProcessOptions;

  private constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.#daemon = start(options.program, options.args);
  }

  /** @throws {Error} it does not start; its log is in the message */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    try {
      await server.logged(options.ready);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** All that it has logged. */
  get log(): string {
    return this.#daemon.log();
  }

  /** @param from where in the log to look from @throws {Error} the log, when it ends first, or after twenty seconds */
  async logged(pattern: RegExp, from = 0): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!pattern.test(this.log.slice(from))) {
      if (this.#daemon.hasEnded() || Date.now() > deadline) {
        throw new Error(`${this.#options.program} does not serve:\n${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#daemon.kill(signal);
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.signal("SIGKILL"), 5000);
    await this.#daemon.stop();
    clearTimeout(timer);
    await rm(this.#options.folder, { recursive: true, force: true });
  }
}
