import { describe, expect, test } from "vitest";
import type { Effect, KeyState, RotationKey } from "../../src/rotation/rotation-key.ts";
import {
  active,
  agreed,
  type Case,
  DAY,
  doubt,
  HOUR,
  intent,
  key,
  NOW,
  OURS,
  plan,
} from "../helpers/planned-rotation.ts";

/* What one key needs beside a healthy active one, in each state, whatever is seen of it: steps, waits and findings. */

type Row = readonly [title: string, key: RotationKey, seen: Case["seen"], expected: Partial<ReturnType<typeof plan>>];

const MINUTE = 60_000;
const NOTHING = { steps: [], why: [], waits: [], findings: [] };
const rotation = `rotation +${80 * 24}h`;

function planBeside(one: RotationKey, seen: Case["seen"], more: Partial<Case> = {}) {
  const { steps, why, waits, findings } = plan({ keys: [active, one], seen: { old: OURS, ...seen }, ...more });
  return { steps, why, waits: waits.filter((wait) => wait !== rotation), findings };
}

const LATE = intent("publish", DAY);
const k1 = (state: KeyState, ageMs = 0, more: Partial<RotationKey> = {}) => key("k1", state, ageMs, more);
const leaked = { compromisedAt: NOW };
const other = "the record at its name is not ours: other";

describe("a key that does not sign yet", () => {
  test.each<Row>([
    ["was not looked at", k1("new"), {}, NOTHING],
    [
      "new, no record: it is asked for",
      k1("new"),
      { k1: agreed("nothing") },
      { ...NOTHING, steps: ["publish k1"], why: ["every server must have it"] },
    ],
    [
      "new, asked for less than a while ago: the servers have their time",
      k1("new", HOUR, intent("publish", 10 * MINUTE - 1)),
      { k1: agreed("nothing") },
      { ...NOTHING, waits: ["the servers"] },
    ],
    [
      "new, asked for a while ago: once more",
      k1("new", HOUR, intent("publish", 10 * MINUTE)),
      { k1: agreed("nothing") },
      { ...NOTHING, steps: ["publish k1"], why: ["every server must have it"] },
    ],
    [
      "new, and the run was killed before it had asked: at once",
      k1("new", MINUTE, { intent: { effect: "publish", since: NOW - MINUTE } }),
      { k1: agreed("nothing") },
      { ...NOTHING, steps: ["publish k1"], why: ["every server must have it"] },
    ],
    [
      "new, and for a day no server has it",
      k1("new", DAY, LATE),
      { k1: agreed("nothing") },
      {
        ...NOTHING,
        steps: ["publish k1"],
        why: ["every server must have it"],
        findings: ["waiting: no server has the record, 1d after it was asked for"],
      },
    ],
    [
      "new, and for nearly a day not all of them",
      k1("new", DAY, intent("publish", DAY - 1)),
      { k1: doubt(true) },
      { ...NOTHING, waits: ["the servers: ns2 is down"] },
    ],
    [
      "new, and for a day not all of them",
      k1("new", DAY, LATE),
      { k1: doubt(true) },
      {
        ...NOTHING,
        waits: ["the servers: ns2 is down"],
        findings: ["waiting: ns2 is down, 1d after it was asked for"],
      },
    ],
    [
      "new, and a server is silent: it may be reloading",
      k1("new", DAY, intent("publish", HOUR)),
      { k1: doubt(false) },
      { ...NOTHING, waits: ["the servers: ns2 is down"] },
    ],
    [
      "new, and a server has been silent for a day",
      k1("new", DAY, intent("publish", DAY)),
      { k1: doubt(false) },
      {
        ...NOTHING,
        waits: ["the servers: ns2 is down"],
        findings: ["waiting: ns2 is down, 1d after it was asked for"],
      },
    ],
    [
      "new, and something else stands there",
      k1("new"),
      { k1: agreed("other") },
      { ...NOTHING, findings: [`person: ${other}`] },
    ],
    [
      "new, and all servers have it",
      k1("new"),
      { k1: OURS },
      { ...NOTHING, steps: ["k1 -> published"], why: ["every server has the record"] },
    ],
    [
      "new, and the proof is not written down: it has not begun",
      k1("new", 0, { provenSince: undefined }),
      { k1: OURS },
      NOTHING,
    ],
    [
      "published: a moment too early",
      k1("published", HOUR + 10 * MINUTE - 1),
      { k1: OURS },
      { ...NOTHING, waits: [`caches that may hold an older answer +${1 / HOUR}h`] },
    ],
    [
      "published: at the moment when no cache can hold a no, the margin included",
      k1("published", HOUR + 10 * MINUTE),
      { k1: OURS },
      { ...NOTHING, steps: ["k1 -> ready"], why: ["no cache holds an older answer"] },
    ],
    [
      "published, and the proof is not written down",
      k1("published", DAY, { provenSince: undefined }),
      { k1: OURS },
      NOTHING,
    ],
    [
      "published, and the record has gone: no alarm, for no mail needs it",
      k1("published", 2 * DAY, { provenSince: undefined, ...intent("publish", 2 * DAY) }),
      { k1: agreed("nothing") },
      { ...NOTHING, steps: ["publish k1"], why: ["the record has gone"] },
    ],
    [
      "published, and a server lacks it",
      k1("published", DAY, { provenSince: undefined, ...LATE }),
      { k1: doubt(true) },
      { ...NOTHING, waits: ["the servers: ns2 is down"], findings: ["waiting: ns2 is down"] },
    ],
    [
      "published, and revoked by somebody",
      k1("published", DAY, { provenSince: undefined }),
      { k1: agreed("revoked") },
      { ...NOTHING, findings: ["person: the record at its name is not ours: revoked"] },
    ],
    ["ready: it waits for its turn", k1("ready", DAY), { k1: OURS }, NOTHING],
    [
      "ready, proven anew",
      k1("ready", DAY, { provenSince: NOW }),
      { k1: OURS },
      { ...NOTHING, waits: [`caches that may hold an older answer +${1 + 1 / 6}h`] },
    ],
    [
      "ready, and the record has gone",
      k1("ready", DAY, { provenSince: undefined }),
      { k1: agreed("nothing") },
      { ...NOTHING, steps: ["publish k1"], why: ["the record has gone"] },
    ],
  ])("%s", (_, one, seen, expected) => {
    expect(planBeside(one, seen)).toEqual(expected);
  });

  const states = ["new", "published", "ready"] as const;
  const begun = intent("activate", HOUR);
  describe.each(states)("%s, and it shall never sign", (state) => {
    test.each<[string, Partial<RotationKey>, Partial<Case>, string]>([
      ["it leaked", leaked, {}, "it is compromised"],
      ["its file was deleted", {}, { lost: ["k1"] }, "its private key is not in the store"],
      ["its algorithm is no longer wanted", { algorithm: "ed25519" }, {}, "ed25519 keys are no longer wanted"],
    ])("%s", (_, more, given, why) => {
      const planned = planBeside(k1(state, 0, more), { k1: OURS }, given);
      expect(planned.steps).toContain("k1 -> draining");
      expect(planned.why).toContain(why);
      // The signer was told of it, perhaps: then it is gone back first.
      const changing = planBeside(k1(state, 0, { ...more, ...begun }), { k1: OURS }, given);
      expect(changing.steps).not.toContain("k1 -> draining");
    });
  });

  test.each<[string, Partial<RotationKey>]>([
    ["whatever else", {}],
    ["of an algorithm that is no longer wanted", { algorithm: "ed25519" }],
  ])("reserved only, and the run was killed: it is made, %s", (_, more) => {
    const reserved = k1("new", 0, { record: undefined, provenSince: undefined, ...more });
    expect(planBeside(reserved, {}, { lost: ["k1"] })).toEqual({
      ...NOTHING,
      steps: ["create k1"],
      why: ["begun before"],
    });
  });
});

describe("a key whose mail may be on its way", () => {
  const k0 = (ageMs: number, more: Partial<RotationKey> = {}) => key("k0", "draining", ageMs, more);
  const lost = "person: no server has the record, and mail that was signed with this key fails";
  test.each<Row>([
    ["was not looked at", k0(DAY), {}, NOTHING],
    ["was not looked at, and its time is up", k0(7 * DAY), {}, NOTHING],
    [
      "a moment before its time is up",
      k0(7 * DAY - 1),
      { k0: OURS },
      { ...NOTHING, waits: [`mail on its way +${1 / HOUR}h`] },
    ],
    [
      "its record has gone",
      k0(DAY, intent("publish", 2 * DAY)),
      { k0: agreed("nothing") },
      { ...NOTHING, steps: ["publish k0"], why: ["the record has gone"], findings: [lost] },
    ],
    [
      "it was revoked by somebody",
      k0(DAY),
      { k0: agreed("revoked") },
      { ...NOTHING, findings: ["person: the record at its name is not ours: revoked"] },
    ],
    ["a server lacks it", k0(DAY), { k0: doubt(true) }, { ...NOTHING, findings: ["person: ns2 is down"] }],
    [
      "a server is silent",
      k0(DAY),
      { k0: doubt(false) },
      { ...NOTHING, waits: ["the servers: ns2 is down"], findings: ["waiting: ns2 is down"] },
    ],
    [
      "its time is up",
      k0(7 * DAY),
      { k0: OURS },
      { ...NOTHING, steps: ["tombstone k0"], why: ["no mail is on its way"] },
    ],
    ["it leaked", k0(0, leaked), { k0: OURS }, { ...NOTHING, steps: ["tombstone k0"], why: ["it is compromised"] }],
    [
      "it leaked, says a clock that is a minute ahead",
      k0(0, { compromisedAt: NOW + MINUTE }),
      { k0: OURS },
      { ...NOTHING, waits: [`mail on its way +${MINUTE / HOUR}h`] },
    ],
    [
      "it leaked before it was replaced, says a clock that was a minute ahead then",
      k0(-MINUTE, { compromisedAt: NOW - HOUR }),
      { k0: OURS },
      { ...NOTHING, waits: [`mail on its way +${MINUTE / HOUR}h`] },
    ],
    [
      "it leaked, and the change that was asked for makes its way",
      k0(HOUR, { ...leaked, ...intent("tombstone", MINUTE) }),
      { k0: OURS },
      { ...NOTHING, waits: ["the servers"] },
    ],
    [
      "it is revoked everywhere",
      k0(7 * DAY),
      { k0: agreed("revoked") },
      { ...NOTHING, steps: ["k0 -> tombstone"], why: ["every server has the revoked record"] },
    ],
    [
      "somebody has removed it instead",
      k0(7 * DAY),
      { k0: agreed("nothing") },
      { ...NOTHING, steps: ["k0 -> tombstone"], why: ["no server has the record"] },
    ],
    [
      "for a day it is not revoked",
      k0(8 * DAY, intent("tombstone", DAY)),
      { k0: OURS },
      {
        ...NOTHING,
        steps: ["tombstone k0"],
        why: ["no mail is on its way"],
        findings: ["waiting: the record is not revoked, 1d after it was asked for"],
      },
    ],
    [
      "some servers have revoked it",
      k0(7 * DAY, intent("tombstone", HOUR)),
      { k0: doubt(true) },
      { ...NOTHING, waits: ["the servers: ns2 is down"] },
    ],
    [
      "for a day only some servers have revoked it",
      k0(8 * DAY, intent("tombstone", DAY)),
      { k0: doubt(true) },
      {
        ...NOTHING,
        waits: ["the servers: ns2 is down"],
        findings: ["waiting: ns2 is down, 1d after it was asked for"],
      },
    ],
    [
      "for a day it is not published again: that is another wish",
      k0(8 * DAY, LATE),
      { k0: doubt(true) },
      { ...NOTHING, waits: ["the servers: ns2 is down"] },
    ],
    ["something else is there", k0(7 * DAY), { k0: agreed("other") }, { ...NOTHING, findings: [`person: ${other}`] }],
  ])("%s", (_, one, seen, expected) => {
    expect(planBeside(one, seen)).toEqual(expected);
  });
});

describe("a revoked key", () => {
  const k0 = (ageMs: number, more: Partial<RotationKey> = {}) => key("k0", "tombstone", ageMs, more);
  const stands = { ...NOTHING, waits: [`the end of the revoked record +${29 * 24}h`] };
  test.each<Row>([
    ["was not looked at", k0(DAY), {}, stands],
    ["was not looked at, and its time is up", k0(30 * DAY), {}, NOTHING],
    ["stays for its time", k0(DAY), { k0: agreed("revoked") }, stands],
    ["stays for its time when somebody has removed the record too", k0(DAY), { k0: agreed("nothing") }, stands],
    ["stays for its time when a server is silent", k0(DAY), { k0: doubt(false) }, stands],
    [
      "its old record has come back",
      k0(DAY),
      { k0: OURS },
      { ...NOTHING, steps: ["tombstone k0"], why: ["the record has come back"] },
    ],
    [
      "its time is up",
      k0(31 * DAY),
      { k0: agreed("revoked") },
      { ...NOTHING, steps: ["withdraw k0"], why: ["revoked for 31d"] },
    ],
    [
      "for a day it is still there",
      k0(31 * DAY, intent("withdraw", DAY)),
      { k0: agreed("revoked") },
      {
        ...NOTHING,
        steps: ["withdraw k0"],
        why: ["revoked for 31d"],
        findings: ["waiting: the revoked record is still there, 1d after it was asked for"],
      },
    ],
    [
      "for a day some servers have it",
      k0(31 * DAY, intent("withdraw", DAY)),
      { k0: doubt(true) },
      {
        ...NOTHING,
        waits: ["the servers: ns2 is down"],
        findings: ["waiting: ns2 is down, 1d after it was asked for"],
      },
    ],
    [
      "its time is up, and something else is there",
      k0(30 * DAY),
      { k0: agreed("other") },
      { ...NOTHING, findings: [`person: ${other}`] },
    ],
    [
      "absent everywhere",
      k0(30 * DAY),
      { k0: agreed("nothing") },
      { ...NOTHING, steps: ["destroy k0"], why: ["no server has the record"] },
    ],
  ])("%s", (_, one, seen, expected) => {
    expect(planBeside(one, seen)).toEqual(expected);
  });

  test.each<[string, Partial<RotationKey>, Partial<ReturnType<typeof plan>>]>([
    [
      "to be made public when caches have forgotten it",
      { absentSince: NOW - 2 * HOUR },
      { steps: ["reveal k0"], why: ["no server has the record, and no cache has the key"] },
    ],
    ["to be made public a moment later", { absentSince: NOW - 2 * HOUR + 1 }, {}],
    ["to be made public, and its absence is not written down", {}, { waits: [] }],
  ])("%s", (_, more, expected) => {
    const waits = expected.steps ? [] : [`caches that may hold the key +${1 / HOUR}h`];
    expect(planBeside(k0(31 * DAY, more), { k0: agreed("nothing") }, { policy: { reveal: true } })).toEqual({
      ...NOTHING,
      waits,
      ...expected,
    });
  });

  test("to be made public, and the clock was set forward: caches are waited for from then", () => {
    const given = { policy: { reveal: true }, clockSetAt: NOW - HOUR };
    const revoked = k0(60 * DAY, { absentSince: NOW - DAY });
    // The end of the revoked record too.
    const first = planBeside(revoked, { k0: agreed("nothing") }, given);
    expect(first).toMatchObject({ steps: [], waits: [`the end of the revoked record +${30 * 24 - 1}h`] });
    const then = planBeside(revoked, { k0: agreed("nothing") }, { ...given, policy: { reveal: true, tombstoneMs: 0 } });
    expect(then).toMatchObject({ steps: [], waits: ["caches that may hold the key +1h"] });
  });
});

describe("a key that is gone is nobody's business, whatever stands at its name", () => {
  test.each<KeyState>(["gone", "revealed"])("%s", (state) => {
    for (const seen of [OURS, agreed("nothing"), agreed("other"), doubt(true)]) {
      expect(planBeside(key("k0", state, DAY), { k0: seen }, { lost: ["k0"] })).toEqual(NOTHING);
    }
  });
});

describe("what was asked for last decides when it is asked for again", () => {
  test.each<[Effect, string[], string[]]>([
    ["publish", ["withdraw k0"], []],
    ["tombstone", ["withdraw k0"], []],
    ["withdraw", [], ["the servers"]],
  ])("%s a moment ago", (effect, steps, waits) => {
    const revoked = key("k0", "tombstone", 31 * DAY, intent(effect, MINUTE));
    expect(planBeside(revoked, { k0: agreed("revoked") })).toMatchObject({ steps, waits });
  });
});

describe("the active key", () => {
  test("the file of a key that signs no more is not missed", () => {
    for (const state of ["draining", "tombstone"] as const) {
      expect(planBeside(key("k0", state, DAY), { k0: agreed("revoked") }, { lost: ["k0"] }).findings).not.toContain(
        "person: its private key is not in the store",
      );
    }
  });

  test.each<[string, Case, string | undefined]>([
    [
      "its file is gone",
      { keys: [active], seen: { old: OURS }, lost: ["old"] },
      "put it back, or let rotate make another one",
    ],
    ["its record has gone", { keys: [active], seen: { old: agreed("nothing") } }, undefined],
    [
      "its record is another",
      { keys: [active], seen: { old: agreed("other") } },
      "see it: dkimctl verify-key example.com old",
    ],
    [
      "the signer does not use it",
      { keys: [active], seen: { old: OURS }, named: [] },
      "see: dkimctl check-signer --help",
    ],
  ])("what to do: %s", (_, given, hint) => {
    expect(plan(given).hints).toEqual([hint]);
  });

  test("a configuration that is only partly understood does not tell that the signer lacks it", () => {
    expect(plan({ keys: [active], seen: { old: OURS }, named: [], isPartlyRead: true }).findings).toEqual([]);
  });
});

describe("a key that the signer's configuration still names", () => {
  const now = key("new", "active", DAY);
  const seen = { new: OURS, old: OURS };
  const named = ["new", "old"];
  const hint = "make the signer use the active key: dkimctl status tells which it is";
  test.each<[string, RotationKey, Partial<Case>, string[]]>([
    ["stays", key("old", "draining", 8 * DAY), {}, ["the signer's configuration"]],
    [
      "stays when it cannot be read",
      key("old", "draining", 8 * DAY),
      { named: "no file" },
      ["the signer's configuration"],
    ],
    ["is revoked when it leaked", key("old", "draining", 0, leaked), {}, []],
    ["is revoked when it leaked and it cannot be read", key("old", "draining", 0, leaked), { named: "no file" }, []],
  ])("%s", (_, one, more, waits) => {
    const planned = plan({ keys: [one, now], seen, named, ...more });
    expect(planned.waits.filter((wait) => !wait.startsWith("rotation"))).toEqual(waits);
    expect(planned.hints).toEqual([hint]);
    expect(planned.steps).toEqual(waits.length > 0 ? [] : ["tombstone old"]);
  });
});
