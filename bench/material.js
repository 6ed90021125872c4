// Stores and their records, all keys different. OpenSSL makes five keys of 2048 bits a second; here each pair of a few
// dozen primes is a key. They share primes, which nothing that is measured looks for.
import { createPrivateKey, createPublicKey, generatePrimeSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const E = 65_537n;
const primes = [];
const pool = [];

/** `size` keys, all different. */
export function keyPool(size) {
  for (let [i, j] = nextPair(pool.length); pool.length < size; [i, j] = nextPair(pool.length)) {
    while (primes.length <= i) primes.push(makePrime());
    pool.push(makeKey(primes[i], primes[j]));
  }
  return pool.slice(0, size);
}

/** The pairs in order: (1,0), (2,0), (2,1), (3,0), ... */
function nextPair(index) {
  const i = Math.floor((1 + Math.sqrt(1 + 8 * index)) / 2);
  return [i, index - (i * (i - 1)) / 2];
}

/** OpenSSL sets the two highest bits, so the product of two has 2048. */
function makePrime() {
  const p = generatePrimeSync(1024, { bigint: true });
  return (p - 1n) % E === 0n ? makePrime() : { p, dp: inverse(E, p - 1n) };
}

function makeKey({ p, dp }, { p: q, dp: dq }) {
  const key = createPrivateKey({
    format: "jwk",
    key: {
      ...{ kty: "RSA", n: base64Url(p * q), e: base64Url(E), d: base64Url(inverse(E, (p - 1n) * (q - 1n))) },
      ...{ p: base64Url(p), q: base64Url(q), dp: base64Url(dp), dq: base64Url(dq), qi: base64Url(inverse(q, p)) },
    },
  });
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    pem: key.export({ type: "pkcs8", format: "pem" }),
    record: `v=DKIM1; k=rsa; p=${spki.toString("base64")}`,
  };
}

function inverse(number, modulus) {
  let [r0, r1, s0, s1] = [number % modulus, modulus, 1n, 0n];
  while (r1 !== 0n) [r0, r1, s0, s1] = [r1, r0 % r1, s1, s0 - (r0 / r1) * s1];
  return s0 < 0n ? s0 + modulus : s0;
}

function base64Url(number) {
  const digits = number.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex").toString("base64url");
}

export const domainName = (i) => `domain${String(i).padStart(6, "0")}.example`;
export const keyName = (i) => `mail._domainkey.${domainName(i)}`;

/** A store of `count` keys in `folder`, and the path of a file of their records, as name-server.js reads it. */
export function makeStore(folder, count, keys) {
  const store = join(folder, `store-${count}`);
  mkdirSync(store, { mode: 0o700 });
  const records = [];
  for (let i = 0; i < count; i++) {
    const { pem, record } = keys[i % keys.length];
    writeFileSync(keyFile(store, i), pem, { mode: 0o600 });
    records.push(`${keyName(i)}\t${record}\n`);
  }
  const recordsFile = join(folder, `records-${count}`);
  writeFileSync(recordsFile, records.join(""));
  return { store, recordsFile };
}

export function keyFile(store, i) {
  return join(store, `${domainName(i)}.mail.pem`);
}
