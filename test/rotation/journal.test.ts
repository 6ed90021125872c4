import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSelector } from "../../src/keys/selector.ts";
import { formatDuration, parseDuration, roughDuration } from "../../src/rotation/duration.ts";
import { formatJournal, JournalError, parseJournal } from "../../src/rotation/journal.ts";
import { EFFECTS, type Journal, KEY_STATES, type KeyState, type RotationKey } from "../../src/rotation/rotation-key.ts";

const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const keys = fc.uniqueArray(
  fc.record({
    selector: fc.integer({ min: 1, max: 1000 }).map((n) => parseSelector(`s${n}`)),
    algorithm: fc.constantFrom("rsa" as const, "ed25519" as const),
    bits: maybe(fc.nat()),
    state: fc.constantFrom(...KEY_STATES),
    at: time,
    record: fc.string(),
    provenSince: maybe(time),
    absentSince: maybe(time),
    servedAt: maybe(fc.string()),
    staleSeconds: fc.nat(),
    ttlSeconds: fc.nat(),
    compromisedAt: maybe(time),
    intent: maybe(fc.record({ effect: fc.constantFrom(...EFFECTS), since: time, last: maybe(time) })),
  }),
  { selector: ({ selector }) => selector },
);

const FULL: RotationKey = {
  selector: parseSelector("s"),
  algorithm: "rsa",
  state: "new",
  entered: { new: 0 },
  record: "v=DKIM1; p=x",
  staleSeconds: 0,
  ttlSeconds: 0,
  intent: { effect: "publish", since: 0 },
};

describe("the journal", () => {
  test("reads back as it was written", () => {
    fc.assert(
      fc.property(keys, maybe(time), (drafts, rotationAskedAt) => {
        const journal: Journal = {
          domain: "example.com",
          rotationAskedAt,
          keys: drafts.map(({ at, ...key }): RotationKey => ({ ...key, entered: { [key.state]: at } })),
        };
        expect(parseJournal(formatJournal(journal), "x")).toEqual(journal);
      }),
    );
  });

  test("of a ring, a selector may stand there again when its last key is gone", () => {
    const again = (state: KeyState): Journal => ({
      domain: "example.com",
      rotationAskedAt: undefined,
      keys: (["gone", "revealed", state] as const).map((each) => ({ ...FULL, state: each, entered: { [each]: 0 } })),
    });
    expect(parseJournal(formatJournal(again("new")), "x").keys).toHaveLength(3);
    const twice = { ...again("new"), keys: [...again("new").keys, ...again("draining").keys] };
    expect(() => parseJournal(formatJournal(twice), "x")).toThrow("x is damaged: a selector is used by two keys");
  });

  test("a key that is gone, or not made yet, needs no record", () => {
    for (const state of ["new", "gone", "revealed"] as const) {
      const keys = [{ ...FULL, state, entered: { [state]: 0 }, record: undefined }];
      expect(parseJournal(formatJournal({ domain: "example.com", keys }), "x").keys[0]?.record).toBeUndefined();
    }
  });

  test("only what is known is written, times as people read them", () => {
    const { keys } = JSON.parse(formatJournal({ domain: "example.com", keys: [FULL] }));
    expect(keys[0]).toMatchObject({
      entered: { new: "1970-01-01T00:00:00.000Z" },
      intent: { effect: "publish", since: "1970-01-01T00:00:00.000Z" },
    });
    expect(Object.keys(keys[0].entered)).toEqual(["new"]);
    const { intent: _, ...calm } = FULL;
    expect(JSON.parse(formatJournal({ domain: "example.com", keys: [calm] })).keys[0]).not.toHaveProperty("intent");
  });

  const good = JSON.parse(formatJournal({ domain: "example.com", keys: [FULL] }));
  const edited = (change: (journal: typeof good, key: (typeof good)["keys"][0]) => void) => {
    const journal = structuredClone(good);
    change(journal, journal.keys[0]);
    return JSON.stringify(journal);
  };
  const damaged: [text: string, reason: string][] = [
    ["{", "in JSON at position 1"],
    ["[]", "the journal is no object"],
    ["null", "the journal is no object"],
    ["7", "the journal is no object"],
    ["{}", "the journal has no schema"],
    [
      edited((journal) => Object.assign(journal, { schema: "dkimctl/rotation-journal/2" })),
      "its schema is not dkimctl/rotation-journal/1",
    ],
    [edited((journal) => Object.assign(journal, { domain: 7 })), "domain of the journal is no text"],
    [edited((journal) => Object.assign(journal, { domain: "../x" })), "is not a domain name"],
    [edited((journal) => Object.assign(journal, { keys: {} })), "keys of the journal is no list"],
    [edited((journal) => Object.assign(journal, { keys: ["s"] })), "key 1 is no object"],
    [
      edited((journal) => Object.assign(journal, { rotationAskedAt: "soon" })),
      "rotationAskedAt of the journal is no time",
    ],
    [edited((_, key) => Object.assign(key, { selector: undefined })), "key 1 has no selector"],
    [edited((_, key) => Object.assign(key, { selector: "../s" })), "is not a selector"],
    [edited((_, key) => Object.assign(key, { algorithm: "dsa" })), "algorithm of key 1 is none of rsa, ed25519"],
    [edited((_, key) => Object.assign(key, { state: "old" })), "state of key 1 is none of new, published"],
    [edited((_, key) => Object.assign(key, { entered: { new: "yesterday" } })), "new of entered of key 1 is no time"],
    [
      edited((_, key) => Object.assign(key, { entered: { ready: "1970-01-01T00:00:00Z" } })),
      "it is not told since when a key is new",
    ],
    [edited((_, key) => Object.assign(key, { entered: undefined })), "entered of key 1 is no object"],
    [edited((_, key) => Object.assign(key, { staleSeconds: -1 })), "staleSeconds of key 1 is no whole number"],
    [edited((_, key) => Object.assign(key, { staleSeconds: 1.5 })), "staleSeconds of key 1 is no whole number"],
    [edited((_, key) => Object.assign(key, { staleSeconds: "60" })), "staleSeconds of key 1 is no whole number"],
    [edited((_, key) => Object.assign(key, { record: null })), "record of key 1 is no text"],
    [edited((_, key) => Object.assign(key, { intent: "publish" })), "intent of key 1 is no object"],
    [
      edited((_, key) => Object.assign(key.intent, { effect: "shout" })),
      "effect of intent of key 1 is none of publish, tombstone, withdraw, activate",
    ],
    [edited((_, key) => Object.assign(key.intent, { since: undefined })), "it is not told when an effect was begun"],
    [
      edited((_, key) =>
        Object.assign(key, { state: "ready", entered: { ready: "1970-01-01T00:00:00Z" }, record: undefined }),
      ),
      "a ready key has no record",
    ],
  ];
  test.each(damaged.map(([text, reason]) => [reason, text]))("what cannot be read is an error: %s", (reason, text) => {
    expect(() => parseJournal(text, "x")).toThrow(JournalError);
    expect(() => parseJournal(text, "x")).toThrow(
      expect.objectContaining({
        code: "DKIM_JOURNAL",
        message: expect.stringMatching(/^x is damaged: ./),
        hint: "restore it from a backup, or move it away and run: dkimctl rotate --adopt",
      }),
    );
    expect(() => parseJournal(text, "x")).toThrow(reason);
  });
});

describe("durations", () => {
  test.each<[string, number | string]>([
    ["90d", 90 * 86_400_000],
    ["36h", 36 * 3_600_000],
    ["2w", 14 * 86_400_000],
    ["1h30m", 5_400_000],
    ["0s", 0],
    ["90", "it has no unit"],
    ["", "unknown form"],
    ["1y", "unknown form"],
    ["-1d", "unknown form"],
    ["1d1d", `"d" stands there twice`],
    ["999999d", "more than a hundred years"],
  ])("%j", (text, expected) => {
    if (typeof expected === "number") expect(parseDuration(text)).toBe(expected);
    else expect(() => parseDuration(text)).toThrow(expected);
  });

  test("are read back", () => {
    fc.assert(
      fc.property(fc.nat({ max: 3_000_000_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
    expect(roughDuration(((6 * 24 + 4) * 60 + 59) * 60_000)).toBe("6d 4h");
  });
});
