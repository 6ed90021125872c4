// Stores and their records. A few hundred RSA keys stand under many names: what is measured loads each file afresh.
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const pool = [];

/** @param {number} size how many different keys there are at least */
export function keyPool(size) {
  while (pool.length < size) {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    pool.push({
      pem: privateKey.export({ type: "pkcs8", format: "pem" }),
      record: `v=DKIM1; k=rsa; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`,
    });
  }
  return pool.slice(0, size);
}

/** A store of `count` keys in `folder`, and the path of a file of their records, as name-server.js reads it. */
export function makeStore(folder, count, keys) {
  const store = join(folder, `store-${count}`);
  mkdirSync(store, { mode: 0o700 });
  const records = [];
  for (let i = 0; i < count; i++) {
    const { pem, record } = keys[i % keys.length];
    const domain = `domain${String(i).padStart(6, "0")}.example`;
    writeFileSync(join(store, `${domain}.mail.pem`), pem, { mode: 0o600 });
    records.push(`mail._domainkey.${domain}\t${record}\n`);
  }
  const recordsFile = join(folder, `records-${count}`);
  writeFileSync(recordsFile, records.join(""));
  return { store, recordsFile };
}
