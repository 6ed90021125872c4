import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import {
  DAY,
  HOUR,
  MINUTE,
  type SimulatedWorld,
  type SimulationOptions,
  simulate,
} from "../helpers/rotation-simulation.ts";
import { dkimctlRotation, fixedLagRotation } from "../helpers/simulated-rotation.ts";

const domain = parseDomainName("example.com");
const dkimctl = (options: Omit<SimulationOptions, "rotate">) =>
  simulate({ ...options, rotate: (world) => dkimctlRotation(world, domain) });

/** DKIMCTL_SIMULATED_DOMAINS=1000 DKIMCTL_SIMULATED_YEARS=10 is the long run. */
const domains = Number(process.env.DKIMCTL_SIMULATED_DOMAINS ?? 12);
const years = Number(process.env.DKIMCTL_SIMULATED_YEARS ?? 0.5);

/** The same worlds in every run, so that a red test speaks of the change; DKIMCTL_SIMULATION_SEED tries others. */
const seed = Number(process.env.DKIMCTL_SIMULATION_SEED ?? 20_261_121);

const worlds = fc.record({
  seed: fc.nat(),
  faults: fc.constantFrom(0, 0.02, 0.1, 0.3),
  mischief: fc.boolean(),
  negativeMs: fc.constantFrom(5 * MINUTE, HOUR, 6 * HOUR, 2 * DAY),
  delegated: fc.boolean(),
  policy: fc.record({
    algorithms: fc.constantFrom<("rsa" | "ed25519")[]>(["rsa"], ["rsa", "ed25519"]),
    standby: fc.boolean(),
    periodMs: fc.integer({ min: Math.ceil(2 * years), max: 60 }).map((days) => days * DAY),
    overlapMs: fc.integer({ min: 5, max: 14 }).map((days) => days * DAY),
    tombstoneMs: fc.integer({ min: 0, max: 30 }).map((days) => days * DAY),
    reveal: fc.boolean(),
    lookAgainMs: fc.constantFrom(HOUR / 2, 5 * HOUR, 2 * DAY),
    selectorRing: fc.constantFrom(undefined, ["s1", "s2", "s3", "s4", "s5", "s6"].map(parseSelector)),
  }),
});

describe(`years of mail (seed ${seed})`, () => {
  test("every message verifies when it arrives, whatever fails and whenever the run is killed", {
    timeout: 36_000_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const result = await dkimctl({ ...world, days: 365 * years });
        expect(result.losses.slice(0, 3)).toEqual([]);
        expect(result).toMatchObject({ lost: 0, unsigned: 0, forgeable: 0 });
        if (world.faults <= 0.02 && !world.mischief) expect(result.changes).toBeGreaterThan(2);
      }),
      { numRuns: domains, seed },
    );
  });

  test.each([
    ["what fails by itself", false, 0.2, 5],
    ["what people do", true, 0.1, 5],
  ])("it is tried hard, %s: runs are killed, and keys still change", async (_, mischief, faults, least) => {
    const result = await dkimctl({ seed: 7, days: 365, faults, mischief, policy: { periodMs: 10 * DAY } });
    expect(result.losses).toEqual([]);
    expect(result.unsigned).toBe(0);
    expect(result.crashes).toBeGreaterThan(100);
    expect(result.changes).toBeGreaterThan(least);
  });

  test("private keys are made public while nothing can be forged with them, and runs are killed meanwhile", async () => {
    for (const world of [1, 2]) {
      const policy = { periodMs: 3 * DAY, tombstoneMs: 0, reveal: true };
      const result = await dkimctl({ seed: world, days: 150, faults: 0.1, policy, recordTtlMs: 12 * HOUR });
      expect(result.losses).toEqual([]);
      expect(result.forgeable).toBe(0);
      expect(result.revealed).toBeGreaterThan(5);
    }
  }, 120_000);

  test("what other policies lose in the same world", async () => {
    const fixed = (lagMs: number, removeAfterMs: number): SimulationOptions["rotate"] => {
      return (world) => fixedLagRotation(world, { lagMs, removeAfterMs, periodMs: 30 * DAY });
    };
    const rows: string[] = [];
    for (const [policy, rotate] of [
      ["sign at once, remove the old record at once", fixed(0, 0)],
      ["sign after an hour, remove after a week", fixed(HOUR, 7 * DAY)],
      ["sign after a day, remove at once", fixed(DAY, 0)],
      ["sign after a day, remove after a week", fixed(DAY, 7 * DAY)],
      ["dkimctl", (world: SimulatedWorld) => dkimctlRotation(world, domain)],
    ] as const) {
      const cells: string[] = [];
      for (const faults of [0, 0.05]) {
        let [sent, lost] = [0, 0];
        for (let seed = 1; seed <= 5; seed++) {
          const result = await simulate({ seed, days: 365, faults, rotate, policy: { periodMs: 30 * DAY } });
          sent += result.sent;
          lost += result.lost;
        }
        cells.push(`${lost} of ${sent}`);
        if (policy === "dkimctl") expect(lost).toBe(0);
      }
      if (policy !== "dkimctl") expect(cells[1]).not.toMatch(/^0 of/);
      rows.push(`| ${policy} | ${cells.join(" | ")} |`);
    }
    const head = "| policy | lost, nothing fails | lost, 5 % of everything fails |\n|---|---|---|\n";
    await expect(`${head}${rows.join("\n")}\n`).toMatchFileSnapshot("rotation-policies.md");
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    for (const row of rows) expect(readme).toContain(row);
  }, 120_000);
});
