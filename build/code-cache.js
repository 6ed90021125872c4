import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { USUAL_LINES } = createRequire(import.meta.url)("../bin/dkimctl.js");

/**
 * Makes the keys that the samples want.
 * @param {string} folder of a bundle
 * @param {string} keys a folder that is not there yet
 */
export function makeSampleKeys(folder, keys) {
  runTask("keys", folder, keys);
}

/**
 * Runs the samples, each as if it were the first.
 * @param {string} folder of a bundle
 * @param {string} keys as `makeSampleKeys` has left them
 * @returns {(import("./samples.js").Sample & { loads: string[] })[]} the samples, and the files that each has loaded
 */
export function observeSamples(folder, keys) {
  return JSON.parse(runSamples("observe", folder, keys));
}

/**
 * Runs the samples and writes what V8 has compiled beside the chunks it belongs to.
 * @param {string} folder of the bundle
 * @param {string} keys as `makeSampleKeys` has left them
 */
export function writeCodeCache(folder, keys) {
  // First, since a chunk is compiled from the cache that is there, and all that this has would be in the new one.
  for (const name of USUAL_LINES) runSamples("compile", folder, keys, name);
  runSamples("compile", folder, keys);
}

/** They make keys themselves, and so work on a copy. */
function runSamples(task, folder, keys, ...parameters) {
  const store = mkdtempSync(join(tmpdir(), "dkimctl-build-"));
  try {
    cpSync(keys, store, { recursive: true });
    return runTask(task, folder, store, ...parameters);
  } finally {
    rmSync(store, { recursive: true });
  }
}

function runTask(task, folder, store, ...parameters) {
  const argv = [join(import.meta.dirname, "samples.js"), task, folder, ...parameters];
  const env = { PATH: process.env.PATH, DKIMCTL_STORE: store };
  const stdio = ["ignore", task === "observe" ? "pipe" : "ignore", "pipe"];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, stdio, encoding: "utf8" });
  if (status !== 0) throw new Error(`the sample commands failed: ${stderr}`);
  return stdout;
}
