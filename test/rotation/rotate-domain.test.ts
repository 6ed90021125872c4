import { describe, expect, test } from "vitest";
import { OperationError, TryAgainError } from "../../src/errors.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import { previewRotation, rotateDomain } from "../../src/rotation/rotate-domain.ts";
import { isLive, type Journal, type RotationKey } from "../../src/rotation/rotation-key.ts";
import type { RotationPolicy } from "../../src/rotation/rotation-policy.ts";
import type { RotationWorld } from "../../src/rotation/rotation-world.ts";
import { active, agreed, DAY, doubt, due, HOUR, intent, key, NOW, OURS, POLICY } from "../helpers/planned-rotation.ts";

/* One run: what is written down before an effect and after it, in which order, and what becomes of one that fails. */

/** A world in which every wish comes true at once, unless a test says otherwise. Each call is told, with what was written. */
class TestWorld implements RotationWorld {
  readonly log: string[] = [];
  readonly zone: Map<string, Observation>;
  readonly stored: Set<string>;
  lastRunAt: number | undefined;
  clockSetAt: number | undefined;
  journal: Journal;
  /** What a call does instead, by its name. */
  readonly instead: Partial<Record<string, () => "done" | "asked">> = {};
  /** The end of a key that is to be made public. */
  end: "gone" | "revealed" = "revealed";

  constructor(journal: Journal, seen: Readonly<Record<string, Observation>>) {
    this.journal = journal;
    this.zone = new Map(Object.entries(seen));
    this.stored = new Set(journal.keys.filter(isLive).map(({ selector }) => selector));
  }

  #call(name: string, what: string): "done" | "asked" {
    this.log.push(`${name} ${what}`);
    return this.instead[name]?.() ?? "done";
  }

  #write(journal: Journal): Journal {
    this.journal = journal;
    const keys = journal.keys.map(({ selector, state, intent }) => {
      if (intent === undefined) return `${selector} ${state}`;
      return `${selector} ${state} ${intent.effect}${intent.last === undefined ? "…" : "!"}`;
    });
    this.log.push(`journal: ${keys.join(", ")}`);
    return journal;
  }

  now = () => NOW;
  random = () => "0badcafe";
  async taken(selectors?: readonly string[]): Promise<ReadonlySet<string>> {
    return selectors === undefined ? this.stored : new Set(selectors.filter((name) => this.stored.has(name)));
  }
  async observe({ selector }: RotationKey): Promise<Observation> {
    return this.zone.get(selector) ?? { ...agreed("nothing"), ttlSeconds: 0, negativeSeconds: 0 };
  }
  async writeJournal(journal: Journal): Promise<void> {
    this.#write(journal);
  }
  async makeKey({ selector }: { selector: string }, journalWith: (made: { record: string; bits: number }) => Journal) {
    this.#call("make", selector);
    this.stored.add(selector);
    return this.#write(journalWith({ record: `v=DKIM1; p=${selector}`, bits: 2048 }));
  }
  async changeRecord({ key: { selector }, effect, seen }: Parameters<RotationWorld["changeRecord"]>[0]) {
    const outcome = this.#call(effect, `${selector} where ${seen?.kind === "agreed" ? seen.serves : seen?.kind}`);
    if (outcome === "asked") return outcome;
    this.zone.set(selector, agreed(({ publish: "ours", tombstone: "revoked", withdraw: "nothing" } as const)[effect]));
    return outcome;
  }
  async prove({ selector }: RotationKey): Promise<void> {
    this.#call("prove", selector);
  }
  async activate(keys: readonly RotationKey[], retired: readonly RotationKey[]) {
    const names = (some: readonly RotationKey[]) => some.map(({ selector }) => selector).join(" and ");
    return this.#call("activate", `${names(keys)} for ${names(retired)}`);
  }
  async destroyKey({ selector }: RotationKey, journal: Journal): Promise<void> {
    this.#call("destroy", selector);
    this.stored.delete(selector);
    this.#write(journal);
  }
  async revealKey({ selector }: RotationKey, journalWith: (end: "gone" | "revealed") => Journal): Promise<Journal> {
    this.#call("reveal", selector);
    this.stored.delete(selector);
    return this.#write(journalWith(this.end));
  }
}

function worldOf(
  keys: readonly RotationKey[],
  seen: Readonly<Record<string, Observation>> = {},
  journal: Partial<Journal> = {},
) {
  // As the look before this one left it: nothing that is seen is new.
  const known = keys.map((one): RotationKey => ({ ...one, ...(isLive(one) && one.provenSince && { servedAt: "x" }) }));
  return new TestWorld({ domain: "example.com", keys: known, ...journal }, seen);
}

async function rotate(world: TestWorld, policy: Partial<RotationPolicy> = {}) {
  const { journal, done, findings } = await rotateDomain(world.journal, { ...POLICY, ...policy }, world);
  expect(journal).toBe(world.journal);
  return {
    done: done.map((step) => step.kind),
    findings: findings.map(({ level, message }) => `${level}: ${message}`),
    hints: findings.map(({ hint }) => hint),
  };
}

const next = key("k1", "ready", DAY);
const fails = (error: Error) => () => {
  throw error;
};

describe("what is written down, and when", () => {
  test("a new key: its name before it is made, the wish for its record before it is told and after", async () => {
    const world = worldOf([], { k1: agreed("nothing") });
    expect(await rotate(world)).toMatchObject({ done: ["create", "publish", "advance"], findings: [] });
    expect(world.log).toEqual([
      "journal: k1 new",
      "make k1",
      "journal: k1 new",
      // The name was looked at in between: a "no" may be in caches from then on.
      "journal: k1 new",
      "journal: k1 new publish…",
      "publish k1 where nothing",
      "journal: k1 new publish!",
      "journal: k1 new publish!",
      "journal: k1 published",
    ]);
    expect(world.journal.keys).toEqual([
      expect.objectContaining({
        record: "v=DKIM1; p=k1",
        bits: 2048,
        entered: { new: NOW, published: NOW },
        provenSince: NOW,
      }),
    ]);
  });

  test("nothing, when nothing is new", async () => {
    const world = worldOf([active], { old: OURS });
    expect(await rotate(world)).toMatchObject({ done: [], findings: [] });
    expect(world.log).toEqual([]);
  });

  test("a key that was reserved before is not reserved twice", async () => {
    const world = worldOf([key("k1", "new", HOUR, { record: undefined, provenSince: undefined })]);
    world.stored.clear();
    await rotate(world);
    expect(world.journal.keys).toHaveLength(1);
    expect(world.log).toContain("make k1");
    expect(world.journal.keys[0]?.entered.new).toBe(NOW - HOUR);
  });

  test("a change of the signer: proven, wished for, made, confirmed", async () => {
    const world = worldOf([due, next], { old: OURS, k1: OURS }, { rotationAskedAt: NOW });
    expect(await rotate(world)).toMatchObject({ done: ["activate"], findings: [] });
    expect(world.log).toEqual([
      "prove k1",
      "journal: old active, k1 ready activate…",
      "activate k1 for old",
      "journal: old draining, k1 active",
    ]);
    expect(world.journal.rotationAskedAt).toBeUndefined();
  });

  test("going back: no wish is written, for the journal says so already", async () => {
    const begun = key("k1", "ready", DAY, { ...intent("activate", HOUR), provenSince: undefined });
    const world = worldOf([due, begun], { old: OURS, k1: doubt(false) });
    world.journal = { ...world.journal, rotationAskedAt: NOW };
    expect(await rotate(world)).toMatchObject({ done: ["activate"] });
    expect(world.log).toEqual(["prove old", "activate old for ", "journal: old active, k1 ready"]);
    expect(world.journal.keys[0]?.entered).toEqual({ active: NOW - 91 * DAY });
    expect(world.journal.rotationAskedAt).toBe(NOW);
  });

  test("since when a change is wished for stays, however often it is told", async () => {
    const late = key("k1", "new", 2 * DAY, { ...intent("publish", DAY), provenSince: undefined });
    const world = worldOf([active, late], { old: OURS });
    await rotate(world);
    expect(world.log).toContain("publish k1 where nothing");
    const [, wished] = worldOf([active, late]).journal.keys;
    expect(wished?.intent).toEqual({ effect: "publish", since: NOW - DAY, last: NOW - DAY });
    const stuck = worldOf([active, late], { old: OURS });
    stuck.instead.publish = () => "asked";
    await rotate(stuck);
    expect(stuck.journal.keys[1]?.intent).toEqual({ effect: "publish", since: NOW - DAY, last: NOW });
    const other = worldOf([active, { ...late, ...intent("withdraw", DAY) }], { old: OURS });
    other.instead.publish = () => "asked";
    await rotate(other);
    expect(other.journal.keys[1]?.intent).toEqual({ effect: "publish", since: NOW, last: NOW });
  });

  test("a wish that failed was not told: the next run tells it at once", async () => {
    const world = worldOf([active, key("k1", "new", HOUR, { provenSince: undefined })], { old: OURS });
    world.instead.publish = fails(new OperationError("the publisher failed"));
    await rotate(world);
    expect(world.journal.keys[1]?.intent).toEqual({ effect: "publish", since: NOW, last: undefined });
  });

  test("the end of a key, and of the journal's other keys nothing", async () => {
    const world = worldOf([key("k0", "gone", 99 * DAY), active, key("k0", "tombstone", 31 * DAY)], {
      old: OURS,
      k0: agreed("revoked"),
    });
    expect(await rotate(world)).toMatchObject({ done: ["withdraw", "destroy"], findings: [] });
    expect(world.log).toEqual([
      "journal: k0 gone, old active, k0 tombstone",
      "journal: k0 gone, old active, k0 tombstone withdraw…",
      "withdraw k0 where revoked",
      "journal: k0 gone, old active, k0 tombstone withdraw!",
      "destroy k0",
      "journal: k0 gone, old active, k0 gone",
    ]);
    expect(world.journal.keys[0]?.entered).toEqual({ gone: NOW - 99 * DAY });
    expect(world.journal.keys[2]?.entered).toEqual({ tombstone: NOW - 31 * DAY, gone: NOW });
  });

  test.each([
    ["revealed", "reveal", { tombstone: NOW - 31 * DAY, gone: NOW, revealed: NOW }],
    ["gone", "destroy", { tombstone: NOW - 31 * DAY, gone: NOW }],
  ] as const)("a key that is to be made public ends as %s", async (end, kind, entered) => {
    const world = worldOf(
      [active, key("k0", "tombstone", 31 * DAY, { absentSince: NOW - DAY, ...intent("withdraw", DAY) })],
      {
        old: OURS,
      },
    );
    world.end = end;
    expect(await rotate(world, { reveal: true })).toMatchObject({ done: [kind] });
    expect(world.log.filter((line) => !line.startsWith("journal"))).toEqual(["reveal k0"]);
    expect(world.journal.keys[1]).toMatchObject({ state: end, entered, intent: undefined });
  });
});

describe("for how long caches may hold something older than a new key", () => {
  const ring = { selectorRing: ["s1", "s2"].map(parseSelector) };
  const signing = key("s1", "active", 91 * DAY, { staleSeconds: 60, ttlSeconds: 60 });
  const created = async (keys: readonly RotationKey[], seen: Readonly<Record<string, Observation>>) => {
    const world = worldOf(keys, seen);
    world.instead.make = fails(new OperationError("no space"));
    await rotate(world, ring);
    return world.journal.keys.at(-1);
  };
  const long = { staleSeconds: 7000, ttlSeconds: 8000 };

  test.each<[string, readonly RotationKey[], Readonly<Record<string, Observation>>, number]>([
    ['the "no" of the zone', [signing], { s1: { ...OURS, negativeSeconds: 900 } }, 900],
    ['the "no" that a doubt tells of', [signing], { s1: { ...doubt(true), negativeSeconds: 1200 } }, 1200],
    ["the record of its selector's last key", [signing, key("s2", "gone", DAY, long)], { s1: OURS }, 8000],
    ["what was before that", [signing, key("s2", "gone", DAY, { ...long, ttlSeconds: 60 })], { s1: OURS }, 7000],
    ["not the records of other selectors", [{ ...signing, ...long }], { s1: OURS }, 600],
    ["nothing is known", [], {}, 0],
  ])("%s", async (_, keys, seen, staleSeconds) => {
    expect(await created(keys, seen)).toMatchObject({
      state: "new",
      staleSeconds,
      ttlSeconds: 0,
      entered: { new: NOW },
    });
  });
});

describe("what fails", () => {
  test("one change, and the others go on", async () => {
    const world = worldOf([active, key("k1", "new", 0, { provenSince: undefined }), key("k0", "draining", 8 * DAY)], {
      old: OURS,
      k0: OURS,
    });
    world.instead.publish = fails(new OperationError("the publisher failed", { hint: "see its log" }));
    expect(await rotate(world)).toEqual({
      done: ["tombstone", "advance"],
      findings: ["person: publish: the publisher failed"],
      hints: ["see its log"],
    });
    // Once in a run is enough.
    expect(world.log.filter((line) => line.startsWith("publish"))).toHaveLength(1);
  });

  test("without a word: a publisher that lies is asked once in a run", async () => {
    const world = worldOf([active, key("k1", "new", 0, { provenSince: undefined })], { old: OURS });
    world.changeRecord = async () => "done";
    expect(await rotate(world, { publishAgainMs: 0 })).toMatchObject({ done: ["publish"], findings: [] });
  });

  test("for now only", async () => {
    const world = worldOf([active, key("k1", "new", 0, { provenSince: undefined })], { old: OURS });
    world.instead.publish = fails(new TryAgainError("the server is busy"));
    expect((await rotate(world)).findings).toEqual(["waiting: publish: the server is busy"]);
  });

  test("the proof: the signer is left alone, and no wish is written", async () => {
    const world = worldOf([due, next], { old: OURS, k1: OURS });
    world.instead.prove = fails(new OperationError("not a pair"));
    expect(await rotate(world)).toMatchObject({ done: [], findings: ["person: activate: not a pair"] });
    expect(world.log).toEqual(["prove k1"]);
  });

  test("the signer: the key that signed signs on, and the wish stays", async () => {
    const world = worldOf([due, next], { old: OURS, k1: OURS });
    world.instead.activate = fails(new OperationError("the reload failed"));
    expect(await rotate(world)).toMatchObject({ done: [], findings: ["person: activate: the reload failed"] });
    expect(world.log.at(-2)).toBe("journal: old active, k1 ready activate…");
  });

  test("by a bug: the run ends", async () => {
    const world = worldOf([due, next], { old: OURS, k1: OURS });
    world.instead.activate = fails(new TypeError("a bug"));
    await expect(rotate(world)).rejects.toThrow(TypeError);
  });

  test("without end: a world in which nothing lasts is left after a while", async () => {
    const world = worldOf([due], { old: OURS });
    world.makeKey = async (_, journalWith) => {
      journalWith({ record: "x", bits: 1 });
      return { ...world.journal, keys: [world.journal.keys[0] ?? due] };
    };
    let looks = 0;
    world.taken = async (names) => {
      const all = ["old", ...Array.from({ length: looks++ }, (_, n) => `k${n + 1}`)];
      return new Set(names?.filter((name) => all.includes(name)) ?? all);
    };
    const { done } = await rotateDomain(world.journal, POLICY, world);
    expect(done).toHaveLength(12);
  });
});

describe("what a person is told", () => {
  test("what it was, though a later round has mended it", async () => {
    const world = worldOf([active], { old: agreed("nothing") });
    expect(await rotate(world)).toMatchObject({
      done: ["publish"],
      findings: ["person: no server has the record, and mail that was signed with this key fails"],
    });
  });

  test("what is waited for, as it is in the end", async () => {
    const late = key("k1", "new", 2 * DAY, { ...intent("publish", 2 * DAY), provenSince: undefined });
    expect((await rotate(worldOf([active, late], { old: OURS }))).findings).toEqual([]);
    expect((await rotate(worldOf([active, late], { old: OURS, k1: doubt(true) }))).findings).toEqual([
      "waiting: ns2 is down, 2d after it was asked for",
    ]);
  });

  test.each<[string, RotationKey, Observation, string]>([
    [
      "publish",
      key("k1", "new", 0, { provenSince: undefined }),
      agreed("nothing"),
      "publish this TXT record at x: v=DKIM1; p=x",
    ],
    ["tombstone", key("k1", "draining", 8 * DAY), OURS, "replace the TXT record at x by: v=DKIM1; p="],
    ["withdraw", key("k1", "tombstone", 31 * DAY), agreed("revoked"), "remove the TXT record at x"],
  ])("to %s, at the end of CNAMEs", async (effect, one, seen, message) => {
    const world = worldOf([active, one], { old: OURS, k1: seen });
    world.instead[effect] = () => "asked";
    expect(await rotate(world)).toMatchObject({ done: [], findings: [`person: ${message}`] });
    expect(world.journal.keys[1]?.intent).toEqual({ effect, since: NOW, last: NOW });
  });

  test("to change the signer, and how to tell that it is done", async () => {
    const world = worldOf([due, next], { old: OURS, k1: OURS });
    world.instead.activate = () => "asked";
    expect(await rotate(world)).toEqual({
      done: [],
      findings: ["person: make the signer use k1"],
      hints: ["then tell: dkimctl rotate example.com --active k1"],
    });
    expect(world.log.at(-1)).toBe("journal: old active, k1 ready activate!");
  });

  test("to change the signer to two keys", async () => {
    const world = worldOf([next, key("e", "ready", DAY, { algorithm: "ed25519" })], { e: OURS, k1: OURS });
    world.instead.activate = () => "asked";
    expect(await rotate(world, { algorithms: ["rsa", "ed25519"] })).toMatchObject({
      findings: ["person: make the signer use k1 and e"],
      hints: ["then tell: dkimctl rotate example.com --active k1 --active e"],
    });
  });

  test("to change the signer back", async () => {
    const world = worldOf([due, key("k1", "ready", DAY, { ...intent("activate", HOUR), provenSince: undefined })], {
      old: OURS,
      k1: doubt(false),
    });
    world.instead.activate = () => "asked";
    expect((await rotate(world)).findings).toContain("person: make the signer use old");
    expect(world.journal.keys.map(({ intent }) => intent?.effect)).toEqual([undefined, "activate"]);
  });
});

describe("the clock", () => {
  test("is behind: a break of a proof is written down, and no proof begins", async () => {
    const world = worldOf([active, key("k1", "published", DAY, { provenSince: undefined }), next], {
      old: OURS,
      k1: OURS,
    });
    world.journal = { ...world.journal, keys: [active, key("k2", "published", DAY, { provenSince: undefined }), next] };
    world.zone.set("k1", doubt(false)).set("k2", OURS);
    world.lastRunAt = NOW + DAY;
    const { done, findings } = await rotate(world);
    expect([done, findings]).toEqual([[], [expect.stringContaining("the clock was or is wrong")]]);
    expect(world.journal.keys.map(({ provenSince }) => provenSince)).toEqual([NOW - 10 * DAY, undefined, undefined]);
  });

  test("was set forward: the plan is told", async () => {
    const world = worldOf([next], { k1: OURS });
    world.clockSetAt = NOW;
    expect((await rotate(world)).done).toEqual([]);
  });
});

test("the signer's configuration is asked, where it can be", async () => {
  const world = worldOf([active], { old: OURS });
  const where = () => undefined;
  const named = async () => ({ kind: "known", source: "/etc/x", isWhole: true, signing: [], where }) as const;
  const { findings } = await rotate(Object.assign(world, { named }));
  expect(findings).toEqual(["person: the signer does not use it: /etc/x does not name it"]);
});

test.each<[string, Partial<RotationPolicy>, string[]]>([
  ["with a template, the next name is taken", {}, ["make k2"]],
  ["of a ring, the next selector", { selectorRing: ["k1", "k3"].map(parseSelector) }, ["make k3"]],
  ["of a ring that has no other, none", { selectorRing: ["old", "k1"].map(parseSelector) }, []],
])("what the store has under nobody's care is found before a key is made: %s", async (_, policy, made) => {
  const world = worldOf([due], { old: OURS });
  world.stored.add("k1");
  await rotate(world, policy);
  expect(world.log.filter((line) => line.startsWith("make"))).toEqual(made);
  expect(world.journal.keys.some(({ selector }) => selector === "k1")).toBe(false);
});

test("a confirmed change of the signer leaves other wishes alone", async () => {
  const drained = key("k0", "draining", 8 * DAY, intent("tombstone", 60_000));
  const world = worldOf([due, next, drained], { old: OURS, k1: OURS, k0: OURS });
  await rotate(world);
  expect(world.journal.keys.map(({ state, intent }) => [state, intent?.effect])).toEqual([
    ["draining", undefined],
    ["active", undefined],
    ["draining", "tombstone"],
  ]);
});

test("a random selector is the world's", async () => {
  const world = worldOf([]);
  await rotate(world, { selector: parseSelectorTemplate("{random}") });
  expect(world.log).toContain("make 0badcafe");
});

test("a preview is the first plan, with what was seen, and changes nothing", async () => {
  const world = worldOf([due, key("k1", "published", 2 * DAY, { provenSince: undefined })], { old: OURS, k1: OURS });
  const { journal, steps } = await previewRotation(world.journal, POLICY, world);
  expect(steps).toEqual([]);
  expect(journal.keys[1]?.provenSince).toBe(NOW);
  expect(world.log).toEqual([]);
});
