import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { amavisTestkeys } from "./amavisd.js";
import { keyPool, makeStore } from "./material.js";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";
import { findMailauth, startNameServer } from "./peers.js";
import { dnsperf, mailauthTestkeys, opendkimKeyTable, opendkimLoop, ownLookups } from "./testkeys-peers.js";

/** As many as the limit program holds. */
const LIMIT_KEYS = 4096;
/** What takes a process, or half a second, for each key is asked about so many. */
const SLOW_PEER_KEYS = 50;
/** amavisd takes half a second to start, and five milliseconds a key. */
const AMAVIS_KEYS = 1000;
/** It takes as long for each key, however many. */
const MAILAUTH_KEYS = 1000;

/** Every key looked up, signed with and verified. The limit is libcrypto alone with keys that are new to it: no DNS. */
export async function measure({ folder, bin, bundle, dkimctl, rounds, scale, limits, threads, peers }) {
  // A smoke run tells that it works, not how fast.
  const sizes = scale === 1 ? [1, 10, 100] : [1, 100, 1000, 10_000, ...(scale > 4 ? [100_000] : [])];
  const keys = keyPool(Math.min(sizes.at(-1), 10_000));
  const pool = join(folder, "pool");
  mkdirSync(pool);
  for (const [i, { pem }] of keys.slice(0, LIMIT_KEYS).entries()) {
    writeFileSync(join(pool, `${i}.pem`), pem, { mode: 0o600 });
  }
  const rows = [];
  const perSize = {};
  let ratios = {};
  let lost = 0;
  let serverName = "";
  for (const size of sizes) {
    const { store, recordsFile } = makeStore(folder, size, keys);
    const server = await startNameServer(recordsFile, folder);
    serverName = server.name;
    const looped = Math.min(size, SLOW_PEER_KEYS);
    const ofAmavis = Math.min(size, AMAVIS_KEYS);
    const ofMailauth = Math.min(size, MAILAUTH_KEYS);
    let seconds;
    try {
      const commands = {
        limit: { argv: [limits["sign-verify"], String(size), String(threads), pool], printsSeconds: true },
        own: { argv: [...dkimctl, "--store", store, "--quiet", "testkeys", "--server", server.address] },
        lookups: ownLookups(bin, bundle, server.port, size),
        lost: ownLookups(bin, bundle, server.port, size, "lost"),
      };
      if (peers.has("opendkim-testkey")) {
        commands.loop = opendkimLoop(folder, server.port, store, looped);
        commands.table = opendkimKeyTable(folder, server.port, store, size);
      }
      if (peers.has("amavisd")) {
        commands.amavis = amavisTestkeys(folder, server.port, store, ofAmavis);
      }
      if (peers.has("mailauth")) {
        commands.mailauth = mailauthTestkeys(findMailauth(), server.port, store, ofMailauth);
      }
      if (peers.has("dnsperf")) commands.dnsperf = dnsperf(folder, server.port, size);
      seconds = await interleave(commands, Math.ceil(rounds / 2));
    } finally {
      await server.stop();
    }
    perSize[size] = median(seconds.own);
    lost = Math.max(lost, ...seconds.lost);
    // In keys a second, so that a peer may be asked about fewer.
    const ratio = (name, count = size, own = seconds.own) =>
      seconds[name] && (medianRatio(seconds[name], own) * size) / count;
    ratios = {
      limit: ratio("limit"),
      loop: ratio("loop", looped),
      table: ratio("table"),
      amavis: ratio("amavis", ofAmavis),
      mailauth: ratio("mailauth", ofMailauth),
      dns: ratio("dnsperf", size, seconds.lookups),
    };
    const cells = Object.values(ratios).map((value) => value?.toFixed(value < 10 ? 2 : 0) ?? "-");
    rows.push([`${size} keys`, (size / perSize[size]).toFixed(0), ...cells]);
  }
  const largest = `${sizes.at(-1)} keys`;
  const target = (what, value, least) => (value === undefined ? [] : [{ what: `${largest}, ${what}`, value, least }]);
  return {
    title: `testkeys, whole process, against ${serverName} (limit: libcrypto, ${threads} threads, no DNS)`,
    columns: [
      ...["", "keys/s", "of the limit", "× opendkim-testkey, key by key", "× opendkim-testkey, KeyTable"],
      ...["× amavisd", "× mailauth", "own lookups, of dnsperf -q 64"],
    ],
    rows,
    growth: { title: "testkeys", perSize },
    targets: [
      ...target("of the fresh-key limit", ratios.limit, 0.65),
      ...target("× opendkim-testkey key by key (which signs nothing)", ratios.loop, 12),
      ...target("× opendkim-testkey with a KeyTable (which signs nothing)", ratios.table, 1.8),
      ...target(`× amavisd testkeys of ${Math.min(sizes.at(-1), AMAVIS_KEYS)}`, ratios.amavis, 8),
      ...target(`× mailauth of ${Math.min(sizes.at(-1), MAILAUTH_KEYS)}`, ratios.mailauth, 3.5),
      ...target("lookups alone, of dnsperf -q 64", ratios.dns, 0.45),
      { what: "lookups that were lost or asked again", value: lost, most: 0 },
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
