import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import {
  DAY,
  dkimctlRotation,
  fixedLagRotation,
  HOUR,
  type SimulationOptions,
  type SimulationResult,
  simulate,
} from "../helpers/rotation-simulation.ts";

const domain = parseDomainName("example.com");
const dkimctl = (options: Omit<SimulationOptions, "rotate">) =>
  simulate({ ...options, rotate: (world) => dkimctlRotation(world, domain) });

/** DKIMCTL_SIMULATED_DOMAINS=1000 DKIMCTL_SIMULATED_YEARS=10 is the long run. */
const domains = Number(process.env.DKIMCTL_SIMULATED_DOMAINS ?? 5);
const years = Number(process.env.DKIMCTL_SIMULATED_YEARS ?? 1);

const policies = fc.record({
  algorithms: fc.constantFrom<("rsa" | "ed25519")[]>(["rsa"], ["rsa", "ed25519"]),
  standby: fc.boolean(),
  periodMs: fc.integer({ min: 2, max: 60 }).map((days) => days * DAY),
  tombstoneMs: fc.integer({ min: 0, max: 30 }).map((days) => days * DAY),
  selectorRing: fc.constantFrom(undefined, ["s1", "s2", "s3", "s4", "s5", "s6"].map(parseSelector)),
});

describe("years of mail", () => {
  test("every message verifies when it arrives, whatever fails and whenever the run is killed", {
    timeout: 3_600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(0, 0.02, 0.1, 0.3), policies, async (seed, faults, policy) => {
        const result = await dkimctl({ seed, days: 365 * years, faults, policy });
        expect(result.losses.slice(0, 3)).toEqual([]);
        expect(result).toMatchObject({ lost: 0, unsigned: 0 });
        if (faults <= 0.02) expect(result.changes).toBeGreaterThan(2);
      }),
      { numRuns: domains },
    );
  });

  test("it is tried hard: runs are killed, and keys still change", async () => {
    const result = await dkimctl({ seed: 7, days: 365, faults: 0.2, policy: { periodMs: 10 * DAY } });
    expect(result.losses).toEqual([]);
    expect(result.unsigned).toBe(0);
    expect(result.crashes).toBeGreaterThan(100);
    expect(result.changes).toBeGreaterThan(5);
  });

  test.each<[string, { lagMs: number; removeAfterMs: number }]>([
    ["switching at once", { lagMs: 0, removeAfterMs: 0 }],
    ["a fixed lag of a day, the old record removed at once", { lagMs: DAY, removeAfterMs: 0 }],
    ["a fixed lag of an hour, the old record kept for a week", { lagMs: HOUR, removeAfterMs: 7 * DAY }],
    ["a fixed lag of a day, the old record kept for a week", { lagMs: DAY, removeAfterMs: 7 * DAY }],
  ])("%s loses mail", async (_, times) => {
    const rotate: SimulationOptions["rotate"] = (world) => fixedLagRotation(world, { ...times, periodMs: 30 * DAY });
    const results: SimulationResult[] = [];
    for (let seed = 1; seed <= 20; seed++) results.push(await simulate({ seed, days: 365, faults: 0.05, rotate }));
    expect(results.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(0);
  });
});
