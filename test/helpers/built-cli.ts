import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { compiledSource } from "./compiled-source.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real bin/dkimctl.js on freshly compiled source, for what only a process shows. */
export function builtCli() {
  const { path, remove } = compiledSource("dist");
  const folder = dirname(path);
  mkdirSync(join(folder, "bin"));
  // The bin imports ../dist, and the version is read from ../package.json.
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  copyFileSync(join(ROOT, "bin/dkimctl.js"), join(folder, "bin/dkimctl.js"));
  const bin = join(folder, "bin/dkimctl.js");
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
