import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DkimctlError } from "../../src/errors.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { JournalError } from "../../src/rotation/journal.ts";
import { JournalFolder } from "../../src/rotation/journal-folder.ts";
import { rotateDomain } from "../../src/rotation/rotate-domain.ts";
import { DAY, dkimctlRotation, HOUR, SimulatedWorld, simulatedRotationWorld } from "../helpers/rotation-simulation.ts";
import { faultyOperations, temporaryFolder } from "../helpers/store.ts";

const domain = parseDomainName("example.com");
const START = Date.parse("2026-11-21T12:00:00Z");

describe("the folder of journals", () => {
  test("a domain of any length has one", () => {
    const folder = new JournalFolder(temporaryFolder(), {});
    const long = parseDomainName(`${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`);
    expect(folder.domains()).toEqual([]);
    for (const name of [long, domain]) folder.write({ domain: name, keys: [] });
    expect(folder.domains()).toEqual([long, domain]);
    expect(folder.read(long)).toEqual({ domain: long, keys: [], rotationAskedAt: undefined });
    expect(folder.read(parseDomainName("other.example"))).toBeUndefined();
  });

  test("a journal under another domain's name is not believed", () => {
    const store = temporaryFolder();
    const folder = new JournalFolder(store, {});
    folder.write({ domain, keys: [] });
    writeFileSync(
      join(store, ".dkimctl/journal/other.example.json"),
      `{"schema":"dkimctl/rotation-journal/1","domain":"example.com","keys":[]}`,
    );
    expect(() => folder.read(parseDomainName("other.example"))).toThrow(JournalError);
  });

  test("when the last run was", () => {
    const folder = new JournalFolder(temporaryFolder(), {});
    expect(folder.lastRunAt()).toBeUndefined();
    folder.recordRun(START);
    expect(folder.lastRunAt()).toBe(START);
    expect(folder.domains()).toEqual([]);
  });
});

describe("a disk that is full or fails at any write of the journal", () => {
  /** A life of two keys, one step at each of these times; at one of them the disk fails once. */
  const TIMES = [0, HOUR, 9 * HOUR, 91 * DAY, 92 * DAY, 100 * DAY, 131 * DAY];

  async function live(failing: number, failAt: number, code: string) {
    const world = new SimulatedWorld({ seed: 1, days: 0, faults: 0, rotate: (any) => dkimctlRotation(any, domain) });
    const store = temporaryFolder();
    let failed = false;
    const run = async (now: number, folder: JournalFolder) => {
      const journals = new JournalFolder(store, {});
      const rotating = simulatedRotationWorld(world, now, now, undefined, () => {});
      const start = journals.read(domain) ?? { domain, keys: [] };
      try {
        const { findings } = await rotateDomain(start, world.policy, {
          ...rotating,
          writeJournal: async (journal) => folder.write(journal),
        });
        if (findings.length > 0) failed = true;
      } catch (error) {
        if (!(error instanceof DkimctlError)) throw error;
        failed = true;
      }
    };
    for (const [index, time] of TIMES.entries()) {
      const now = START + time;
      if (index === failing) await run(now, new JournalFolder(store, {}, faultyOperations(failAt, code).operations));
      for (let again = 0; again < 3; again++) await run(now + again * HOUR, new JournalFolder(store, {}));
    }
    const left = readdirSync(join(store, ".dkimctl/journal")).filter((name) => name.startsWith("."));
    const states = new JournalFolder(store, {}).read(domain)?.keys.map(({ selector, state }) => `${selector} ${state}`);
    return { states, left, failed, signing: world.signing, stored: [...world.stored.keys()] };
  }

  test.each(["ENOSPC", "EIO"])(
    "%s: the next run carries on to the same end",
    async (code) => {
      const good = await live(-1, 0, code);
      expect(good).toEqual({
        states: ["k1 gone", "k2 active"],
        left: [],
        failed: false,
        signing: ["k2"],
        stored: ["k2"],
      });
      let faults = 0;
      for (let failing = 0; failing < TIMES.length; failing++) {
        for (let failAt = 1; failAt <= 40; failAt += 9) {
          const { failed, ...end } = await live(failing, failAt, code);
          if (failed) faults++;
          expect(end, `${failing} ${failAt}`).toEqual({
            states: good.states,
            left: [],
            signing: ["k2"],
            stored: ["k2"],
          });
        }
      }
      expect(faults).toBeGreaterThan(5);
    },
    60_000,
  );
});
