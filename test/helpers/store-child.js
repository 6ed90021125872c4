// A process of its own that works on a key store: node store-child.js <compiled src> <action> <store> [argument].
import * as fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const [, , source, action, path, argument] = process.argv;
const { DirectoryKeyStore } = await import(`${source}/keys/directory-key-store.js`);
const { parseKeyName } = await import(`${source}/keys/key-name.js`);
const { ed25519PrivateKeyFromSeed } = await import(`${source}/keys/private-key.js`);

const name = parseKeyName("example.com", "mail");
const key = {
  privateKey: ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(process.pid % 251)),
  tags: { flags: ["s"] },
};

/** node:fs, whose call number `killAt` is never made, because the process is gone. */
function deadlyOperations(killAt) {
  let calls = 0;
  return new Proxy(fs, {
    get: (target, property) =>
      property.endsWith("Sync") || property === "fsync"
        ? (...parameters) => {
            if (++calls === killAt) process.kill(process.pid, "SIGKILL");
            return target[property](...parameters);
          }
        : target[property],
  });
}

/** A killed process is a zombie until its parent has looked: it runs no more. */
function isRunning(pid) {
  try {
    return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

async function critically(store) {
  const lock = await store.lock();
  const mark = `${path}/critical`;
  try {
    fs.writeFileSync(mark, String(process.pid), { flag: "wx" });
  } catch {
    const other = Number(fs.readFileSync(mark, "latin1"));
    if (isRunning(other)) throw new Error(`process ${other} holds the lock, too`);
    fs.writeFileSync(mark, String(process.pid));
  }
  if (Math.random() < 0.2) process.kill(process.pid, "SIGKILL");
  await delay(1);
  fs.rmSync(mark);
  await lock.release();
}

const operations =
  ["create", "create-many", "replace", "lock"].includes(action) && argument ? deadlyOperations(Number(argument)) : fs;
const access = { "give-owner": { owner: "root" }, "give-group": { group: "root" } }[action];
const store = new DirectoryKeyStore({ path, operations, ...access });
switch (action) {
  case "list":
    for await (const entry of store.list()) {
      const file = entry.location.slice(path.length + 1);
      process.stderr.write(entry.kind === "key" ? `${file}\n` : `${file}: ${entry.reason}\n`);
    }
    break;
  case "create":
  case "give-owner":
  case "give-group":
    await store.create(name, key);
    break;
  case "create-many":
    for (const outcome of await store.createMany(
      [0, 1, 2].map((i) => ({ ...key, name: parseKeyName("example.com", `mail${i}`) })),
    )) {
      process.stdout.write(`${outcome.kind}\n`);
    }
    break;
  case "replace":
    await store.replace(name, key);
    break;
  case "lock":
    await (await store.lock()).release();
    break;
  case "hold":
    await store.lock();
    process.stdout.write("held\n");
    await delay(60_000);
    break;
  case "contend":
    for (let round = 0; round < Number(argument); round++) {
      try {
        await critically(store);
        process.stdout.write("1");
      } catch (error) {
        if (error.code !== "DKIM_STORE_LOCKED") throw error;
        await delay(Math.random() * 2);
      }
    }
    break;
}
