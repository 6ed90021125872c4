import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { keyPool } from "./material.js";
import { ENVIRONMENT, growthExponent, interleave, median } from "./measure.js";

/** Each check by itself, on keys it has not seen, in a process that has warmed up on others: microseconds for each. */
const CHECKS = (library) => `
  import { readFileSync } from "node:fs";
  const from = (path) => import(${JSON.stringify(library)} + "/" + path);
  const { checkRecord } = await from("checks/check-record.js");
  const { exponentWeakness } = await from("keys/weak-keys/exponent.js");
  const { fermatWeakness } = await from("keys/weak-keys/fermat.js");
  const { knownKeyWeakness } = await from("keys/weak-keys/known-keys.js");
  const { primeModulusWeakness } = await from("keys/weak-keys/modulus.js");
  const { patternWeakness } = await from("keys/weak-keys/pattern.js");
  const { rocaWeakness } = await from("keys/weak-keys/roca.js");
  const { smallFactorWeakness } = await from("keys/weak-keys/small-factors.js");
  const { wienerWeakness } = await from("keys/weak-keys/wiener.js");
  const { toBigInt } = await from("keys/rsa-numbers.js");
  const lines = readFileSync(process.argv[1], "utf8").trimEnd().split("\\n");
  const records = lines.map((line) => JSON.parse(line).record);
  const arithmetic = false;
  const keys = records.map((record) => checkRecord(record, { arithmetic }).publicKey);
  const numbers = keys.map(({ modulus, exponent }) => ({ n: toBigInt(modulus), e: toBigInt(exponent) }));
  const half = lines.length >> 1;
  const cost = (list, check) => {
    // Else a part of what is measured is V8, which still compiles it.
    for (let turn = 0; turn < 3; turn += 1) for (const each of list.slice(0, half)) check(each);
    const start = process.cpuUsage();
    for (const each of list.slice(half)) check(each);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / (list.length - half);
  };
  console.log(JSON.stringify({
    "a record, without arithmetic": cost(records, (record) => checkRecord(record, { arithmetic })),
    "keys printed in standards": cost(keys, knownKeyWeakness),
    "exponent": cost(keys, ({ modulus, exponent }) => exponentWeakness(exponent, modulus)),
    "patterns": cost(keys, ({ modulus }) => patternWeakness(modulus)),
    "ROCA": cost(numbers, ({ n }) => rocaWeakness(n)),
    "arithmetic: factors up to 65,537": cost(numbers, ({ n }) => smallFactorWeakness(n)),
    "arithmetic: close primes, 100 steps": cost(numbers, ({ n }) => fermatWeakness(n)),
    "arithmetic: small private exponent": cost(numbers, ({ n, e }) => wienerWeakness(n, e)),
    "arithmetic: prime modulus": cost(keys, ({ modulus }) => primeModulusWeakness(modulus)),
  }));`;

/** A stream of records through `verify-key --stdin`, whole process; up to 10,000 keys are different. */
export async function measure({ folder, bundle, dkimctl, rounds, scale, threads }) {
  const sizes = [1, 100, 1000, ...(scale > 1 ? [10_000] : []), ...(scale > 4 ? [100_000] : [])];
  const keys = keyPool(Math.min(sizes.at(-1), 10_000));
  const stream = (size, ...options) => {
    const stdin = join(folder, `stream-${size}`);
    const lines = Array.from({ length: size }, (_, i) =>
      JSON.stringify({ id: i, record: keys[i % keys.length].record }),
    );
    writeFileSync(stdin, `${lines.join("\n")}\n`);
    return { argv: [...dkimctl, "verify-key", "--stdin", "--format", "ndjson", ...options], stdin, statuses: [0, 1] };
  };
  const withArithmetic = 1000;
  const seconds = await interleave(
    {
      ...Object.fromEntries(sizes.map((size) => [size, stream(size, "--no-arithmetic")])),
      arithmetic: stream(withArithmetic),
    },
    Math.ceil(rounds / 2),
  );
  const perSize = Object.fromEntries(sizes.map((size) => [size, median(seconds[size])]));
  const largest = sizes.at(-1);
  const rate = (size, took) => ((size - 1) / (took - perSize[1])).toFixed(0);
  return {
    title: "verify-key --stdin",
    columns: ["", "records/s", "µs"],
    rows: [
      ...sizes.slice(1).map((size) => [`${size} records, without arithmetic`, rate(size, perSize[size]), "-"]),
      [
        `${withArithmetic} records, with arithmetic, ${threads} cores`,
        rate(withArithmetic, median(seconds.arithmetic)),
        "-",
      ],
      ...(await checkCosts(join(bundle, ".."), stream(withArithmetic).stdin)),
    ],
    growth: { title: "verify-key --stdin", perSize },
    targets: [
      { what: "records/s without arithmetic", value: Number(rate(largest, perSize[largest])), least: 20_000 },
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}

/** @param library what tsc made of src/; a program without it tells nothing of its parts */
async function checkCosts(library, records) {
  if (!existsSync(join(library, "checks/check-record.js"))) return [];
  const argv = [process.execPath, "--input-type=module", "-e", CHECKS(library), records];
  const { stdout } = await promisify(execFile)(argv[0], argv.slice(1), { env: ENVIRONMENT });
  return Object.entries(JSON.parse(stdout)).map(([what, cost]) => [what, "-", cost.toFixed(1)]);
}
