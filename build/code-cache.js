import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { loadBundle, codeCacheSuffix } = createRequire(import.meta.url)("../bin/dkimctl.js");

/** Command lines that use what the usual ones use: V8 compiles a function when it is first called, and keeps that. */
const SAMPLES = [
  ["--help"],
  ["--version"],
  ["keygen", "-d", "example.com", "-t", "ed25519"],
  ["keygen", "-d", "example.org", "--bits", "1024"],
  ["showkeys"],
  ["showkeys", "example.org", "--format", "json"],
  ["testkeys", "--server", "127.0.0.1#9", "--timeout", "1", "--retries", "0"],
  ["verify-key", "--record", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
];

/**
 * Runs sample commands in a process of their own and writes what V8 has compiled beside the chunks it belongs to.
 * @param {string} folder of the bundle
 */
export function writeCodeCache(folder) {
  const store = mkdtempSync(join(tmpdir(), "dkimctl-build-"));
  try {
    for (const file of readdirSync(folder)) if (file.endsWith(".cache")) rmSync(join(folder, file));
    const env = { PATH: process.env.PATH, DKIMCTL_STORE: store };
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), folder], {
      env,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`the code cache could not be made: ${stderr}`);
  } finally {
    rmSync(store, { recursive: true });
  }
}

async function runSamples(folder) {
  const chunks = [];
  const load = loadBundle(folder, (chunk) => chunks.push(chunk));
  const { main, processContext } = load("cli.cjs");
  const silent = { write() {}, flush() {}, drained: async () => {}, isTTY: false, columns: undefined };
  for (const argv of SAMPLES) {
    // Its own outputs are looked at, so that they are compiled, and then left alone.
    const cli = processContext();
    cli.stdout.write("\n");
    cli.stdout.flush();
    const exitCode = await main(
      argv,
      Object.defineProperties(cli, { stdout: { value: silent }, stderr: { value: silent } }),
    );
    if (exitCode === 70) throw new Error(`dkimctl ${argv.join(" ")} has a bug`);
  }
  for (const { name, source, script } of chunks) {
    writeFileSync(join(folder, `${name}${codeCacheSuffix()}`), Buffer.concat([source, script.createCachedData()]));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runSamples(process.argv[2]);
