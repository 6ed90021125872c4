import { describe, expect, test } from "vitest";
import { parseSelector } from "../../src/keys/selector.ts";
import { type Agreement, absorbObservations, type Observation } from "../../src/rotation/observation.ts";
import type { RotationKey } from "../../src/rotation/rotation-key.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const BEFORE = NOW - 3_600_000;

function agreed(serves: Agreement["serves"], more: Partial<Agreement> = {}): Agreement {
  return {
    kind: "agreed",
    serves,
    ttlSeconds: serves === "nothing" ? 0 : 3600,
    negativeSeconds: 600,
    servedAt: "here",
    zone: "z",
    rrset: [],
    detail: "",
    ...more,
  };
}
const DOUBT: Observation = {
  kind: "doubt",
  contradicts: false,
  ttlSeconds: 7200,
  negativeSeconds: 60,
  reason: "ns2 is down",
};

const key: RotationKey = {
  selector: parseSelector("k1"),
  algorithm: "rsa",
  state: "ready",
  entered: { ready: BEFORE },
  record: "v=DKIM1; p=x",
  provenSince: BEFORE,
  servedAt: "here",
  staleSeconds: 600,
  ttlSeconds: 3600,
};

function absorb(seen: Observation, more: Partial<RotationKey> = {}, now: number | undefined = NOW) {
  const journal = { domain: "example.com", keys: [{ ...key, ...more }] };
  const result = absorbObservations(journal, new Map([["k1", seen]]), now);
  const [{ provenSince, staleSeconds, ttlSeconds } = key] = result.keys;
  return { isSame: result === journal, provenSince, staleSeconds, ttlSeconds };
}

const OLD = { provenSince: BEFORE, staleSeconds: 600, ttlSeconds: 3600 };

describe("what a look at the servers leaves in the journal", () => {
  test.each<[string, Observation, Partial<RotationKey>, ReturnType<typeof absorb>]>([
    ["still proven: nothing new", agreed("ours"), {}, { ...OLD, isSame: true }],
    [
      "proven for the first time",
      agreed("ours"),
      { provenSince: undefined, servedAt: undefined },
      { ...OLD, isSame: false, provenSince: NOW },
    ],
    [
      "proven again: what stood there since, nobody saw; it may have had the TTL that ours had",
      agreed("ours", { ttlSeconds: 60 }),
      { provenSince: undefined },
      { ...OLD, isSame: false, provenSince: NOW, staleSeconds: 3600 },
    ],
    [
      "proven again: or the one that ours has now",
      agreed("ours", { ttlSeconds: 86_400 }),
      { provenSince: undefined },
      { ...OLD, isSame: false, provenSince: NOW, staleSeconds: 86_400, ttlSeconds: 86_400 },
    ],
    ["absent: the proof ends", agreed("nothing"), {}, { ...OLD, isSame: false, provenSince: undefined }],
    [
      'absent, where a "no" is kept for days',
      agreed("nothing", { negativeSeconds: 172_800 }),
      {},
      { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 172_800 },
    ],
    [
      "another record, kept for days",
      agreed("other", { ttlSeconds: 432_000 }),
      {},
      { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 432_000 },
    ],
    [
      'a server is down, the others keep a "no" for days',
      { ...DOUBT, negativeSeconds: 172_800 },
      { ttlSeconds: 7200 },
      { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 172_800, ttlSeconds: 7200 },
    ],
    [
      "the servers disagree: one may have our record, under a TTL that was never seen before",
      DOUBT,
      {},
      { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 7200, ttlSeconds: 7200 },
    ],
    [
      "somebody raised its TTL",
      agreed("ours", { ttlSeconds: 86_400 }),
      {},
      { ...OLD, isSame: false, ttlSeconds: 86_400 },
    ],
    ["somebody lowered it: caches keep the old one", agreed("ours", { ttlSeconds: 60 }), {}, { ...OLD, isSame: true }],
    [
      "the CNAME leads elsewhere: caches may follow the old one",
      agreed("ours", { servedAt: "there" }),
      {},
      { ...OLD, isSame: false, provenSince: NOW, staleSeconds: 3600 },
    ],
    [
      "where it stands is seen for the first time: nothing was anywhere else",
      agreed("ours"),
      { servedAt: undefined },
      { ...OLD, isSame: false },
    ],
    [
      "absent, and elsewhere: its place is that of the last proof",
      agreed("nothing", { servedAt: "there" }),
      { provenSince: undefined },
      { ...OLD, isSame: true, provenSince: undefined },
    ],
    [
      'ours, where a "no" is kept for days',
      agreed("ours", { negativeSeconds: 172_800 }),
      {},
      { ...OLD, isSame: false, staleSeconds: 172_800 },
    ],
    [
      "ours, for longer than anything before: nothing older is in caches for so long",
      agreed("ours", { ttlSeconds: 86_400, negativeSeconds: 60 }),
      {},
      { ...OLD, isSame: false, ttlSeconds: 86_400 },
    ],
    [
      "nothing older is forgotten because a shorter time is seen now",
      agreed("nothing", { negativeSeconds: 60 }),
      { provenSince: undefined },
      { ...OLD, isSame: true, provenSince: undefined },
    ],
    [
      "another record: its TTL is not that of ours",
      agreed("other", { ttlSeconds: 86_400, negativeSeconds: 60 }),
      {},
      { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 86_400 },
    ],
    ["a key that was not looked at", agreed("ours"), { selector: parseSelector("k2") }, { ...OLD, isSame: true }],
    ["a key that is gone", agreed("nothing"), { state: "gone" }, { ...OLD, isSame: true }],
    ["a key that was revealed", agreed("nothing"), { state: "revealed" }, { ...OLD, isSame: true }],
  ])("%s", (_, seen, more, expected) => {
    expect(absorb(seen, more)).toEqual(expected);
  });

  test("the place of the last proof stays until there is another one", () => {
    const place = (seen: Observation, servedAt: string | undefined) =>
      absorbObservations({ domain: "example.com", keys: [{ ...key, servedAt }] }, new Map([["k1", seen]]), NOW).keys[0]
        ?.servedAt;
    expect(place(agreed("ours"), undefined)).toBe("here");
    expect(place(agreed("ours", { servedAt: "there" }), "here")).toBe("there");
    expect(place(agreed("nothing", { servedAt: "there" }), "here")).toBe("here");
    expect(place(DOUBT, "here")).toBe("here");
  });

  test("of a ring, only the key that lives under the selector, and no other key, is written anew", () => {
    const gone: RotationKey = { ...key, state: "gone", entered: { gone: BEFORE } };
    const other: RotationKey = { ...key, selector: parseSelector("k2") };
    const { keys } = absorbObservations(
      { domain: "example.com", keys: [gone, key, other] },
      new Map([["k1", DOUBT]]),
      NOW,
    );
    expect(keys[0]).toBe(gone);
    expect(keys[1]).toMatchObject({ ...key, provenSince: undefined, staleSeconds: 7200, ttlSeconds: 7200 });
    expect(keys[2]).toBe(other);
  });

  test.each<[string, Observation, number | undefined, number | undefined, number | undefined]>([
    ["begins when all servers have nothing", agreed("nothing"), undefined, NOW, NOW],
    ["begins when all servers have the revoked record", agreed("revoked"), undefined, NOW, NOW],
    ["begins when something else stands there", agreed("other"), undefined, NOW, NOW],
    ["does not begin while the clock is behind", agreed("nothing"), undefined, undefined, undefined],
    ["goes on while the clock is behind", agreed("nothing"), BEFORE, undefined, BEFORE],
    ["ends in doubt", DOUBT, BEFORE, NOW, undefined],
    ["ends with our record", agreed("ours"), BEFORE, NOW, undefined],
  ])("the absence of a revoked key %s", (_, seen, before, now, after) => {
    const keys: RotationKey[] = [{ ...key, state: "tombstone", entered: { tombstone: BEFORE }, absentSince: before }];
    const absorbed = absorbObservations({ domain: "example.com", keys }, new Map([["k1", seen]]), now);
    expect(absorbed.keys[0]?.absentSince).toBe(after);
  });

  test.each<[string, Observation, Partial<RotationKey>, number | undefined]>([
    ["no proof begins", agreed("ours"), { provenSince: undefined }, undefined],
    ["one that stands goes on", agreed("ours"), {}, BEFORE],
    ["a break ends it", agreed("nothing"), {}, undefined],
    ["so does a CNAME that leads elsewhere", agreed("ours", { servedAt: "there" }), {}, undefined],
  ])("while the clock is behind: %s", (_, seen, more, provenSince) => {
    const journal = { domain: "example.com", keys: [{ ...key, ...more }] };
    const [result] = absorbObservations(journal, new Map([["k1", seen]]), undefined).keys;
    expect(result?.provenSince).toBe(provenSince);
  });
});
