import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

/** The path of src/ compiled afresh, for child processes: Node 20 runs no TypeScript. Removed after the tests of the file. */
export function compiledSource(): string {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-source-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "package.json"), `{"type":"module"}`);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", join(folder, "src")]);
  return join(folder, "src");
}
