import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainName, keyPool, makeStore } from "./material.js";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";
import { dnsSettings, journalOfActive, startWorld } from "./rotation-fleet.js";

/** Rotating where nothing is due, and where one domain in a hundred is to be looked at, beside reading the same keys. */
export async function measure({ folder, dkimctl, rounds, scale }) {
  const sizes = [1, 100, 1000, ...(scale > 1 ? [10_000] : []), ...(scale > 4 ? [100_000] : [])];
  const keys = keyPool(Math.min(200, 8 * scale));
  const rows = [];
  const idle = {};
  const due = {};
  let ratio = 0;
  let questions = 0;
  for (const size of sizes) {
    const { store, recordsFile } = makeStore(folder, size, keys);
    writeJournals(store, size, keys);
    const world = await startWorld("example", recordsFile);
    const env = { DKIMCTL_CONFIG: configuration(folder, world.port) };
    const rotate = { argv: [...dkimctl, "--store", store, "rotate"], env };
    try {
      // Everything is looked at once, and found as it should be.
      const start = performance.now();
      await interleave({ first: rotate }, 0);
      const first = (performance.now() - start) / 1000;
      const { questions: asked } = await world.report();
      const looks = new Looks(store);
      const seconds = await interleave(
        {
          showkeys: { argv: [...dkimctl, "--store", store, "showkeys"], env },
          idle: { ...rotate, before: () => looks.restore() },
        },
        rounds,
      );
      questions += (await world.report()).questions - asked;
      const some = await interleave({ due: { ...rotate, before: () => looks.forgetOneInHundred() } }, rounds);
      idle[size] = median(seconds.idle);
      due[size] = median(some.due);
      ratio = medianRatio(seconds.idle, seconds.showkeys);
      rows.push([
        `${size} keys`,
        ...[median(seconds.showkeys), idle[size], due[size], first].map((value) => value.toFixed(3)),
        ratio.toFixed(2),
      ]);
    } finally {
      world.stop();
    }
  }
  const largest = sizes.at(-1);
  return {
    title: "rotate, whole process, seconds",
    columns: ["", "showkeys", "nothing due", "1 % due", "all due", "nothing due, × showkeys"],
    rows,
    growth: { title: "rotate, nothing due", perSize: idle },
    targets: [
      { what: `${largest} keys, nothing due, × showkeys`, value: ratio, most: 3 },
      { what: "questions asked of the DNS with nothing due", value: questions, most: 0 },
      { what: "growth of the cost with nothing due, exponent", value: growthExponent(idle), most: 1.1 },
      { what: "growth of the cost with 1 % due, exponent", value: growthExponent(due), most: 1.1 },
    ],
  };
}

/** As a run of yesterday would have left them: the keys sign, and for months to come. */
function writeJournals(store, count, keys) {
  const journals = join(store, ".dkimctl/journal");
  mkdirSync(journals, { recursive: true, mode: 0o700 });
  const yesterday = Date.now() - 86_400_000;
  for (let i = 0; i < count; i++) {
    const domain = domainName(i);
    const { record } = keys[i % keys.length];
    const journal = journalOfActive(domain, { selector: "mail", algorithm: "rsa", bits: 2048, record }, yesterday);
    writeFileSync(join(journals, `${domain}.json`), journal, { mode: 0o600 });
  }
}

function configuration(folder, port) {
  const path = join(folder, `rotate-${port}.toml`);
  writeFileSync(path, `${dnsSettings(port)}[rotation]\nlook-again = "1d"\n`);
  return path;
}

/** What the first run has written down. */
class Looks {
  constructor(store) {
    this.path = join(store, ".dkimctl/journal/looks");
    this.text = readFileSync(this.path, "utf8");
    const document = JSON.parse(this.text);
    for (const domains of Object.values(document.looks)) {
      for (const [index, domain] of Object.keys(domains).entries()) if (index % 100 === 0) delete domains[domain];
    }
    this.without = JSON.stringify(document);
  }

  restore() {
    writeFileSync(this.path, this.text);
  }

  forgetOneInHundred() {
    writeFileSync(this.path, this.without);
  }
}
