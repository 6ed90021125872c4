import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { DkimctlError } from "../../src/errors.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import type { FileOperations } from "../../src/keys/file-operations.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { DirectoryJournalStore } from "../../src/rotation/directory-journal-store.ts";
import { JournalError } from "../../src/rotation/journal.ts";
import { rotateDomain } from "../../src/rotation/rotate-domain.ts";
import type { Journal } from "../../src/rotation/rotation-key.ts";
import { DAY, HOUR, SimulatedWorld } from "../helpers/rotation-simulation.ts";
import { dkimctlRotation, simulatedRotationWorld } from "../helpers/simulated-rotation.ts";
import { faultyOperations, temporaryFolder } from "../helpers/store.ts";
import { ed25519Sample } from "../keys/sample-keys.ts";

const domain = parseDomainName("example.com");
/** Their writes are those of a lease; nobody else is there to hold the lock against. */
const journalsOf = (path: string, operations?: FileOperations) =>
  new DirectoryJournalStore(new DirectoryKeyStore({ path }), {}, operations);
const write = async (journals: DirectoryJournalStore, journal: Journal) => {
  const turn = await journals.begin();
  try {
    const lease = await turn.lease(parseDomainName(journal.domain));
    await lease?.writeJournal(journal);
  } finally {
    await turn.release();
  }
};
const START = Date.parse("2026-11-21T12:00:00Z");

describe("the folder of journals", () => {
  test("a domain of any length has one", async () => {
    const folder = journalsOf(temporaryFolder());
    const long = parseDomainName(`${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`);
    expect(await folder.domains()).toEqual([]);
    for (const name of [long, domain]) await write(folder, { domain: name, keys: [] });
    expect(await folder.domains()).toEqual([long, domain]);
    expect(await folder.read(long)).toEqual({ domain: long, keys: [], rotationAskedAt: undefined });
    expect(await folder.read(parseDomainName("other.example"))).toBeUndefined();
  });

  test.each([
    ["with keys in the store", true],
    ["without", false],
  ])("that of a long name is damaged: it is listed, and its reading tells so: %s", async (_, hasKeys) => {
    const store = temporaryFolder();
    const long = parseDomainName(`${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(20)}.example`);
    const folder = journalsOf(store);
    for (const name of [long, domain]) await write(folder, { domain: name, keys: [] });
    const name = { domain: long, selector: parseSelector("mail") };
    const newKey = { privateKey: ed25519Sample(), tags: {} };
    if (hasKeys) await new DirectoryKeyStore({ path: store }).create(name, newKey);
    const path = folder.locationOf(long);
    for (const text of ["{", `{"schema":"dkimctl/rotation-journal/1","domain":"other.example","keys":[]}`]) {
      writeFileSync(path, text);
      const listed = await folder.domains();
      expect(listed).toEqual([hasKeys ? long : basename(path, ".json"), domain].sort());
      for (const one of listed) {
        if (one === domain) await folder.read(one);
        else await expect(folder.read(one)).rejects.toThrow(path);
      }
    }
  });

  test("a journal under another domain's name is not believed", async () => {
    const store = temporaryFolder();
    const folder = journalsOf(store);
    await write(folder, { domain, keys: [] });
    writeFileSync(
      join(store, ".dkimctl/journal/other.example.json"),
      `{"schema":"dkimctl/rotation-journal/1","domain":"example.com","keys":[]}`,
    );
    await expect(folder.read(parseDomainName("other.example"))).rejects.toThrow(JournalError);
  });

  test("when the last run was", async () => {
    const folder = journalsOf(temporaryFolder());
    expect(await folder.lastRunAt()).toBeUndefined();
    await folder.recordRun(START);
    expect(await folder.lastRunAt()).toBe(START);
    expect(await folder.domains()).toEqual([]);
  });
});

describe("a disk that is full or fails at any write of the journal", () => {
  /** A life of two keys, one step at each of these times; at one of them the disk fails once. */
  const TIMES = [0, HOUR, 9 * HOUR, 91 * DAY, 92 * DAY, 100 * DAY, 131 * DAY];

  async function live(failing: number, failAt: number, code: string) {
    const world = new SimulatedWorld({ seed: 1, days: 0, faults: 0, rotate: (any) => dkimctlRotation(any, domain) });
    const store = temporaryFolder();
    let failed = false;
    const run = async (now: number, folder: DirectoryJournalStore) => {
      const journals = journalsOf(store);
      const rotating = simulatedRotationWorld(
        world,
        { now, clock: now, lastRunAt: undefined, clockSetAt: undefined },
        (journal) => write(folder, journal),
      );
      const start = (await journals.read(domain)) ?? { domain, keys: [] };
      try {
        const { findings } = await rotateDomain(start, world.policy, rotating);
        if (findings.length > 0) failed = true;
      } catch (error) {
        if (!(error instanceof DkimctlError)) throw error;
        failed = true;
      }
    };
    for (const [index, time] of TIMES.entries()) {
      const now = START + time;
      if (index === failing) await run(now, journalsOf(store, faultyOperations(failAt, code).operations));
      for (let again = 0; again < 3; again++) await run(now + again * HOUR, journalsOf(store));
    }
    const left = readdirSync(join(store, ".dkimctl/journal")).filter((name) => name.startsWith("."));
    const states = (await journalsOf(store).read(domain))?.keys.map(({ selector, state }) => `${selector} ${state}`);
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
