import { execFile, spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { findBinary } from "./peers.ts";

/** Another program, running in the foreground. */
export interface Daemon {
  readonly pid: number;
  log(): string;
  hasEnded(): boolean;
  readonly ended: Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** @param program a peer, found where `requirePeer` finds it */
export function start(
  program: string,
  parameters: readonly string[],
  user: { uid?: number; gid?: number } = {},
): Daemon {
  const child = spawn(findBinary(program) ?? program, parameters, { ...user, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    pid: child.pid ?? 0,
    log: () => log,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ended,
    kill: (signal) => void child.kill(signal),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await ended;
    },
  };
}

/** @throws {Error} its log: it has ended, or does not take connections for twenty seconds */
export async function untilListening(port: number, daemon: Pick<Daemon, "log" | "hasEnded">): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (daemon.hasEnded()) throw new Error(`it ended by itself:\n${daemon.log()}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isUp) return;
    await delay(50);
  }
  throw new Error(`it does not listen:\n${daemon.log()}`);
}

/** Runs a program to its end; its standard output. */
export function run(
  program: string,
  parameters: readonly string[],
  user: { uid?: number; gid?: number } = {},
  input = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...user, maxBuffer: 1 << 24 };
    const child = execFile(findBinary(program) ?? program, [...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${error.message}\n${stdout}\n${stderr}`));
    });
    child.stdin?.end(input);
  });
}
