import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSelector } from "../../src/keys/selector.ts";
import { formatDuration, parseDuration, roughDuration } from "../../src/rotation/duration.ts";
import { formatJournal, JournalError, parseJournal } from "../../src/rotation/journal.ts";
import { EFFECTS, type Journal, KEY_STATES, type RotationKey } from "../../src/rotation/rotation-key.ts";

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
    servedAt: maybe(fc.string()),
    staleSeconds: fc.nat(),
    ttlSeconds: fc.nat(),
    compromisedAt: maybe(time),
    intent: maybe(fc.record({ effect: fc.constantFrom(...EFFECTS), since: time, last: maybe(time) })),
  }),
  { selector: ({ selector }) => selector },
);

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

  const good = formatJournal({
    domain: "example.com",
    keys: [
      {
        selector: parseSelector("s"),
        algorithm: "rsa",
        state: "new",
        entered: { new: 0 },
        staleSeconds: 0,
        ttlSeconds: 0,
      },
    ],
  });
  test.each<[string, string, string]>([
    ["{", "", "x is damaged"],
    [good.replace("journal/1", "journal/2"), "", "its schema is not"],
    [good.replace('"new"', '"old"'), "", "state of key 1 is none of new, published"],
    [good.replace("1970-01-01T00:00:00.000Z", "yesterday"), "", "new of entered of key 1 is no time"],
    [good.replace('"new": "1970', '"ready": "1970'), "", "it is not told since when a key is new"],
    [good.replace('"selector": "s"', '"selector": "../s"'), "", "is not a selector"],
    [
      good.replace('"state": "new"', '"state": "ready"').replace('"new": "1970', '"ready": "1970'),
      "",
      "a ready key has no record",
    ],
    ["", good, ""],
  ])("what cannot be read is an error that names it: %j", (text, readable, message) => {
    if (readable !== "") expect(parseJournal(readable, "x").keys).toHaveLength(1);
    else {
      expect(() => parseJournal(text, "x")).toThrow(JournalError);
      expect(() => parseJournal(text, "x")).toThrow(message);
    }
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
