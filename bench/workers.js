import { execFileSync, spawn } from "node:child_process";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { median } from "./measure.js";
import { dnsSettings, journalOfActive, startWorld } from "./rotation-fleet.js";

const ZONE = "example";
/** As far away as the name servers of a provider are. */
const ANSWER_MS = 10;
const DAY_MS = 86_400_000;
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const TELL = 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "%s\\n" "$2" >&3; read -r answer <&3; [ "$answer" = ok ]';
const PUBLISH = `set -- "$1" "publish $DKIMCTL_NAME $DKIMCTL_RECORD"; ${TELL}`;
const ACTIVATE = `set -- "$1" "activate $DKIMCTL_DOMAIN $DKIMCTL_SELECTORS"; ${TELL}`;

/**
 * Many workers on one Redis: from a key that is due to its successor that signs, each domain once. Publishing and the
 * signer's switch are a program of a few milliseconds; every change is flushed to the disk.
 */
export async function measure({ folder, dkimctl, rounds, scale }) {
  const count = 50 * scale;
  const results = new Map([1, 2, 4].map((workers) => [workers, []]));
  // Each takes minutes, and what is told is a rate: three are enough.
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    for (const [workers, measured] of results) {
      measured.push(await rotateAll(mkdtempSync(join(folder, "fleet-")), dkimctl, count, workers));
    }
  }
  const rate = (workers) => median(results.get(workers).map(({ seconds }) => count / seconds));
  const rows = [...results].map(([workers, measured]) => [
    String(workers),
    rate(workers).toFixed(1),
    median(measured.map(({ questions }) => questions / count)).toFixed(0),
  ]);
  return {
    title: `workers: ${count} domains on one Redis, from a key that is due to its successor`,
    columns: ["workers", "domains/s", "DNS questions a domain"],
    rows,
    targets: [{ what: "two workers against one", value: rate(2) / rate(1), least: 1 }],
  };
}

async function rotateAll(folder, dkimctl, count, workers) {
  const domains = Array.from({ length: count }, (_, index) => seed(index));
  const records = join(folder, "records");
  writeFileSync(records, domains.map(({ name, record }) => `${name}\t${record}\n`).join(""));
  const world = await startWorld(ZONE, records, ANSWER_MS);
  const redisPort = await freePort();
  const durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
  const options = ["--port", String(redisPort), "--bind", "127.0.0.1", "--dir", folder, ...durable];
  const redis = spawn("redis-server", options, { stdio: "ignore" });
  try {
    await store(redisPort, domains);
    const config = join(folder, "dkimctl.toml");
    writeFileSync(config, configuration(redisPort, world.port));
    const start = performance.now();
    const runs = Array.from({ length: workers }, () =>
      run([...dkimctl, "rotate", "--wait", "10m", "--config", config]),
    );
    await Promise.all(runs);
    const seconds = (performance.now() - start) / 1000;
    const { questions, violations, signed } = await world.report();
    if (violations.length > 0) throw new Error(violations.join("\n"));
    const done = Object.values(signed).filter((selectors) => selectors.join() === "k1").length;
    if (done !== count) throw new Error(`${done} of ${count} domains have rotated once`);
    return { seconds, questions };
  } finally {
    world.stop();
    redis.kill("SIGKILL");
    await once(redis, "close");
  }
}

/** A domain whose key has signed for 100 days. */
function seed(index) {
  const domain = `d${String(index).padStart(6, "0")}.${ZONE}`;
  const octets = Buffer.alloc(32, 1);
  octets.writeUInt32BE(index);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, octets]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const record = `v=DKIM1; k=ed25519; p=${Buffer.from(x, "base64url").toString("base64")}`;
  const journal = journalOfActive(domain, { selector: "old", algorithm: "ed25519", record }, Date.now() - 100 * DAY_MS);
  return { domain, name: `old._domainkey.${domain}`, record, value: octets.toString("base64"), journal };
}

async function store(port, domains) {
  for (let tries = 0; ; tries++) {
    try {
      execFileSync("redis-cli", ["-p", String(port), "PING"], { stdio: "ignore" });
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  const command = (...words) =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
  const input = domains.flatMap(({ domain, value, journal }) => [
    command("HSET", "DKIM_KEYS", `old.${domain}`, value),
    command("HSET", "dkimctl:{DKIM_KEYS}:journals", domain, journal),
  ]);
  execFileSync("redis-cli", ["-p", String(port), "--pipe"], {
    input: input.join(""),
    stdio: ["pipe", "ignore", "inherit"],
  });
}

function configuration(redisPort, port) {
  const program = (script) => JSON.stringify(["bash", "-c", script, "tell", String(port)]);
  return `[store]\nurl = "redis://127.0.0.1:${redisPort}"
${dnsSettings(port)}[records]\nttl = 1
[publish]\nmethod = "exec"\ncommand = ${program(PUBLISH)}
[signer]\nactivate = ${program(ACTIVATE)}
[rotation]\nalgorithms = ["ed25519"]\nselector = "k{n}"\nmargin = "0s"\n`;
}

async function run([program, ...options]) {
  const child = spawn(program, options, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env.PATH } });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`rotate ended with ${status}:\n${stderr}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
