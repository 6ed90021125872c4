import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

export interface BuiltProgram {
  /** Holds bin/, dist/cli/ and package.json, as the package does. */
  readonly root: string;
  readonly bin: string;
  /** The bundled files of each chunk, as the build noted them. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  remove(): void;
}

/** The command line, bundled afresh. */
export function buildProgramFolder(): BuiltProgram {
  const root = mkdtempSync(join(tmpdir(), "dkimctl-program-"));
  execFileSync(process.execPath, [join(ROOT, "build/bundle.js"), join(root, "dist")]);
  cpSync(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  copyFileSync(join(ROOT, "package.json"), join(root, "package.json"));
  const modules = JSON.parse(readFileSync(join(root, "dist/cli/modules.json"), "utf8"));
  return { root, bin: join(root, "bin/dkimctl.js"), modules, remove: () => rmSync(root, { recursive: true }) };
}

export interface Loaded {
  readonly exitCode: number;
  readonly chunks: readonly string[];
  /** Those that were compiled from a code cache. */
  readonly cached: readonly string[];
  /** Modules of Node, as `process.moduleLoadList` has them. */
  readonly builtins: readonly string[];
  /** Those that it was listening to. */
  readonly signals: readonly string[];
}

/** What a command line needs, told by a process of its own whose output goes nowhere. */
export function whatIsLoaded(
  { root, bin }: BuiltProgram,
  argv: readonly string[],
  env: Record<string, string>,
): Loaded {
  const script = `
    const before = new Set(process.moduleLoadList);
    const { loadBundle, usualLine } = require(${JSON.stringify(bin)});
    const chunks = [];
    const cached = [];
    const onChunk = ({ name, script }) => {
      chunks.push(name);
      if (script.cachedDataRejected === false) cached.push(name);
    };
    const usual = usualLine(process.argv.slice(1));
    const load = loadBundle(${JSON.stringify(join(root, "dist/cli"))}, { usual, onChunk });
    const { main, processContext } = load("cli.cjs");
    main(process.argv.slice(1), processContext()).then((exitCode) => {
      const builtins = process.moduleLoadList.filter((name) => !before.has(name));
      const signals = process.eventNames().filter((name) => String(name).startsWith("SIG"));
      require("fs").writeSync(3, JSON.stringify({ exitCode, chunks, cached, builtins, signals }));
    });`;
  const { output } = spawnSync(process.execPath, ["-e", script, "--", ...argv], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
  });
  return JSON.parse(output[3] ?? "");
}
