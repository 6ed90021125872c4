import { keyPool, makeStore } from "./material.js";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";

/** Both in a process that is warm and tells its own time, so that starting Node is no part of it. */
const READ_ONLY = `
  const { closeSync, openSync, readdirSync, readSync } = require("node:fs");
  const folder = process.argv[1], buffer = Buffer.alloc(65536), start = process.hrtime.bigint();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".pem")) continue;
    const file = openSync(folder + "/" + name);
    while (readSync(file, buffer, 0, buffer.length, null) > 0);
    closeSync(file);
  }
  console.log(Number(process.hrtime.bigint() - start) / 1e9);`;
const SHOWKEYS = (bin, bundle) => `
  const { main, processContext } = require(${JSON.stringify(bin)}).loadBundle(${JSON.stringify(bundle)})("cli.cjs");
  const silent = { write() {}, flush() {}, drained: async () => {}, isTTY: false };
  const cli = Object.defineProperty(processContext(), "stdout", { value: silent }), start = process.hrtime.bigint();
  main(["--store", process.argv[1], "showkeys"], cli).then(() => {
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const { maxRSS } = process.resourceUsage();
    console.log(process.argv[2] === "memory" ? maxRSS / 1024 : seconds);
  });`;

/** Reading and printing what is stored. The limit is a loop of Node that opens, reads and closes the files. */
export async function measure({ folder, bin, bundle, rounds, scale }) {
  const sizes = [1, 100, 1000, ...(scale > 1 ? [10_000] : []), ...(scale > 4 ? [100_000] : [])];
  const keys = keyPool(Math.min(200, 8 * scale));
  const rows = [];
  const perSize = {};
  let ratio = 0;
  let memory = 0;
  for (const size of sizes) {
    const { store } = makeStore(folder, size, keys);
    const inside = (script, ...more) => ({
      argv: [process.execPath, "-e", script, store, ...more],
      printsSeconds: true,
    });
    const seconds = await interleave(
      { limit: inside(READ_ONLY), own: inside(SHOWKEYS(bin, bundle)), memory: inside(SHOWKEYS(bin, bundle), "memory") },
      rounds,
    );
    perSize[size] = median(seconds.own);
    ratio = medianRatio(seconds.limit, seconds.own);
    memory = median(seconds.memory);
    rows.push([`${size} keys`, (size / perSize[size]).toFixed(0), ratio.toFixed(2), memory.toFixed(0)]);
  }
  const largest = sizes.at(-1);
  return {
    title: "showkeys",
    columns: ["", "keys/s", "of the read-only limit", "MB"],
    rows,
    targets: [
      { what: `${largest} keys, of the read-only limit`, value: ratio, least: largest >= 100_000 ? 0.65 : 0.55 },
      { what: `${largest} keys, MB`, value: memory, most: 120 },
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
