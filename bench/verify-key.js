import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyPool } from "./material.js";
import { growthExponent, interleave, median } from "./measure.js";

/** A stream of records through `verify-key --stdin`, whole process. */
export async function measure({ folder, dkimctl, rounds, scale }) {
  const keys = keyPool(Math.min(200, 8 * scale));
  const sizes = [1, 1000, ...(scale > 1 ? [10_000] : []), ...(scale > 4 ? [100_000] : [])];
  const stream = (size, ...options) => {
    const stdin = join(folder, `stream-${size}`);
    const lines = Array.from({ length: size }, (_, i) =>
      JSON.stringify({ id: i, record: keys[i % keys.length].record }),
    );
    writeFileSync(stdin, `${lines.join("\n")}\n`);
    return { argv: [...dkimctl, "verify-key", "--stdin", "--format", "ndjson", ...options], stdin, statuses: [0, 1] };
  };
  const seconds = await interleave(
    {
      ...Object.fromEntries(sizes.map((size) => [size, stream(size, "--no-arithmetic")])),
      arithmetic: stream(Math.min(1000, 100 * scale)),
    },
    Math.ceil(rounds / 2),
  );
  const perSize = Object.fromEntries(sizes.map((size) => [size, median(seconds[size])]));
  const largest = sizes.at(-1);
  const pure = (largest - 1) / (perSize[largest] - perSize[1]);
  const full = (Math.min(1000, 100 * scale) - 1) / (median(seconds.arithmetic) - perSize[1]);
  return {
    title: "verify-key --stdin",
    columns: ["", "records/s"],
    rows: [
      [`${largest} records, without arithmetic`, pure.toFixed(0)],
      ["with arithmetic", full.toFixed(0)],
    ],
    targets: [
      { what: "records/s without arithmetic", value: pure, least: 20_000 },
      { what: "growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
