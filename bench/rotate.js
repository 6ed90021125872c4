import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { keyPool, makeStore } from "./material.js";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";

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
    const world = await startWorld(recordsFile);
    const env = { DKIMCTL_CONFIG: configuration(folder, world.port) };
    const rotate = { argv: [...dkimctl, "--store", store, "rotate"], env };
    try {
      // Everything is looked at once, and found as it should be.
      const start = performance.now();
      await interleave({ first: rotate }, 0);
      const first = (performance.now() - start) / 1000;
      const asked = await world.questions();
      const looks = new Looks(store);
      const seconds = await interleave(
        {
          showkeys: { argv: [...dkimctl, "--store", store, "showkeys"], env },
          idle: { ...rotate, before: () => looks.restore() },
        },
        rounds,
      );
      questions += (await world.questions()) - asked;
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
  const time = new Date(Date.now() - 86_400_000).toISOString();
  for (let i = 0; i < count; i++) {
    const { record } = keys[i % keys.length];
    const domain = `domain${String(i).padStart(6, "0")}.example`;
    const entered = { new: time, published: time, ready: time, active: time };
    const seen = { provenSince: time, servedAt: `mail._domainkey.${domain}`, staleSeconds: 1, ttlSeconds: 1 };
    const key = { selector: "mail", algorithm: "rsa", bits: 2048, state: "active", entered, record, ...seen };
    const journal = { schema: "dkimctl/rotation-journal/1", domain, keys: [key] };
    writeFileSync(join(journals, `${domain}.json`), JSON.stringify(journal), { mode: 0o600 });
  }
}

function configuration(folder, port) {
  const path = join(folder, `rotate-${port}.toml`);
  writeFileSync(
    path,
    `[dns]\nservers = ["127.0.0.1#${port}"]\nauthoritative-port = ${port}\n[rotation]\nlook-again = "1d"\n`,
  );
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

/** An authoritative name server for `example`. */
async function startWorld(recordsFile) {
  const argv = [join(import.meta.dirname, "rotation-world.js"), "example", recordsFile];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const port = Number(await new Promise((resolve) => child.stdout.once("data", resolve)));
  return {
    port,
    async questions() {
      const socket = createConnection(port, "127.0.0.1");
      socket.write("report\n");
      let report = "";
      for await (const text of socket) report += text;
      return JSON.parse(report).questions;
    },
    stop: () => child.kill(),
  };
}
