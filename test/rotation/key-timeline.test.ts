import { describe, expect, test } from "vitest";
import { keyTimeline } from "../../src/rotation/key-timeline.ts";
import { nextStep } from "../../src/rotation/next-step.ts";
import type { Journal } from "../../src/rotation/rotation-key.ts";
import { simulatedLife } from "../helpers/simulated-fleet.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Runs come every two hours, and to make, publish and prove a successor takes eight more. */
const TOLERANCE_MS = 16 * HOUR;

describe("what is foreseen is what the engine does", () => {
  test.each([
    ["one key at a time", { algorithms: ["rsa"] }],
    ["two sets that rotate as one", { algorithms: ["rsa", "ed25519"] }],
    ["with a standby", { algorithms: ["rsa"], standby: true }],
  ] as const)("%s", async (_, policy) => {
    const life = await simulatedLife({ policy });
    const last = life.moments.at(-1);
    if (last === undefined) throw new Error("no moments");
    let compared = 0;
    for (const { now, journal } of life.moments.filter((_, index) => index % 84 === 0)) {
      for (const key of journal.keys) {
        const foreseen = keyTimeline(key, journal, life.policy, now);
        const later = keyOf(last.journal, key.selector);
        const actual = keyTimeline(later, last.journal, life.policy, last.now);
        for (const span of foreseen) {
          // What comes after the next rotation depends on when that was.
          if (span.until > last.now - DAY || span.until > now + 80 * DAY) continue;
          expect(actual.some(({ use, until }) => use === span.use && Math.abs(until - span.until) < TOLERANCE_MS)).toBe(
            true,
          );
          compared++;
        }
        const { due } = nextStep(key, journal, life.policy);
        if (due === undefined || due > last.now - DAY) continue;
        const changes = Object.values(later.entered).filter((time) => time > now - TOLERANCE_MS);
        expect(changes.some((time) => Math.abs(time - due) < TOLERANCE_MS)).toBe(true);
      }
    }
    expect(compared).toBeGreaterThan(50);
  });
});

function keyOf(journal: Journal, selector: string): Journal["keys"][number] {
  const key = journal.keys.find((candidate) => candidate.selector === selector);
  if (key === undefined) throw new Error(`no key ${selector}`);
  return key;
}
