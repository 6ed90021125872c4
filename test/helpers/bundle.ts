import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");
export const BUNDLE = join(ROOT, "dist/cli");

/** The bundled files of each chunk, as the build noted them; built first when there is no build. */
export function bundledModules(): Readonly<Record<string, readonly string[]>> {
  const path = join(BUNDLE, "modules.json");
  if (!existsSync(path)) execFileSync("npm", ["run", "build"], { cwd: ROOT });
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Runs a command line of the bundle in a process of its own; `loaded` are the chunks and node modules it needed. */
export function runLoading(argv: readonly string[], env: Record<string, string> = {}) {
  const script = `
    const before = new Set(process.moduleLoadList);
    const { loadBundle } = require(${JSON.stringify(join(ROOT, "bin/dkimctl.js"))});
    const chunks = [];
    const { main, processContext } = loadBundle(${JSON.stringify(BUNDLE)}, ({ name }) => chunks.push(name))("cli.cjs");
    main(JSON.parse(process.argv[1]), processContext()).then((exitCode) => {
      const builtins = process.moduleLoadList.filter((name) => !before.has(name));
      require("fs").writeSync(3, JSON.stringify({ exitCode, chunks, builtins }));
    });`;
  const output = execFileSync(
    process.execPath,
    [
      "-e",
      `const { spawnSync } = require("child_process");
      const { output } = spawnSync(process.execPath, ["-e", ${JSON.stringify(script)}, process.argv[1]], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
      process.stdout.write(output[3]);`,
      JSON.stringify(argv),
    ],
    {
      encoding: "utf8",
      env: { PATH: process.env.PATH, DKIMCTL_CONFIG: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  return JSON.parse(output) as { exitCode: number; chunks: string[]; builtins: string[] };
}
