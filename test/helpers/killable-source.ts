import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compiledSource } from "./compiled-source.ts";

export interface KillableRun {
  readonly store: string;
  readonly config: string;
  /** How far the clock, and the time since the host's start, are ahead; milliseconds. */
  readonly offset: number;
  /** The number of the call that changes the world at which the process is killed; 0: none. */
  readonly killAt: number;
  readonly argv: readonly string[];
}

export interface KilledRun {
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  /** Both streams, as they came. */
  readonly output: string;
}

/** dkimctl compiled from src/, in real processes that may be killed at any call that changes the world. */
export interface KillableSource {
  readonly path: string;
  run(run: KillableRun): Promise<KilledRun>;
  remove(): void;
}

const RUN = `
import { main } from "./main.js";
import { processContext } from "./context.js";
const context = processContext();
process.exitCode = await main(process.argv.slice(2), context);
await context.endProcess();
`;

export function killableSource(): KillableSource {
  const { path, remove } = compiledSource();
  writeFileSync(join(path, "run.js"), RUN);
  writeFileSync(join(path, "..", "package.json"), `{"type":"module","version":"0.0.0"}`);
  const preload = pathToFileURL(join(import.meta.dirname, "kill-at.mjs")).href;
  return {
    path,
    remove,
    async run({ store, config, offset, killAt, argv }) {
      const env = {
        PATH: process.env.PATH,
        DKIMCTL_STORE: store,
        DKIMCTL_CONFIG: config,
        KILL_AT: String(killAt),
        CLOCK_OFFSET_MS: String(offset),
      };
      const child = spawn(process.execPath, ["--import", preload, join(path, "run.js"), ...argv], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (text: Buffer) => {
          output += text.toString();
        });
      }
      await once(child, "close");
      return { signal: child.signalCode, exitCode: child.exitCode, output };
    },
  };
}
