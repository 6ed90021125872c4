// Runs command lines that do what usual ones do, for the build: `node build/samples.js TASK FOLDER-OF-A-BUNDLE`.
// "keys" makes the keys that the others want; "observe" prints what each sample loads; "compile" writes the code cache, and
// "compile NAME" the one for a usual line, in a folder of that name.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { loadBundle, codeCacheSuffix, formatCodeCache } = createRequire(import.meta.url)("../bin/dkimctl.js");

const DOMAINS = ["example.com", "example.org"];

const KEYS = [
  ["keygen", "-d", DOMAINS[0], "--bits", "2048"],
  ["keygen", "-d", DOMAINS[1], "-t", "ed25519"],
];

/**
 * A chunk holds what its sample loads and no sample before it does. Of a sample that is `divided`, what another loads, too,
 * is a chunk by itself, so that the other need not load the rest. Samples that are `apart` have no chunk: of these commands,
 * a line needs one. `server` is a name server that has the records of the keys.
 * @typedef {{ name: string, divided?: boolean, apart?: boolean, lines: string[][] }} Sample
 * @returns {Sample[]}
 */
const usual = (server) => [
  { name: "cli", lines: [["--version"], ["--help"]] },
  { name: "listing", lines: [["showkeys", DOMAINS[0]]] },
  { name: "reading", lines: [["showkeys", DOMAINS[1]]] },
  {
    name: "testing",
    divided: true,
    lines: [
      ...DOMAINS.map((domain) => ["testkeys", domain, "--server", server]),
      ["testkeys", "--server", "127.0.0.1#9", "--timeout", "1", "--retries", "0"],
    ],
  },
];

/** What only these compile is no part of the chunks that the usual ones load, too: reading it costs them time. */
const LESS_USUAL = [
  {
    name: "options",
    apart: true,
    lines: ["init", "genrsa", "keygen", "rotate", "export", "import"].map((command) => [command, "--help"]),
  },
  { name: "declaring", apart: true, lines: ["testkeys", "verify-key"].map((command) => [command, "--help"]) },
  {
    name: "making",
    divided: true,
    lines: [
      ["keygen", "-d", "example.net", "-t", "ed25519"],
      ["keygen", "-d", "example.net", "-s", "rsa", "--bits", "1024"],
    ],
  },
  {
    name: "judging",
    divided: true,
    lines: [["verify-key", "--record", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]],
  },
  {
    name: "formats",
    lines: ["plain", "json", "nsupdate", "amavis", "octodns"].map((format) => ["showkeys", "--format", format]),
  },
];

/** In a process of its own each, since what was loaded and compiled once stays so. */
const TASKS = {
  async keys(folder) {
    const { program } = start(folder);
    const printed = [];
    for (const argv of KEYS) await run(argv, program, printed);
    writeFileSync(recordsFile(), printed.join(""));
  },

  async observe(folder) {
    await withNameServer(async (server) => {
      const loaded = [];
      for (const { lines, ...sample } of [...usual(server), ...LESS_USUAL]) {
        const { program, chunks } = start(folder);
        for (const argv of lines) await run(argv, program, []);
        loaded.push({ ...sample, loads: chunks.map(({ name }) => name) });
      }
      process.stdout.write(JSON.stringify(loaded));
    });
  },

  async compile(folder, name) {
    if (name !== undefined) return compileUsual(name, folder);
    const { program, chunks } = start(folder);
    const printed = [];
    await withNameServer(async (server) => {
      for (const samples of [usual(server), LESS_USUAL]) {
        for (const argv of samples.flatMap(({ lines }) => lines)) await run(argv, program, printed);
        writeCodeCache(chunks.splice(0), folder);
      }
    });
    requirePasses(printed, DOMAINS.length);
  },
};

/** What a usual line does; with keys, what it does with an RSA key, as most are, whose record is right. */
async function compileUsual(name, folder) {
  const { program, chunks } = start(folder);
  const printed = [];
  const store = ["--store", process.env.DKIMCTL_STORE];
  await withNameServer(async (server) => {
    const showkeys = ["showkeys", DOMAINS[0]];
    const testkeys = ["testkeys", DOMAINS[0], "--server", server];
    const lines = {
      help: [["--help"]],
      showkeys: [showkeys, [...store, ...showkeys]],
      testkeys: [testkeys, [...store, ...testkeys]],
    };
    for (const argv of lines[name]) await run(argv, program, printed);
    if (name === "testkeys") requirePasses(printed, lines.testkeys.length);
  });
  const own = join(folder, name);
  mkdirSync(own);
  writeCodeCache(chunks, own);
}

function requirePasses(printed, count) {
  if (printed.join("").match(/1 key: 1 pass/g)?.length !== count)
    throw new Error(`no sample has proven its keys:\n${printed.join("")}`);
}

function writeCodeCache(chunks, folder) {
  for (const { name, text, script } of chunks) {
    writeFileSync(join(folder, `${name}${codeCacheSuffix()}`), formatCodeCache(text, script.createCachedData()));
  }
}

function start(folder) {
  const chunks = [];
  const load = loadBundle(folder, { onChunk: (chunk) => chunks.push(chunk) });
  return { program: load("cli.cjs"), chunks };
}

async function run(argv, { main, processContext }, printed) {
  // So many listen for signals here as no process has commands.
  process.setMaxListeners(0);
  // Its own outputs are used, so that they are compiled, and then left alone: of the build, one writes at once like a
  // file, the other takes its time like a terminal.
  const cli = processContext();
  const { stdout: actual, stderr } = cli;
  for (const output of [actual, stderr]) {
    output.write("\n");
    output.flush();
  }
  const { isTTY, columns } = actual;
  const silent = { write: (text) => printed.push(text), flush() {}, drained: async () => {}, isTTY, columns };
  const outputs = { stdout: { value: silent }, stderr: { value: silent } };
  const exitCode = await main(argv, Object.defineProperties(cli, outputs));
  await Promise.all([cli.endProcess(), actual.drained(), stderr.drained()]);
  if (exitCode === 70) throw new Error(`dkimctl ${argv.join(" ")} has a bug: ${printed.join("")}`);
}

async function withNameServer(use) {
  const server = await startNameServer(readFileSync(recordsFile(), "utf8"));
  await use(`127.0.0.1#${server.address().port}`);
  server.close();
}

/** The records of the sample keys, as keygen prints them. */
const recordsFile = () => join(process.env.DKIMCTL_STORE, "records");

/** Has the TXT records in `zone`; of any other name it says that it does not exist. */
async function startNameServer(zone) {
  const server = createSocket("udp4");
  server.on("message", (query, { port, address }) => {
    const labels = [];
    let end = 12;
    for (; query[end] > 0; end += 1 + query[end]) labels.push(query.toString("latin1", end + 1, end + 1 + query[end]));
    const start = zone.indexOf(`${labels.join(".")}.\t`);
    const strings = start === -1 ? undefined : zone.slice(start, zone.indexOf(")", start)).match(/"[^"]*"/g);
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

const [, , task, folder, name] = process.argv;
// The context of the samples ends commands when something is thrown, not this process.
await TASKS[task](folder, name).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
