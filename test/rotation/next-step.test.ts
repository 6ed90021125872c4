import { describe, expect, test } from "vitest";
import { parseSelector } from "../../src/keys/selector.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import { keyTimeline } from "../../src/rotation/key-timeline.ts";
import { keyUrgency } from "../../src/rotation/key-urgency.ts";
import { nextStep } from "../../src/rotation/next-step.ts";
import type { Journal, KeyState, RotationKey } from "../../src/rotation/rotation-key.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../../src/rotation/rotation-policy.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const policy: RotationPolicy = {
  ...DEFAULT_POLICY,
  selector: parseSelectorTemplate("k{n}"),
  publishAgainMs: HOUR,
  activateAgainMs: HOUR,
};

/** A key whose states were entered so many days ago. */
function key(selector: string, ago: Partial<Record<KeyState, number>>, more: Partial<RotationKey> = {}): RotationKey {
  const entered = Object.fromEntries(Object.entries(ago).map(([state, days]) => [state, NOW - days * DAY]));
  const state = Object.keys(ago).at(-1) as KeyState;
  const published = ago.published ?? ago.active;
  const provenSince = published === undefined ? undefined : NOW - published * DAY;
  return {
    ...{ selector: parseSelector(selector), algorithm: "rsa", state, entered, provenSince, record: "v=DKIM1; p=AA==" },
    ...{ staleSeconds: 6 * 3600, ttlSeconds: 3600, ...more },
  };
}

/** Days from now, to the hour. */
const days = (time: number | undefined) => (time === undefined ? undefined : Math.round((time - NOW) / HOUR) / 24);

const YOUNG = key("k1", { published: 21, ready: 20, active: 20 });
const OLD = key("k1", { published: 101, ready: 100, active: 100 });
const STANDBY = key("k2", { new: 20, published: 20, ready: 19 });

describe("what happens next, when, and how urgent that is", () => {
  test.each<[string, Partial<Journal> & { keys: RotationKey[] }, string, number | undefined, string]>([
    ["new", { keys: [key("k1", { new: 0.5 })] }, "proof at every server", undefined, "calm"],
    ["new, and the DNS takes long", { keys: [key("k1", { new: 1 })] }, "proof at every server", undefined, "late"],
    ["published: caches run out, plus the margin", { keys: [key("k1", { published: 0 })] }, "ready", 7 / 24, "soon"],
    ["ready, and nothing signs", { keys: [key("k1", { ready: 0 })] }, "to sign", undefined, "calm"],
    ["ready beside an active key", { keys: [STANDBY, YOUNG] }, "to sign", 70, "calm"],
    ["ready, when the active key is old", { keys: [STANDBY, OLD] }, "to sign", -10, "late"],
    [
      "ready, and only the other algorithm signs",
      { keys: [key("k3", { ready: 1 }, { algorithm: "ed25519" }), YOUNG] },
      "to sign",
      undefined,
      "calm",
    ],
    [
      "ready, and the signer was asked for",
      { keys: [{ ...STANDBY, intent: { effect: "activate", since: NOW - 2 * DAY } }, YOUNG] },
      "the signer",
      undefined,
      "late",
    ],
    ["active", { keys: [YOUNG] }, "to be replaced", 70, "calm"],
    ["active, and a rotation was asked for", { keys: [YOUNG], rotationAskedAt: NOW }, "to be replaced", 0, "late"],
    [
      "active, and a rotation was asked for before it signed",
      { keys: [YOUNG], rotationAskedAt: NOW - 30 * DAY },
      "to be replaced",
      70,
      "calm",
    ],
    [
      "active, and compromised",
      { keys: [{ ...YOUNG, compromisedAt: NOW - HOUR }] },
      "to be replaced",
      -1 / 24,
      "compromised",
    ],
    ["draining", { keys: [key("k1", { draining: 1 })] }, "to be revoked", 6, "soon"],
    ["tombstone", { keys: [key("k1", { tombstone: 1 })] }, "to be removed", 29, "calm"],
    [
      "tombstone of a compromised key",
      { keys: [key("k1", { tombstone: 1 }, { compromisedAt: NOW - DAY })] },
      "to be removed",
      29,
      "calm",
    ],
    ["gone", { keys: [key("k1", { gone: 1 }, { compromisedAt: NOW - 90 * DAY })] }, "", undefined, "calm"],
  ])("%s", (_, journal, what, due, urgency) => {
    const [first] = journal.keys;
    if (first === undefined) throw new Error("no key");
    const next = nextStep(first, journal, policy);
    expect({ what: next.what, due: days(next.due) }).toEqual({ what, due });
    expect(keyUrgency(first, next, policy, NOW)).toBe(urgency);
  });
});

describe("the line of time", () => {
  const line = (first: RotationKey, others: RotationKey[] = [], more: Partial<Journal> = {}) =>
    keyTimeline(first, { keys: [first, ...others], ...more }, policy, NOW).map(({ use, from, until }) => [
      use,
      days(from),
      until === Number.POSITIVE_INFINITY ? "open" : days(until),
    ]);

  test("a whole life as it was", () => {
    const life = { new: 140, published: 139, ready: 138, active: 130, draining: 40, tombstone: 33, gone: 3 };
    expect(line(key("k1", life))).toEqual([
      ["made", -140, -139],
      ["served", -139, -130],
      ["signs", -130, -40],
      ["served", -40, -33],
      ["revoked", -33, -3],
    ]);
  });

  test("an active key: until its period ends, the overlap, the tombstone", () => {
    expect(line(YOUNG)).toEqual([
      ["served", -21, -20],
      ["signs", -20, 70],
      ["served", 70, 77],
      ["revoked", 77, 107],
    ]);
  });

  test("its standby takes over at that moment", () => {
    expect(line(STANDBY, [YOUNG])).toEqual([
      ["served", -20, 70],
      ["signs", 70, 160],
      ["served", 160, 167],
      ["revoked", 167, 197],
    ]);
  });

  test("a successor that is published signs when caches have run out, not before", () => {
    const successor = key("k2", { published: 0 });
    expect(line(OLD, [successor])[1]).toEqual(["signs", -100, 7 / 24]);
    expect(line(successor, [OLD]).slice(0, 2)).toEqual([
      ["served", 0, 7 / 24],
      ["signs", 7 / 24, 90 + 7 / 24],
    ]);
  });

  test.each<[string, RotationKey, RotationKey[], unknown[]]>([
    ["an active key that is late, without a successor", OLD, [], ["signs", -100, "open"]],
    ["an active key that is late, with one that no server has", OLD, [key("k2", { new: 1 })], ["signs", -100, "open"]],
    ["a new key", key("k2", { new: 1 }), [OLD], ["made", -1, "open"]],
  ])("nothing is foreseen that nobody knows: %s", (_, first, others, expected) => {
    expect(line(first, others)).toContainEqual(expected);
  });

  test("of two standbys only the first is foreseen to sign", () => {
    const second = key("k3", { ready: 1 });
    const spans = keyTimeline(second, { keys: [YOUNG, STANDBY, second] }, policy, NOW);
    expect(spans).toEqual([{ use: "served", from: NOW - DAY, until: Number.POSITIVE_INFINITY }]);
  });

  test("a compromised key that signs is replaced as soon as it can be, and revoked at once", () => {
    expect(line({ ...YOUNG, compromisedAt: NOW }, [STANDBY])).toEqual([
      ["served", -21, -20],
      ["signs", -20, 0],
      ["revoked", 0, 30],
    ]);
    expect(line({ ...STANDBY, compromisedAt: NOW }, [YOUNG])).toEqual([
      ["served", -20, 0],
      ["revoked", 0, 30],
    ]);
  });

  test("time goes forward where the clock once went back", () => {
    expect(line(key("k1", { published: 21, active: 25, draining: 20, tombstone: 13 }))).toEqual([
      ["signs", -21, -20],
      ["served", -20, -13],
      ["revoked", -13, 17],
    ]);
  });
});
