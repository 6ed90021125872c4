import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rotateDomain } from "../../src/rotation/rotate-domain.ts";
import { type Journal, liveKeys } from "../../src/rotation/rotation-key.ts";
import type { RotationWorld } from "../../src/rotation/rotation-world.ts";
import { DAY, HOUR, MINUTE, SimulatedWorld } from "../helpers/rotation-simulation.ts";
import { simulatedRotationWorld } from "../helpers/simulated-rotation.ts";

/*
 * What one domain costs in a year, counted: the engine itself, run every hour in a world where nothing fails. docs/scale.md
 * multiplies it by a million; its table is compared with these counts, so that it stays true.
 */

interface Counts {
  runs: number;
  looks: number;
  journals: number;
  publishes: number;
  keys: number;
}

async function yearOfADomain(lookAgainMs: number): Promise<{ counts: Counts; live: number }> {
  const counts: Counts = { runs: 0, looks: 0, journals: 0, publishes: 0, keys: 0 };
  const world = new SimulatedWorld({
    ...{ seed: 1, days: 0, faults: 0, negativeMs: HOUR, policy: { lookAgainMs } },
    rotate: () => async () => {},
  });
  const moment = { now: 0, clock: 0, lastRunAt: undefined, clockSetAt: undefined };
  let journal: Journal = { domain: "example.com", keys: [] };
  const simulated = simulatedRotationWorld(world, moment, (written) => {
    journal = written;
    counts.journals++;
  });
  const counted: RotationWorld = Object.create(simulated, {
    observe: {
      value: (...key: Parameters<RotationWorld["observe"]>) => counts.looks++ >= 0 && simulated.observe(...key),
    },
    changeRecord: {
      value: (...wish: Parameters<RotationWorld["changeRecord"]>) =>
        counts.publishes++ >= 0 && simulated.changeRecord(...wish),
    },
    makeKey: {
      value: (...key: Parameters<RotationWorld["makeKey"]>) => counts.keys++ >= 0 && simulated.makeKey(...key),
    },
  });
  const start = Date.parse("2026-01-01T00:00:00Z");
  let rested = 0;
  let live = 0;
  // The first year is that of a domain that begins; the second is like all others.
  for (let hour = 0; hour < 2 * 365 * 24; hour++) {
    const now = start + hour * HOUR;
    Object.assign(moment, { now, clock: now });
    if (hour === 365 * 24) Object.assign(counts, { runs: 0, looks: 0, journals: 0, publishes: 0, keys: 0 });
    live += liveKeys(journal).length / (2 * 365 * 24);
    if (now < rested) continue;
    counts.runs++;
    const { look } = await rotateDomain(journal, world.policy, counted);
    rested = look?.until ?? 0;
  }
  return { counts, live };
}

const document = readFileSync(new URL("../../docs/scale.md", import.meta.url), "utf8");

test.each([
  ["30 minutes", 30 * MINUTE],
  ["1 day", DAY],
])("a domain's year, looked at again after %s, is as docs/scale.md has it", async (title, lookAgainMs) => {
  const { counts, live } = await yearOfADomain(lookAgainMs);
  const { runs, looks, journals, publishes, keys } = counts;
  const row = `| ${title} | ${[runs, looks, journals, publishes, keys].join(" | ")} |`;
  expect(document).toContain(row);
  expect(document).toContain(`${live.toFixed(1)} live keys`);
});
