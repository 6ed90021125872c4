import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs the samples, each as if it were the first.
 * @param {string} folder of a bundle
 * @returns {(import("./samples.js").Sample & { loads: string[] })[]} the samples, and the files that each has loaded
 */
export function observeSamples(folder) {
  return JSON.parse(runSamples("observe", folder));
}

/**
 * Runs the samples and writes what V8 has compiled beside the chunks it belongs to.
 * @param {string} folder of the bundle
 */
export function writeCodeCache(folder) {
  for (const file of readdirSync(folder)) if (file.endsWith(".cache")) rmSync(join(folder, file));
  runSamples("compile", folder);
}

function runSamples(task, folder) {
  const store = mkdtempSync(join(tmpdir(), "dkimctl-build-"));
  const env = { PATH: process.env.PATH, DKIMCTL_STORE: store };
  const run = (name) => {
    const argv = [join(import.meta.dirname, "samples.js"), name, folder];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: "utf8" });
    if (status !== 0) throw new Error(`the sample commands failed: ${stderr}`);
    return stdout;
  };
  try {
    run("keys");
    return run(task);
  } finally {
    rmSync(store, { recursive: true });
  }
}
