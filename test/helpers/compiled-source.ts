import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** src/ compiled afresh, for child processes: Node 20 runs no TypeScript. */
export function compiledSource(name = "src"): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-source-"));
  writeFileSync(join(folder, "package.json"), `{"type":"module"}`);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", join(folder, name)]);
  return { path: join(folder, name), remove: () => rmSync(folder, { recursive: true }) };
}
