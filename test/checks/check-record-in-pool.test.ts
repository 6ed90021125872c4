import { generatePrimeSync } from "node:crypto";
import { expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { checkRecordInPool } from "../../src/checks/check-record-in-pool.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { toOctets } from "../../src/keys/rsa-numbers.ts";
import { makeRsaKey } from "../helpers/signing-keys.ts";

const recordOf = (modulus: bigint) =>
  formatKeyRecord(keyRecordFor(rsaPublicKeyFromNumbers(toOctets(modulus), Uint8Array.of(1, 0, 1))));
const [p, q, prime] = [512, 520, 1024].map((bits) => generatePrimeSync(bits, { bigint: true })) as [
  bigint,
  bigint,
  bigint,
];
const privateKey = makeRsaKey(1024);

test.each([
  ["a product", recordOf(p * q), {}, ["RSA-1024"]],
  ["a prime modulus", recordOf(prime), {}, ["RSA-1024", "RSA-N"]],
  [
    "a prime modulus where another key is at hand",
    recordOf(prime),
    { privateKey },
    ["RSA-1024", "RSA-N", "KEY-MISMATCH"],
  ],
  ["the key at hand", formatKeyRecord(keyRecordFor(privateKey.publicKey)), { privateKey }, ["RSA-1024"]],
  ["a prime modulus, without arithmetic", recordOf(prime), { arithmetic: false }, ["RSA-1024"]],
  ["no key", "v=DKIM1; p=", {}, ["P-EMPTY"]],
])("%s: the report is that of checkRecord", async (_title, text, options, codes) => {
  const report = await checkRecordInPool(text, options);
  expect(report).toEqual(checkRecord(text, options));
  expect(report.findings.map(({ code }) => code).toSorted()).toEqual(codes.toSorted());
});
