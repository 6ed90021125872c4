import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import type { KeyState, RotationKey } from "../../src/rotation/rotation-key.ts";
import { active, type Case, DAY, doubt, due, HOUR, intent, key, NOW, OURS, plan } from "../helpers/planned-rotation.ts";

/* Which key signs next, when, under which selector, and what a clock that is wrong does to that. */

const MINUTE = 60_000;
const seen = { old: OURS, k1: OURS, r: OURS, e: OURS, r2: OURS, e2: OURS };
const pair = { algorithms: ["rsa", "ed25519"] as const };
const ed = (selector: string, state: KeyState, ageMs: number, more: Partial<RotationKey> = {}) =>
  key(selector, state, ageMs, { algorithm: "ed25519", ...more });
const next = key("k1", "ready", DAY);

describe("why the key that signs is replaced", () => {
  test.each<[string, Case, string[], string[]]>([
    ["there is none", { keys: [] }, ["create k1"], ["no key signs yet"]],
    ["there is none, and the next is ready", { keys: [next], seen }, ["activate k1 for "], ["no key signs yet"]],
    [
      "one of an algorithm is missing",
      { policy: pair, keys: [active], seen },
      ["create k1", "create k2"],
      ["no ed25519 key signs yet", "no ed25519 key signs yet"],
    ],
    ["a moment before its period is over", { keys: [key("old", "active", 90 * DAY - 1)], seen }, [], []],
    [
      "its period is over",
      { keys: [key("old", "active", 90 * DAY)], seen },
      ["create k1"],
      ["the active key is 90d old"],
    ],
    [
      "the older of two decides",
      { policy: pair, keys: [key("r", "active", 10 * DAY), ed("e", "active", 90 * DAY)], seen },
      ["create k1", "create k2"],
      ["the active key is 90d old", "the active key is 90d old"],
    ],
    [
      "two that sign are enough",
      { policy: pair, keys: [key("r", "active", 10 * DAY), ed("e", "active", 20 * DAY)], seen },
      [],
      [],
    ],
    [
      "it leaked",
      { keys: [key("old", "active", DAY, { compromisedAt: NOW })], seen },
      ["create k1"],
      ["old is compromised"],
    ],
    ["its file is gone", { keys: [active], seen, lost: ["old"] }, ["create k1"], ["the private key of old is lost"]],
    [
      "somebody asked, in the moment in which it began to sign",
      { keys: [active], seen, journal: { rotationAskedAt: NOW - 10 * DAY } },
      ["create k1"],
      ["asked for"],
    ],
    [
      "somebody asked, before the older of two began to sign",
      {
        policy: pair,
        keys: [key("r", "active", 10 * DAY), ed("e", "active", 20 * DAY)],
        seen,
        journal: { rotationAskedAt: NOW - 21 * DAY },
      },
      [],
      [],
    ],
    ["it is not: a standby", { policy: { standby: true }, keys: [active], seen }, ["create k1"], ["a standby"]],
    [
      "the standby is used",
      { policy: { standby: true }, keys: [due, next], seen },
      ["activate k1 for old"],
      ["the active key is 91d old"],
    ],
  ])("%s", (_, given, steps, why) => {
    expect(plan(given)).toMatchObject({ steps, why });
  });
});

describe("a key signs only when it is proven, and no cache can hold anything older", () => {
  const wait = HOUR + 10 * MINUTE;
  test.each<[string, RotationKey, string[]]>([
    ["new", key("k1", "new", DAY), ["k1 -> published"]],
    ["published, long enough ago", key("k1", "published", DAY), ["k1 -> ready"]],
    ["ready, proven anew, a moment too early", key("k1", "ready", DAY, { provenSince: NOW - wait + 1 }), []],
    [
      "ready, proven anew, long enough ago",
      key("k1", "ready", DAY, { provenSince: NOW - wait }),
      ["activate k1 for old"],
    ],
    ["ready, and no longer proven", key("k1", "ready", DAY, { provenSince: undefined }), []],
  ])("%s", (_, one, steps) => {
    expect(plan({ keys: [due, one], seen }).steps).toEqual(steps);
  });

  test.each<[string, Case, string[]]>([
    [
      "both are proven: both sign, and both retire",
      {
        policy: pair,
        keys: [
          key("r", "active", 91 * DAY),
          ed("e", "active", 91 * DAY),
          key("r2", "ready", DAY),
          ed("e2", "ready", DAY),
        ],
        seen,
      },
      ["activate r2,e2 for r,e"],
    ],
    [
      "one of two is proven anew: neither signs",
      { policy: pair, keys: [key("r", "ready", DAY), ed("e", "ready", DAY, { provenSince: NOW })], seen },
      [],
    ],
    [
      "there is only one of two: it does not sign alone",
      { policy: pair, keys: [active, key("r", "ready", DAY)], seen },
      ["create k1"],
    ],
    [
      "one of two was made, and its file is gone: it is not counted",
      { policy: pair, keys: [key("r", "ready", DAY), ed("e", "ready", DAY)], seen, lost: ["e"] },
      ["e -> draining", "create k1"],
    ],
    [
      "one is reserved, and the run was killed: it is counted",
      { keys: [key("k1", "new", 0, { record: undefined })], lost: ["k1"] },
      ["create k1"],
    ],
    [
      "the oldest first",
      { keys: [due, next, key("k2", "ready", HOUR)], seen: { ...seen, k2: OURS } },
      ["activate k1 for old"],
    ],
  ])("%s", (_, given, steps) => {
    expect(plan(given).steps).toEqual(steps);
  });
});

describe("a change of the signer that was begun", () => {
  const begun = (ageMs: number) => key("k1", "ready", DAY, intent("activate", ageMs));
  const policy = { activateAgainMs: HOUR };
  test.each<[string, Case, Partial<ReturnType<typeof plan>>]>([
    ["is waited for", { policy, keys: [due, begun(HOUR - 1)], seen }, { steps: [], waits: ["the signer"] }],
    [
      "is done again after a while",
      { policy, keys: [due, begun(HOUR)], seen },
      { steps: ["activate k1 for old"], waits: [] },
    ],
    [
      "is done again after a while, also when nothing is due",
      { policy, keys: [active, begun(HOUR)], seen },
      { steps: ["activate k1 for old"], why: ["begun before"] },
    ],
    [
      "is waited for until the later of two was asked for long enough ago",
      {
        policy: { ...policy, ...pair },
        keys: [key("r", "ready", DAY, intent("activate", 2 * HOUR)), ed("e", "ready", DAY, intent("activate", MINUTE))],
        seen,
      },
      { steps: [], waits: ["the signer"] },
    ],
    [
      "is taken back when the next is no longer proven",
      {
        keys: [active, key("k1", "ready", DAY, { ...intent("activate", HOUR), provenSince: undefined })],
        seen: { ...seen, k1: doubt(false) },
      },
      { steps: ["activate old for "], why: ["k1 is no longer proven"] },
    ],
    [
      "is taken back when the next is proven anew: caches hold a no",
      { keys: [active, key("k1", "ready", DAY, { ...intent("activate", HOUR), provenSince: NOW })], seen },
      { steps: ["activate old for "], why: ["k1 is no longer proven"] },
    ],
    [
      "cannot be taken back when nothing has signed before",
      {
        keys: [key("k1", "ready", DAY, { ...intent("activate", HOUR), provenSince: undefined })],
        seen: { k1: doubt(false) },
      },
      { steps: [] },
    ],
    [
      "is history when the key has been through it",
      { keys: [active, key("k0", "draining", DAY, intent("activate", HOUR))], seen: { old: OURS, k0: OURS } },
      { steps: [] },
    ],
  ])("%s", (_, given, expected) => {
    expect(plan(given)).toMatchObject(expected);
  });
});

describe("what the domain waits for", () => {
  test.each<[string, Case, string[]]>([
    [
      "the period of the older of two",
      { policy: pair, keys: [key("r", "active", 10 * DAY), ed("e", "active", 20 * DAY)], seen },
      [`rotation +${70 * 24}h`],
    ],
    [
      "the same, with standbys",
      {
        policy: { ...pair, standby: true },
        keys: [
          key("r", "active", 10 * DAY),
          ed("e", "active", 20 * DAY),
          key("r2", "ready", DAY),
          ed("e2", "ready", DAY),
        ],
        seen,
      },
      [`rotation +${70 * 24}h`],
    ],
    ["the day, once, though the next key is ready", { keys: [active, next], seen }, ["rotation +1920h"]],
    ["nothing, when a key is made", { keys: [due], seen }, []],
    ["nothing, when the signer changes", { keys: [due, next], seen }, []],
    ["nothing, while a standby is made", { policy: { standby: true }, keys: [active], seen }, []],
  ])("%s", (_, given, waits) => {
    expect(plan(given).waits).toEqual(waits);
  });
});

describe("the selector of a new key", () => {
  const template = (text: string) => ({ selector: parseSelectorTemplate(text) });
  test.each<[string, Case, string[]]>([
    [
      "is not that of a key of the journal",
      { keys: [key("k1", "gone", DAY), key("k2", "revealed", DAY)] },
      ["create k3"],
    ],
    ["is not that of a key in the store", { keys: [], taken: ["k1", "k2"] }, ["create k3"]],
    ["is not that of the other new key", { policy: pair, keys: [] }, ["create k1", "create k2"]],
    [
      "names the algorithm and the day",
      { policy: { ...pair, ...template("{algorithm}-{yyyymmdd}") }, keys: [] },
      ["create rsa-20261121", "create ed25519-20261121"],
    ],
    ["is random", { policy: template("{random}"), keys: [] }, ["create 0badcafe"]],
  ])("%s", (_, given, steps) => {
    expect(plan(given).steps).toEqual(steps);
  });

  test("is not found: the template makes the same over and over", () => {
    expect(() => plan({ policy: template("{random}"), keys: [key("0badcafe", "gone", DAY)] })).toThrow(
      new UsageError("the selector template makes no name that example.com has not used", {
        hint: "set another selector, such as: --selector-template {yyyymmdd}-{random}",
      }),
    );
  });

  test("makes a name that is too long for the domain", () => {
    const domain = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(50)}`;
    expect(() => plan({ policy: template("abcdefghijklmnopqrstuvwx"), keys: [], journal: { domain } })).toThrow(
      UsageError,
    );
  });
});

describe("a ring of selectors", () => {
  const ring = { selectorRing: ["s1", "s2", "s3"].map(parseSelector) };
  const signing = key("s1", "active", 91 * DAY);
  const rest = 2 * HOUR; // The TTL of its record and the margin.
  const gone = (selector: string, agoMs: number, more: Partial<RotationKey> = {}) => key(selector, "gone", agoMs, more);
  test.each<[string, Case, Partial<ReturnType<typeof plan>>]>([
    ["in turn", { keys: [signing] }, { steps: ["create s2"], waits: [] }],
    ["in turn, where one rests", { keys: [signing, gone("s2", HOUR)] }, { steps: ["create s3"], waits: [] }],
    [
      "one that was never used comes before one that was",
      { keys: [signing, gone("s2", 9 * DAY)] },
      { steps: ["create s3"] },
    ],
    [
      "the one that has rested longest",
      { keys: [signing, gone("s2", 2 * DAY), gone("s3", 3 * DAY)] },
      { steps: ["create s3"] },
    ],
    [
      "the one that has rested longest, the first of the ring",
      { keys: [signing, gone("s2", 3 * DAY), gone("s3", 2 * DAY)] },
      { steps: ["create s2"] },
    ],
    [
      "the last of its keys counts",
      { keys: [signing, gone("s2", 9 * DAY), gone("s2", DAY), gone("s3", 2 * DAY)] },
      { steps: ["create s3"] },
    ],
    [
      "the first of those that have rested as long",
      { keys: [signing, gone("s2", DAY), gone("s3", DAY)] },
      { steps: ["create s2"] },
    ],
    [
      "none has rested: until the first has",
      { keys: [signing, gone("s2", rest - 30 * MINUTE), gone("s3", HOUR)] },
      { steps: [], waits: ["a free selector of the ring +0.5h"], findings: [] },
    ],
    [
      "none has rested: until the first has, which is the last of the ring",
      { keys: [signing, gone("s2", HOUR), gone("s3", rest - 30 * MINUTE)] },
      { steps: [], waits: ["a free selector of the ring +0.5h"], findings: [] },
    ],
    ["it has rested to the moment", { keys: [signing, gone("s2", rest), gone("s3", HOUR)] }, { steps: ["create s2"] }],
    [
      "what caches held before its record was there counts as well",
      { keys: [signing, gone("s2", 2 * HOUR, { staleSeconds: 6 * 3600 }), gone("s3", HOUR)] },
      { steps: [], waits: ["a free selector of the ring +1h"] },
    ],
    [
      "what any of its keys left in caches counts",
      { keys: [signing, gone("s2", 9 * DAY, { ttlSeconds: 10 * 86_400 }), gone("s2", 8 * DAY), gone("s3", HOUR)] },
      { steps: [], waits: ["a free selector of the ring +1h"] },
    ],
    [
      "not one that is in use, whatever its earlier keys have been through",
      { keys: [signing, gone("s2", 9 * DAY), key("s2", "draining", DAY), gone("s3", HOUR)] },
      { steps: [], waits: [`mail on its way +${6 * 24}h`, "a free selector of the ring +1h"] },
    ],
    [
      "not one that is in use, though its file was deleted",
      { keys: [signing, key("s2", "draining", DAY), gone("s3", HOUR)], lost: ["s2"] },
      { steps: [] },
    ],
    [
      "not one under which the store has a key that rotation does not know",
      { keys: [signing], taken: ["s2"] },
      { steps: ["create s3"] },
    ],
    [
      "not one whose old key somebody has put back into the store: it was revoked, and may be public",
      { keys: [signing, key("s2", "revealed", 90 * DAY)], taken: ["s2", "s3"] },
      { steps: [], findings: ["person: every selector of the ring is in use"], hints: ["add one to selector-ring"] },
    ],
    [
      "all in use: a person is told",
      { keys: [signing, key("s2", "draining", DAY), key("s3", "draining", DAY)] },
      {
        steps: [],
        waits: [`mail on its way +${6 * 24}h`, `mail on its way +${6 * 24}h`, "a free selector of the ring"],
        findings: ["person: every selector of the ring is in use"],
        hints: ["add one to selector-ring"],
      },
    ],
    [
      "all in use, and one rests: nobody need be told",
      { keys: [signing, key("s2", "draining", DAY), gone("s3", HOUR)] },
      { steps: [], findings: [] },
    ],
    [
      "all in use, and only a standby is missing: nobody need be told",
      {
        policy: { standby: true },
        keys: [key("s1", "active", DAY), key("s2", "draining", DAY), key("s3", "draining", DAY)],
      },
      { steps: [], findings: [] },
    ],
    ["two algorithms take two", { policy: pair, keys: [] }, { steps: ["create s1", "create s2"] }],
    [
      "the clock was set forward: what was never used is free",
      { keys: [signing], clockSetAt: NOW - 1 },
      { steps: ["create s2"] },
    ],
  ])("%s", (_, given, expected) => {
    const planned = plan({
      ...given,
      seen: { s1: OURS, s2: OURS, s3: OURS },
      policy: { ...ring, ...given.policy },
    });
    expect(planned).toMatchObject(expected);
  });
});

describe("the clock is behind: nothing is measured, nothing is done", () => {
  const tolerated = 5 * MINUTE;
  const late = NOW + tolerated + 1;
  const old = (more: Partial<RotationKey>) => key("old", "active", 91 * DAY, more);
  test.each<[string, Case]>([
    ["when the last run was", { keys: [due], lastRunAt: late }],
    ["when a rotation was asked for", { keys: [due], journal: { rotationAskedAt: late } }],
    ["when a record was proven", { keys: [old({ provenSince: late })] }],
    ["when a key leaked", { keys: [old({ compromisedAt: late })] }],
    ["when a record was absent", { keys: [old({ absentSince: late })] }],
    ["when a change was begun", { keys: [old({ intent: { effect: "publish", since: late } })] }],
    ["when a change was made", { keys: [old({ intent: { effect: "publish", since: NOW, last: late } })] }],
    ["when a key was made", { keys: [old({ entered: { new: late, active: NOW - DAY } })] }],
    ["when a key of long ago went", { keys: [due, key("k0", "gone", -tolerated - 1)] }],
    ["when the first of two keys began to sign", { keys: [key("old", "active", -tolerated - 1), due] }],
  ])("%s", (_, given) => {
    expect(plan({ ...given, seen })).toMatchObject({
      steps: [],
      waits: [],
      findings: [expect.stringContaining("the clock was or is wrong, and nothing is done")],
      hints: ["see to the clock of this host"],
    });
  });

  test("by no more than a correction", () => {
    expect(plan({ keys: [due], seen, lastRunAt: NOW + tolerated })).toMatchObject({
      steps: ["create k1"],
      findings: [],
    });
  });
});
