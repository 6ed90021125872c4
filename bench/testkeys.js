import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyPool, makeStore } from "./material.js";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";
import { startNameServer } from "./peers.js";

/** Every key looked up, signed with and verified. The limit is libcrypto alone with keys that are new to it: no DNS. */
export async function measure({ folder, dkimctl, rounds, scale, limits, threads }) {
  const sizes = [1, 100, 1000, ...(scale > 4 ? [10_000] : [])];
  const keys = keyPool(Math.min(200, 8 * scale));
  const pool = join(folder, "pool");
  mkdirSync(pool);
  for (const [i, { pem }] of keys.entries()) writeFileSync(join(pool, `${i}.pem`), pem, { mode: 0o600 });
  const rows = [];
  const perSize = {};
  let ratio = 0;
  for (const size of sizes) {
    const { store, recordsFile } = makeStore(folder, size, keys);
    const server = await startNameServer(recordsFile);
    const commands = {
      limit: { argv: [limits["sign-verify"], String(size), String(threads), pool], printsSeconds: true },
      own: { argv: [...dkimctl, "--store", store, "--quiet", "testkeys", "--server", server.address] },
    };
    const seconds = await interleave(commands, Math.ceil(rounds / 2)).finally(() => server.stop());
    perSize[size] = median(seconds.own);
    ratio = medianRatio(seconds.limit, seconds.own);
    rows.push([`${size} keys`, (size / perSize[size]).toFixed(0), ratio.toFixed(2)]);
  }
  return {
    title: `testkeys, whole process (limit: libcrypto, ${threads} threads)`,
    columns: ["", "keys/s", "of the limit"],
    rows,
    targets: [
      { what: `${sizes.at(-1)} keys, of the fresh-key limit`, value: ratio, least: 0.65 },
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
