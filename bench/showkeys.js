import { amavisShowkeys } from "./amavisd.js";
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
/** What a program without a DER reader of its own does: OpenSSL reads the key and writes its public half. */
const CREATE_PUBLIC_KEY = `
  const { readdirSync, readFileSync } = require("node:fs"), { createPublicKey } = require("node:crypto");
  const folder = process.argv[1], start = process.hrtime.bigint();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".pem")) continue;
    createPublicKey(readFileSync(folder + "/" + name)).export({ type: "spki", format: "der" }).toString("base64");
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

/** Keys with which the slow ones are compared: more of them tell no more. */
const PEER_KEYS = 1000;

/** Reading and printing what is stored. The limit is a loop of Node that opens, reads and closes the files. */
export async function measure({ folder, bin, bundle, dkimctl, rounds, scale, peers }) {
  const sizes = [1, 100, PEER_KEYS, ...(scale > 1 ? [10_000] : []), ...(scale > 4 ? [100_000] : [])];
  const keys = keyPool(Math.min(200, 8 * scale));
  const rows = [];
  const perSize = {};
  const ratios = {};
  let memory = 0;
  const peerTargets = [];
  let cryptoPerKey = 0;
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
    ratios[size] = medianRatio(seconds.limit, seconds.own);
    memory = median(seconds.memory);
    rows.push([`${size} keys`, (size / perSize[size]).toFixed(0), ratios[size].toFixed(2), memory.toFixed(0)]);
    if (size !== PEER_KEYS) continue;
    const compared = await interleave(
      {
        crypto: inside(CREATE_PUBLIC_KEY),
        process: { argv: [...dkimctl, "--store", store, "showkeys"] },
        ...(peers.has("amavisd") && { amavisd: amavisShowkeys(folder, store, size) }),
      },
      Math.ceil(rounds / 2),
    );
    cryptoPerKey = median(compared.crypto) / size;
    if (compared.amavisd === undefined) continue;
    const value = medianRatio(compared.amavisd, compared.process);
    peerTargets.push({ what: `${size} keys, × amavisd showkeys, whole process`, value, least: 12 });
  }
  const limits = { 10000: 0.55, 100000: 0.65 };
  return {
    title: "showkeys",
    columns: ["", "keys/s", "of the read-only limit", "MB"],
    rows,
    growth: { title: "showkeys", perSize },
    targets: [
      ...sizes
        .filter((size) => size in limits || size === sizes.at(-1))
        .map((size) => ({
          what: `${size} keys, of the read-only limit`,
          value: ratios[size],
          least: limits[size] ?? 0.55,
        })),
      {
        what: `${sizes.at(-1)} keys, × createPublicKey (of ${PEER_KEYS})`,
        value: (cryptoPerKey * sizes.at(-1)) / perSize[sizes.at(-1)],
        least: 40,
      },
      ...peerTargets,
      { what: `${sizes.at(-1)} keys, MB`, value: memory, most: 120 },
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
