import { describe, expect, test } from "vitest";
import { parseSelector } from "../../src/keys/selector.ts";
import { absorbObservations, type Observation } from "../../src/rotation/observation.ts";
import { confirmActivation } from "../../src/rotation/rotate-domain.ts";
import type { KeyState, RotationKey } from "../../src/rotation/rotation-key.ts";
import {
  active,
  agreed,
  type Case,
  DAY,
  doubt,
  due,
  HOUR,
  intent,
  key,
  NOW,
  OURS,
  plan,
} from "../helpers/planned-rotation.ts";

describe("the life of a key", () => {
  test.each<[string, Case, string[]]>([
    ["nothing is there: the first is made", { keys: [] }, ["create k1"]],
    ["a name that the store has is not taken", { keys: [], taken: ["k1"] }, ["create k2"]],
    ["a selector is never used again", { keys: [key("k1", "gone", 900 * DAY)] }, ["create k2"]],
    ["reserved, and the run was killed", { keys: [key("k1", "new", 0, { record: undefined })] }, ["create k1"]],
    ["new: its record is asked for", { keys: [key("k1", "new", 0)], seen: { k1: agreed("nothing") } }, ["publish k1"]],
    [
      "new: asked for a moment ago",
      { keys: [key("k1", "new", 0, intent("publish", 60_000))], seen: { k1: agreed("nothing") } },
      [],
    ],
    [
      "new: asked for, and nothing came of it",
      { keys: [key("k1", "new", HOUR, intent("publish", HOUR))], seen: { k1: agreed("nothing") } },
      ["publish k1"],
    ],
    ["new: not all servers agree", { keys: [key("k1", "new", 0)], seen: { k1: doubt(true) } }, []],
    ["new: all have it", { keys: [key("k1", "new", 0)], seen: { k1: OURS } }, ["k1 -> published"]],
    ["published: caches may hold a no", { keys: [key("k1", "published", HOUR)], seen: { k1: OURS } }, []],
    [
      "published: no cache does",
      { keys: [key("k1", "published", HOUR + 600_000)], seen: { k1: OURS } },
      ["k1 -> ready"],
    ],
    [
      "published: an older record was seen there",
      { keys: [key("k1", "published", 5 * HOUR, { staleSeconds: 86_400 })], seen: { k1: OURS } },
      [],
    ],
    [
      "published: proven anew only now",
      { keys: [key("k1", "published", DAY, { provenSince: NOW })], seen: { k1: OURS } },
      [],
    ],
    [
      "published: it has gone again",
      { keys: [key("k1", "published", DAY, { provenSince: undefined })], seen: { k1: agreed("nothing") } },
      ["publish k1"],
    ],
    ["ready, and none signs: it signs", { keys: [key("k1", "ready", DAY)], seen: { k1: OURS } }, ["activate k1 for "]],
    [
      "ready, not proven: it does not",
      { keys: [key("k1", "ready", DAY, { provenSince: undefined })], seen: { k1: doubt(false) } },
      [],
    ],
    ["active: nothing to do", { keys: [active], seen: { old: OURS } }, []],
    ["active for longer than the period", { keys: [due], seen: { old: OURS } }, ["create k1"]],
    [
      "active: somebody asked",
      { keys: [active], seen: { old: OURS }, journal: { rotationAskedAt: NOW } },
      ["create k1"],
    ],
    [
      "active: somebody asked before it was",
      { keys: [active], seen: { old: OURS }, journal: { rotationAskedAt: NOW - 11 * DAY } },
      [],
    ],
    ["due, the next is not ready", { keys: [due, key("k1", "published", 0)], seen: { old: OURS, k1: OURS } }, []],
    [
      "due, the next is ready",
      { keys: [due, key("k1", "ready", DAY)], seen: { old: OURS, k1: OURS } },
      ["activate k1 for old"],
    ],
    [
      "active, and its record has gone: asked for again",
      { keys: [active], seen: { old: agreed("nothing") } },
      ["publish old"],
    ],
    [
      "draining: mail is on its way",
      { keys: [active, key("k0", "draining", 6 * DAY)], seen: { old: OURS, k0: OURS } },
      [],
    ],
    [
      "draining: it has arrived",
      { keys: [active, key("k0", "draining", 7 * DAY)], seen: { old: OURS, k0: OURS } },
      ["tombstone k0"],
    ],
    [
      "draining: a long TTL counts too",
      { keys: [active, key("k0", "draining", 7 * DAY, { ttlSeconds: 8 * 86_400 })], seen: { old: OURS, k0: OURS } },
      [],
    ],
    [
      "draining: revoked at all servers",
      { keys: [active, key("k0", "draining", 8 * DAY)], seen: { old: OURS, k0: agreed("revoked") } },
      ["k0 -> tombstone"],
    ],
    [
      "tombstone: for a while",
      { keys: [active, key("k0", "tombstone", 29 * DAY)], seen: { old: OURS, k0: agreed("revoked") } },
      [],
    ],
    [
      "tombstone: no longer",
      { keys: [active, key("k0", "tombstone", 30 * DAY)], seen: { old: OURS, k0: agreed("revoked") } },
      ["withdraw k0"],
    ],
    [
      "tombstone: the old record has come back",
      { keys: [active, key("k0", "tombstone", DAY)], seen: { old: OURS, k0: OURS } },
      ["tombstone k0"],
    ],
    [
      "tombstone: absent at all servers",
      { keys: [active, key("k0", "tombstone", 30 * DAY)], seen: { old: OURS, k0: agreed("nothing") } },
      ["destroy k0"],
    ],
    [
      "tombstone: a server does not answer",
      { keys: [active, key("k0", "tombstone", 30 * DAY)], seen: { old: OURS, k0: doubt(false) } },
      [],
    ],
    ["gone: it stays", { keys: [active, key("k0", "gone", DAY)], seen: { old: OURS } }, []],
    ["revealed: it stays", { keys: [active, key("k0", "revealed", DAY)], seen: { old: OURS } }, []],
    ["revealed: its selector is not used again", { keys: [key("k1", "revealed", 900 * DAY)] }, ["create k2"]],
  ])("%s", (_, input, steps) => {
    expect(plan(input).steps).toEqual(steps);
  });
});

describe("a private key is made public", () => {
  const policy = { reveal: true, tombstoneMs: HOUR };
  const absent = (ageMs: number, more: Partial<RotationKey> = {}) =>
    key("k0", "tombstone", 30 * DAY, { absentSince: NOW - ageMs, ...more });
  test.each<[string, Case, string[], string[]]>([
    [
      "when no server has its record, and no cache can hold it: its TTL and the margin are over",
      { policy, keys: [active, absent(2 * HOUR)], seen: { old: OURS, k0: agreed("nothing") } },
      ["reveal k0"],
      [],
    ],
    [
      "not while a cache may hold it, however long it has been revoked",
      { policy, keys: [active, absent(1.5 * HOUR)], seen: { old: OURS, k0: agreed("nothing") } },
      [],
      ["caches that may hold the key +0.5h"],
    ],
    [
      "not one that leaked either",
      { policy, keys: [active, absent(0, { compromisedAt: NOW })], seen: { old: OURS, k0: agreed("nothing") } },
      [],
      ["caches that may hold the key +2h"],
    ],
    [
      "not when nobody asked for it: it is destroyed, and no cache is waited for",
      { keys: [active, absent(0)], seen: { old: OURS, k0: agreed("nothing") } },
      ["destroy k0"],
      [],
    ],
    [
      "not while the revoked record is there",
      { policy, keys: [active, absent(DAY)], seen: { old: OURS, k0: agreed("revoked") } },
      ["withdraw k0"],
      [],
    ],
    [
      "not while a server is in doubt",
      { policy, keys: [active, absent(DAY)], seen: { old: OURS, k0: doubt(false) } },
      [],
      ["the servers: ns2 is down"],
    ],
    [
      "not when its record has come back",
      { policy, keys: [active, absent(DAY)], seen: { old: OURS, k0: OURS } },
      ["tombstone k0"],
      [],
    ],
    [
      "not before its life is over",
      { policy, keys: [key("k0", "draining", DAY, { absentSince: NOW - DAY })], seen: { k0: agreed("nothing") } },
      ["publish k0", "create k1"],
      [],
    ],
    [
      "also when it is not in the store any more: a run may have been killed after it was made public",
      { policy, keys: [active, absent(DAY)], lost: ["k0"], seen: { old: OURS, k0: agreed("nothing") } },
      ["reveal k0"],
      [],
    ],
  ])("%s", (_, input, steps, waits) => {
    const found = plan(input);
    expect(found.steps).toEqual(steps);
    expect(found.waits.filter((wait) => !wait.startsWith("rotation") && !wait.startsWith("mail"))).toEqual(waits);
  });

  test.each<[string, KeyState, Observation, number | undefined, number | undefined]>([
    ["begins when all servers are seen without it", "tombstone", agreed("revoked"), undefined, NOW],
    ["goes on as long as they are", "tombstone", agreed("nothing"), NOW - HOUR, NOW - HOUR],
    ["ends when one of them cannot be asked", "tombstone", doubt(false), NOW - HOUR, undefined],
    ["ends when it comes back", "tombstone", OURS, NOW - HOUR, undefined],
    ["does not begin before the key is revoked", "draining", agreed("nothing"), undefined, undefined],
  ])("its absence %s", (_, state, seen, before, after) => {
    const keys = [key("k0", state, DAY, { absentSince: before })];
    const absorbed = absorbObservations({ domain: "example.com", keys }, new Map([["k0", seen]]), NOW);
    expect(absorbed.keys[0]?.absentSince).toBe(after);
  });
});

describe("two algorithms are one unit", () => {
  const policy = { algorithms: ["rsa", "ed25519"] as const };
  const ed = (selector: string, state: KeyState, ageMs: number) =>
    key(selector, state, ageMs, { algorithm: "ed25519" });
  test.each<[string, Case, string[]]>([
    ["both are made", { policy, keys: [] }, ["create k1", "create k2"]],
    [
      "one is ready: it waits",
      { policy, keys: [key("r", "ready", DAY), ed("e", "published", 0)], seen: { r: OURS, e: OURS } },
      [],
    ],
    [
      "both are ready: both sign",
      { policy, keys: [key("r", "ready", DAY), ed("e", "ready", DAY)], seen: { r: OURS, e: OURS } },
      ["activate r,e for "],
    ],
    [
      "a second algorithm is wanted: a new pair",
      { policy, keys: [active], seen: { old: OURS } },
      ["create k1", "create k2"],
    ],
    [
      "one is no longer wanted before it ever signed",
      { keys: [active, ed("e", "ready", DAY)], seen: { old: OURS, e: OURS } },
      ["e -> draining"],
    ],
  ])("%s", (_, input, steps) => {
    expect(plan(input).steps).toEqual(steps);
  });
});

describe("the day a key leaks", () => {
  const leaked = { compromisedAt: NOW };
  const bad = key("old", "active", 10 * DAY, leaked);
  test.each<[string, Case, string[]]>([
    [
      "the standby signs at once",
      { keys: [bad, key("k1", "ready", DAY)], seen: { old: OURS, k1: OURS }, policy: { standby: true } },
      ["activate k1 for old"],
    ],
    ["no standby: one is made, and the old one signs on", { keys: [bad], seen: { old: OURS } }, ["create k1"]],
    [
      "no draining once it is replaced",
      { keys: [key("k1", "active", 0), key("old", "draining", 0, leaked)], seen: { k1: OURS, old: OURS } },
      ["tombstone old"],
    ],
    [
      "a standby leaks: it never signs",
      { keys: [active, key("k1", "ready", DAY, leaked)], seen: { old: OURS, k1: OURS }, policy: { standby: true } },
      ["k1 -> draining", "create k2"],
    ],
    ["a standby is kept", { keys: [active], seen: { old: OURS }, policy: { standby: true } }, ["create k1"]],
    [
      "one is enough",
      { keys: [active, key("k1", "ready", DAY)], seen: { old: OURS, k1: OURS }, policy: { standby: true } },
      [],
    ],
  ])("%s", (_, input, steps) => {
    expect(plan(input).steps).toEqual(steps);
  });
});

describe("a run was killed while it changed the signer", () => {
  const begun = (more: Partial<RotationKey> = {}) => key("k1", "ready", DAY, { ...intent("activate", HOUR), ...more });
  test.each<[string, Case, string[]]>([
    ["it is done again", { keys: [due, begun()], seen: { old: OURS, k1: OURS } }, ["activate k1 for old"]],
    [
      "also when it is no longer due",
      { keys: [active, begun()], seen: { old: OURS, k1: OURS } },
      ["activate k1 for old"],
    ],
    [
      "the new record has gone: it is published, and the signer goes back",
      { keys: [due, begun({ provenSince: undefined })], seen: { old: OURS, k1: agreed("nothing") } },
      ["publish k1", "activate old for "],
    ],
    [
      "the new key leaks: the signer goes back, or on to the next",
      { keys: [due, begun({ compromisedAt: NOW })], seen: { old: OURS, k1: OURS } },
      ["create k2", "activate old for "],
    ],
    [
      "a person was asked a moment ago",
      { keys: [due, begun()], seen: { old: OURS, k1: OURS }, policy: { activateAgainMs: DAY } },
      [],
    ],
  ])("%s", (_, input, steps) => {
    expect(plan({ ...input, taken: ["k1"] }).steps).toEqual(steps);
  });
});

describe("a key file was deleted by hand", () => {
  test.each<[string, Case, string[]]>([
    [
      "that of the active key: another one is made",
      { keys: [active], seen: { old: OURS }, lost: ["old"] },
      ["create k1"],
    ],
    [
      "the successor signs",
      { keys: [active, key("k1", "ready", DAY)], seen: { old: OURS, k1: OURS }, lost: ["old"] },
      ["activate k1 for old"],
    ],
    [
      "that of a standby: it never signs",
      { keys: [due, key("k1", "ready", DAY)], seen: { old: OURS, k1: OURS }, lost: ["k1"] },
      ["k1 -> draining", "create k2"],
    ],
    [
      "that of a key that signs no more: nobody needs it",
      { keys: [active, key("k0", "draining", DAY)], seen: { old: OURS, k0: OURS }, lost: ["k0"] },
      [],
    ],
  ])("%s", (_, input, steps) => {
    expect(plan(input).steps).toEqual(steps);
  });

  test("a person is told of the one that should sign", () => {
    expect(plan({ keys: [active], seen: { old: OURS }, lost: ["old"] }).findings).toEqual([
      "person: its private key is not in the store",
    ]);
  });
});

describe("a ring of selectors", () => {
  const policy = { selectorRing: ["s1", "s2"].map(parseSelector) };
  const signing = key("s1", "active", 91 * DAY);
  test.each<[string, Case, string[]]>([
    ["the next of the ring", { policy, keys: [signing], seen: { s1: OURS } }, ["create s2"]],
    [
      "reused when it has been gone for long enough",
      { policy, keys: [signing, key("s2", "gone", 3 * HOUR)], seen: { s1: OURS } },
      ["create s2"],
    ],
    [
      "not before caches have forgotten it",
      { policy, keys: [signing, key("s2", "gone", HOUR)], seen: { s1: OURS } },
      [],
    ],
    [
      "a key that somebody else made is not replaced",
      { policy, keys: [signing], seen: { s1: OURS }, taken: ["s2"] },
      [],
    ],
  ])("%s", (_, input, steps) => {
    expect(plan(input).steps).toEqual(steps);
  });

  test("all in use: a person is told", () => {
    const { findings } = plan({ policy, keys: [signing, key("s2", "draining", 0)], seen: { s1: OURS, s2: OURS } });
    expect(findings).toEqual(["person: every selector of the ring is in use"]);
  });
});

describe("the clock was set forward: what must have lasted is measured from then", () => {
  const policy = { selectorRing: ["s1", "s2"].map(parseSelector) };
  const clockSetAt = NOW - HOUR;
  test.each<[string, Case, string[]]>([
    ["published: caches", { clockSetAt, keys: [key("k1", "published", 3 * DAY)], seen: { k1: OURS } }, []],
    ["ready: caches", { clockSetAt, keys: [key("k1", "ready", 3 * DAY)], seen: { k1: OURS } }, []],
    [
      "long ago",
      { clockSetAt: NOW - DAY, keys: [key("k1", "ready", 3 * DAY)], seen: { k1: OURS } },
      ["activate k1 for "],
    ],
    [
      "draining: mail on its way",
      { clockSetAt, keys: [active, key("k0", "draining", 8 * DAY)], seen: { old: OURS, k0: OURS } },
      [],
    ],
    [
      "draining: a key that leaked is not waited for",
      {
        clockSetAt,
        keys: [active, key("k0", "draining", 0, { compromisedAt: NOW })],
        seen: { old: OURS, k0: OURS },
      },
      ["tombstone k0"],
    ],
    [
      "tombstone",
      { clockSetAt, keys: [active, key("k0", "tombstone", 31 * DAY)], seen: { old: OURS, k0: agreed("revoked") } },
      [],
    ],
    [
      "a selector of the ring",
      {
        clockSetAt,
        policy,
        keys: [key("s1", "active", 91 * DAY), key("s2", "gone", 3 * DAY)],
        seen: { s1: OURS },
      },
      [],
    ],
    ["the period of the active key", { clockSetAt, keys: [due], seen: { old: OURS } }, ["create k1"]],
  ])("%s", (_, input, steps) => {
    expect(plan(input).steps).toEqual(steps);
  });
});

describe("what somebody should know", () => {
  test.each<[string, Case, string[]]>([
    [
      "the active key's record has gone",
      { keys: [active], seen: { old: agreed("nothing") } },
      ["person: no server has the record, and mail that was signed with this key fails"],
    ],
    [
      "it is another record",
      { keys: [active], seen: { old: agreed("other") } },
      ["person: the record at its name is not ours: other"],
    ],
    ["one server lacks it", { keys: [active], seen: { old: doubt(true) } }, ["person: ns2 is down"]],
    ["one server is silent", { keys: [active], seen: { old: doubt(false) } }, ["waiting: ns2 is down"]],
    [
      "a new record makes its way",
      { keys: [active, key("k1", "new", HOUR, intent("publish", HOUR))], seen: { old: OURS, k1: doubt(true) } },
      [],
    ],
    [
      "for too long",
      { keys: [active, key("k1", "new", 2 * DAY, intent("publish", 2 * DAY))], seen: { old: OURS, k1: doubt(true) } },
      ["waiting: ns2 is down, 2d after it was asked for"],
    ],
    [
      "the journal is from the future",
      { keys: [key("old", "active", -HOUR)] },
      [
        "person: an earlier run was at 2026-11-21T13:00:00.000Z, 1h from now: the clock was or is wrong, and nothing is done",
      ],
    ],
    [
      "the last run was",
      { keys: [due], lastRunAt: NOW + DAY },
      [
        "person: an earlier run was at 2026-11-22T12:00:00.000Z, 1d from now: the clock was or is wrong, and nothing is done",
      ],
    ],
    ["a corrected clock is nothing", { keys: [active], seen: { old: OURS }, lastRunAt: NOW + 60_000 }, []],
  ])("%s", (_, input, findings) => {
    expect(plan(input).findings).toEqual(findings);
  });

  test("what is waited for, and until when", () => {
    expect(plan({ keys: [active], seen: { old: OURS } }).waits).toEqual([`rotation +${80 * 24}h`]);
    const keys = [due, key("k1", "published", 0), key("k0", "draining", DAY), key("k9", "tombstone", DAY)];
    expect(plan({ keys, seen: { old: OURS, k1: OURS, k0: OURS, k9: agreed("revoked") } }).waits).toEqual([
      `caches that may hold an older answer +${1 + 1 / 6}h`,
      `mail on its way +${6 * 24}h`,
      `the end of the revoked record +${29 * 24}h`,
    ]);
  });
});

test("going back to the keys that signed does not do what was asked for", () => {
  const journal = {
    domain: "example.com",
    rotationAskedAt: 1,
    keys: [due, key("k1", "ready", DAY, intent("activate", 0))],
  };
  const { keys, rotationAskedAt } = confirmActivation(journal, [parseSelector("old")], NOW);
  expect(keys.map(({ state, intent }) => [state, intent])).toEqual([
    ["active", undefined],
    ["ready", undefined],
  ]);
  expect(rotationAskedAt).toBe(1);
});

test("a confirmed change of the signer: one active set, the others drain from now on", () => {
  const journal = {
    domain: "example.com",
    rotationAskedAt: 1,
    keys: [due, key("k1", "ready", DAY, intent("activate", 0))],
  };
  const { keys, rotationAskedAt } = confirmActivation(journal, [parseSelector("k1")], NOW);
  expect(keys.map(({ state, entered, intent }) => [state, entered[state], intent])).toEqual([
    ["draining", NOW, undefined],
    ["active", NOW, undefined],
  ]);
  expect(rotationAskedAt).toBeUndefined();
});

describe("what the signer's configuration names", () => {
  const drained = key("old", "draining", 8 * DAY);
  const revoked = key("old", "tombstone", 31 * DAY);
  const now = key("new", "active", 8 * DAY);
  const both = { new: OURS, old: OURS };
  const stays = "person: /etc/x:7 still names it: its record stays until that is put right";

  test.each<[title: string, given: Case, steps: string[], findings: string[]]>([
    ["nobody has told where it is", { keys: [drained, now], seen: both }, ["tombstone old"], []],
    ["the new key only", { keys: [drained, now], seen: both, named: ["new"] }, ["tombstone old"], []],
    ["a key whose time is up", { keys: [drained, now], seen: both, named: ["new", "old"] }, [], [stays]],
    [
      "it cannot be read",
      { keys: [drained, now], seen: both, named: "no file" },
      [],
      ["person: no file: its record stays until that is put right"],
    ],
    [
      "a key that still drains",
      { keys: [key("old", "draining", DAY), now], seen: both, named: ["new", "old"] },
      [],
      [],
    ],
    [
      "a key that leaked is revoked all the same",
      {
        keys: [key("old", "draining", 0, { compromisedAt: NOW }), now],
        seen: both,
        named: ["new", "old"],
      },
      ["tombstone old"],
      ["person: /etc/x:7 still names it: it is revoked, and mail signed with it fails"],
    ],
    [
      "a key whose revoked record is to go",
      { keys: [revoked, now], seen: { new: OURS, old: agreed("revoked") }, named: ["new", "old"] },
      [],
      [stays],
    ],
    [
      "a key that is to be destroyed",
      { keys: [revoked, now], seen: { new: OURS, old: agreed("nothing") }, named: ["new", "old"] },
      [],
      [stays],
    ],
    [
      "a revoked key whose record has come back",
      { keys: [key("old", "tombstone", DAY), now], seen: both, named: ["new", "old"] },
      [],
      [stays],
    ],
    [
      "not the active key",
      { keys: [now], seen: both, named: [] },
      [],
      ["person: the signer does not use it: /etc/x does not name it"],
    ],
    [
      "not the active key, which is being replaced",
      { keys: [now, key("next", "ready", DAY, intent("activate", 0))], seen: { ...both, next: OURS }, named: ["next"] },
      ["activate next for new"],
      [],
    ],
  ])("%s", (_, given, steps, findings) => {
    const result = plan(given);
    expect([result.steps, result.findings]).toEqual([steps, findings]);
  });
});
