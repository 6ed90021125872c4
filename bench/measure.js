// Commands are run in turn, in another order each round, so that what disturbs the machine disturbs all of them.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Without this variable, which makes Node read certificates at every start, and with nobody's store or configuration. */
export const ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: "C", DKIMCTL_CONFIG: "" };

/**
 * @typedef {{ argv: readonly string[], stdin?: string, env?: object, printsSeconds?: boolean, before?: () => void, statuses?: number[] }} Command
 * `printsSeconds`: the program tells itself how long it took; `before` is run before each round and not counted
 */

/**
 * Seconds of each command in each round.
 * @param {Readonly<Record<string, Command>>} commands
 * @param {number} rounds counted, after one that is not
 */
export async function interleave(commands, rounds) {
  const names = Object.keys(commands);
  const seconds = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of names.toSorted(() => Math.random() - 0.5)) {
      commands[name].before?.();
      const took = await run(name, commands[name]);
      if (round >= 0) seconds[name].push(took);
    }
  }
  return seconds;
}

async function run(name, { argv, stdin, env, printsSeconds = false, statuses = [0] }) {
  const [program, ...rest] = argv;
  const errors = join(tmpdir(), `dkimctl-bench-${process.pid}.stderr`);
  const input = stdin === undefined ? "ignore" : openSync(stdin, "r");
  const output = openSync(errors, "w");
  const start = process.hrtime.bigint();
  const child = spawn(program, rest, {
    stdio: [input, printsSeconds ? "pipe" : "ignore", output],
    env: { ...ENVIRONMENT, ...env },
  });
  let printed = "";
  child.stdout?.on("data", (chunk) => {
    printed += chunk;
  });
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const took = Number(process.hrtime.bigint() - start) / 1e9;
  if (typeof input === "number") closeSync(input);
  closeSync(output);
  const complaint = readFileSync(errors, "utf8").slice(0, 500);
  rmSync(errors);
  if (!statuses.includes(status)) throw new Error(`${name} ended with ${status}: ${complaint}`);
  return printsSeconds ? Number(printed) : took;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Of what was measured in the same round: their disturbance is the same. */
export function medianRatio(values, base) {
  return median(values.map((value, round) => value / base[round]));
}

/**
 * x in cost = a * n^x, from the two largest sizes. The cost of starting is taken off, unless it is most of what the smaller
 * one costs: what is left would be noise.
 */
export function growthExponent(secondsBySize) {
  const points = Object.entries(secondsBySize).map(([size, value]) => [Number(size), value]);
  const [[n1, t1], [n2, t2]] = points.slice(-2);
  const least = Math.min(...points.map(([, seconds]) => seconds));
  const start = least < Math.min(t1, t2) / 2 ? least : 0;
  return Math.log((t2 - start) / (t1 - start)) / Math.log(n2 / n1);
}
