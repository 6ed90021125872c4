import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyPool, makeStore } from "./material.js";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";
import { startNameServer } from "./peers.js";

/** Every key looked up, signed with and verified. The limit is libcrypto alone with keys that are new to it: no DNS. */
export async function measure({ folder, dkimctl, rounds, scale, limits, threads, peers }) {
  const sizes = [1, 100, 1000, ...(scale > 4 ? [10_000] : [])];
  const keys = keyPool(Math.min(200, 8 * scale));
  const pool = join(folder, "pool");
  mkdirSync(pool);
  for (const [i, { pem }] of keys.entries()) writeFileSync(join(pool, `${i}.pem`), pem, { mode: 0o600 });
  const rows = [];
  const perSize = {};
  let ratio = 0;
  let peerRatio;
  let serverName = "";
  for (const size of sizes) {
    const { store, recordsFile } = makeStore(folder, size, keys);
    const server = await startNameServer(recordsFile, folder);
    serverName = server.name;
    const commands = {
      limit: { argv: [limits["sign-verify"], String(size), String(threads), pool], printsSeconds: true },
      own: { argv: [...dkimctl, "--store", store, "--quiet", "testkeys", "--server", server.address] },
    };
    const looped = Math.min(size, 50);
    if (peers.has("opendkim-testkey")) commands.peer = opendkimLoop(folder, server.port, store, looped);
    const seconds = await interleave(commands, Math.ceil(rounds / 2)).finally(() => server.stop());
    perSize[size] = median(seconds.own);
    ratio = medianRatio(seconds.limit, seconds.own);
    if (seconds.peer !== undefined) peerRatio = (medianRatio(seconds.peer, seconds.own) * size) / looped;
    const peer = peerRatio === undefined ? "-" : peerRatio.toFixed(1);
    rows.push([`${size} keys`, (size / perSize[size]).toFixed(0), ratio.toFixed(2), peer]);
  }
  return {
    title: `testkeys, whole process, against ${serverName} (limit: libcrypto, ${threads} threads, no DNS)`,
    columns: ["", "keys/s", "of the limit", "× opendkim-testkey, key by key"],
    rows,
    targets: [
      { what: `${sizes.at(-1)} keys, of the fresh-key limit`, value: ratio, least: 0.65 },
      ...(peerRatio === undefined
        ? []
        : [
            {
              what: `${sizes.at(-1)} keys, × opendkim-testkey key by key (which signs nothing)`,
              value: peerRatio,
              least: 12,
            },
          ]),
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}

function opendkimLoop(folder, port, store, count) {
  const configuration = join(folder, `opendkim-${port}.conf`);
  writeFileSync(configuration, `Nameservers 127.0.0.1@${port}\n`);
  const script = join(import.meta.dirname, "opendkim-testkey-loop.js");
  return { argv: [process.execPath, script, configuration, store, String(count)] };
}
