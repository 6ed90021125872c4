import { type ChildProcess, spawn } from "node:child_process";
import { buildProgramFolder } from "./bundle.ts";

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real bin/dkimctl.js on a bundle of its own, for what only a process shows. */
export function builtCli() {
  const { bin, remove } = buildProgramFolder();
  const start = (argv: readonly string[], env: Record<string, string>): ChildProcess =>
    spawn(process.execPath, [bin, ...argv], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
  return {
    bin,
    start,
    run: (argv: readonly string[], env: Record<string, string>, stdin = "") => {
      const child = start(argv, env);
      child.stdin?.end(stdin);
      return ended(child);
    },
    remove,
  };
}

export function ended(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.once("close", (status, signal) => resolve({ status, signal, stdout, stderr })));
}
