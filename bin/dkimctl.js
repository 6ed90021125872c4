#!/usr/bin/env node
"use strict";
// Starts the bundle in dist/cli. Its chunks are loaded as require() would, but compiled from V8's code cache where there
// is one. A cache is used only when it was made from these very octets by this very V8: it holds a copy of its source,
// which is compared, and V8 refuses what another version or build of it made. `npm run build` writes it; a run never does.
// The lines that are run most have caches of their own, in folders beside the others: to read what only other lines need
// takes V8 a seventh of such a run.
const { closeSync, openSync, readFileSync, readSync } = require("node:fs");
const { Script } = require("node:vm");

const HEAD = "(function (exports, require, module, __filename, __dirname) { ";
const TAIL = "\n})";

/** What of Node every command loads: it does its work without a thread. */
const WITHOUT_THREADS = ["node:fs", "node:path", "node:events", "node:process", "node:util", "node:vm"];

/** The lines that have caches of their own, and the folders of these: two commands, and `--help` alone. */
const USUAL_LINES = ["showkeys", "testkeys", "help"];

/** @returns the folder of the caches for this command line, if it has its own */
function usualLine(argv) {
  if (argv.includes("--help")) return argv.length === 1 ? "help" : undefined;
  return argv.find((word) => USUAL_LINES.includes(word));
}

/**
 * @param {string} folder of the bundle
 * @param {{ usual?: string, onChunk?: (chunk: { name: string, text: string, script: Script }) => void }} [options]
 *   `usual`: what `usualLine` tells; `onChunk` is told of each chunk that was run
 * @returns {(name: string) => any} what a chunk exports
 */
function loadBundle(folder, { usual, onChunk } = {}) {
  const loaded = new Map();
  const suffix = codeCacheSuffix();
  function load(name) {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const filename = `${folder}/${name}`;
    const source = read(filename, 0);
    const { text, cachedData } = (usual && readCodeCache(`${folder}/${usual}/${name}${suffix}`, source)) ??
      readCodeCache(`${filename}${suffix}`, source) ?? { text: HEAD + source.latin1Slice() + TAIL };
    const script = new Script(text, { filename, cachedData });
    // A dictionary: of other objects, V8 makes a hidden class for each of a hundred exports, which takes 0.1 ms.
    const module = { exports: { __proto__: null } };
    loaded.set(name, module);
    script.runInThisContext().call(module.exports, module.exports, requireFrom, module, filename, folder);
    onChunk?.({ name, text, script });
    return module.exports;
  }
  function requireFrom(id) {
    if (id.startsWith("./")) return load(id.slice(2));
    if (!WITHOUT_THREADS.includes(id)) sizeThreadPool();
    return require(id);
  }
  return load;
}

/** One file for each V8 and processor, so that a package used by several finds its own or none. */
function codeCacheSuffix() {
  return `.${process.versions.v8}-${process.arch}.cache`;
}

/**
 * The file is the source as it is compiled, then what V8 made of it, at a multiple of eight: V8 would copy it to one.
 * @returns {Buffer} the file
 */
function formatCodeCache(text, data) {
  const source = Buffer.from(text, "latin1");
  return Buffer.concat([source, Buffer.alloc(alignedLength(source.length) - source.length), data]);
}

function readCodeCache(filename, source) {
  let cache;
  try {
    cache = read(filename, alignedLength(source.length));
  } catch {
    return undefined;
  }
  const end = HEAD.length + source.length;
  const length = end + TAIL.length;
  if (cache.length <= length || !cache.subarray(HEAD.length, end).equals(source)) return undefined;
  const text = cache.latin1Slice(0, length);
  if (!text.startsWith(HEAD) || !text.endsWith(TAIL)) return undefined;
  return { text, cachedData: cache.subarray(alignedLength(length)) };
}

/** Where files are read, one chunk over the other: memory that is new takes the system 1.6 us for each 4096 octets. */
const SPACE = Buffer.allocUnsafeSlow(2 ** 19);

/** @returns {Buffer} the file; it lies in SPACE from `start` on if it has room there */
function read(path, start) {
  const file = openSync(path);
  try {
    let end = start;
    for (let length = -1; length !== 0; end += length) length = readSync(file, SPACE, end, SPACE.length - end, null);
    return end < SPACE.length ? SPACE.subarray(start, end) : readFileSync(path);
  } finally {
    closeSync(file);
  }
}

function alignedLength(length) {
  return Math.ceil(length / 8) * 8;
}

/** Keys are made in libuv's thread pool, which has four threads unless its first use finds another number here. */
function sizeThreadPool() {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, require("node:os").availableParallelism()));
}

async function start() {
  const folder = `${__dirname.slice(0, -"bin".length)}dist/cli`;
  const argv = process.argv.slice(2);
  const verbose = argv.includes("-v") || argv.includes("--verbose");
  const { main, processContext, reportError } = verbose
    ? requireVerbosely(folder)
    : loadBundle(folder, { usual: usualLine(argv) })("cli.cjs");
  const cli = processContext();
  const exitCode = await main(argv, cli);
  // 0 is what it is anyhow, and Node takes 0.05 ms for the first time that it is set.
  if (exitCode !== 0) process.exitCode = exitCode;
  const failure = await cli.endProcess();
  if (failure !== undefined) process.exitCode = reportError(failure, argv, cli);
}

/** A stack with -v names the lines of src/: node reads the source maps of what it loads itself. */
function requireVerbosely(folder) {
  process.setSourceMapsEnabled(true);
  sizeThreadPool();
  return require(`${folder}/cli.cjs`);
}

if (require.main === module) start();
else module.exports = { USUAL_LINES, usualLine, loadBundle, codeCacheSuffix, formatCodeCache };
