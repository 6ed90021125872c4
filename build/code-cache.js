import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { loadBundle, codeCacheSuffix } = createRequire(import.meta.url)("../bin/dkimctl.js");

/**
 * Command lines that use what the usual ones use: V8 compiles a function when it is first called, and keeps that. `server`
 * is a name server that has the records of all keys.
 */
const samples = (server) => [
  ["--help"],
  ["--version"],
  ["keygen", "-d", "example.com", "-t", "ed25519"],
  ["keygen", "-d", "example.org", "--bits", "1024"],
  ["showkeys"],
  ["showkeys", "example.org", "--format", "json"],
  ["testkeys", "--server", server],
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
  const printed = [];
  const silent = { write: (text) => printed.push(text), flush() {}, drained: async () => {}, isTTY: false };
  const server = await startNameServer(() => printed.join(""));
  for (const argv of samples(`127.0.0.1#${server.address().port}`)) {
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
  server.close();
  if (!printed.join("").includes("2 keys: 2 pass"))
    throw new Error(`no sample has proven its keys:\n${printed.join("")}`);
  for (const { name, source, script } of chunks) {
    writeFileSync(join(folder, `${name}${codeCacheSuffix()}`), Buffer.concat([source, script.createCachedData()]));
  }
}

/** Has the TXT records in `zone()`, as keygen prints them; of any other name it says that it does not exist. */
async function startNameServer(zone) {
  const server = createSocket("udp4");
  server.on("message", (query, { port, address }) => {
    const labels = [];
    let end = 12;
    for (; query[end] > 0; end += 1 + query[end]) labels.push(query.toString("latin1", end + 1, end + 1 + query[end]));
    const text = zone();
    const start = text.indexOf(`${labels.join(".")}.\t`);
    const strings = start === -1 ? undefined : text.slice(start, text.indexOf(")", start)).match(/"[^"]*"/g);
    const octets = (text) => Buffer.from(`${String.fromCharCode(text.length - 2)}${text.slice(1, -1)}`, "latin1");
    // Else an SOA of the root: two names, five numbers.
    const data = strings ? Buffer.concat(strings.map(octets)) : Buffer.alloc(22);
    const header = Buffer.from([...query.subarray(0, 2), 0x85, strings ? 0x80 : 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    header[strings ? 7 : 9] = 1;
    // The name is that of the question, or the root; then type, class, TTL and length.
    const owner = strings ? [0xc0, 12, 0, 16] : [0, 0, 6];
    const record = Buffer.from([...owner, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255]);
    server.send(Buffer.concat([header, query.subarray(12, end + 5), record, data]), port, address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The context of the samples ends commands when something is thrown, not this process.
  await runSamples(process.argv[2]).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  });
}
