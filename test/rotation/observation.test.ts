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
      { provenSince: undefined },
      { ...OLD, isSame: false, provenSince: NOW },
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
      {},
      { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 172_800 },
    ],
    ["a server is down", DOUBT, {}, { ...OLD, isSame: false, provenSince: undefined, staleSeconds: 7200 }],
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
  ])("%s", (_, seen, more, expected) => {
    expect(absorb(seen, more)).toEqual(expected);
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
