import { describe, expect, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { type AdoptableKey, adoptKeys } from "../../src/rotation/adopt.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import type { RotationAlgorithm } from "../../src/rotation/rotation-key.ts";
import { agreed, doubt, NOW, OURS } from "../helpers/planned-rotation.ts";

/* Keys that other tools made: which are taken in, and as what. */

const domain = parseDomainName("example.com");
const key = (selector: string, seen: Observation = OURS, algorithm: RotationAlgorithm = "rsa"): AdoptableKey => ({
  ...{ selector: parseSelector(selector), algorithm, bits: 2048, record: `v=DKIM1; p=${selector}`, seen },
});
const ed = (selector: string, seen: Observation = OURS) => key(selector, seen, "ed25519");

function adopt(keys: readonly AdoptableKey[], active: readonly string[] = []) {
  const { journal, leftOut } = adoptKeys(domain, keys, active.map(parseSelector), NOW);
  return {
    states: Object.fromEntries(journal.keys.map(({ selector, state }) => [selector, state])),
    leftOut: leftOut.map(({ selector, reason }) => `${selector}: ${reason}`),
  };
}

describe("which key signs", () => {
  test.each<[string, readonly AdoptableKey[], string[], Record<string, string>, string[]]>([
    ["the only one", [key("a")], [], { a: "active" }, []],
    ["the only one of each algorithm", [key("a"), ed("e")], [], { a: "active", e: "active" }, []],
    [
      "the one that is named; the others may be in use too, and are ready",
      [key("a"), key("b")],
      ["b"],
      { a: "ready", b: "active" },
      [],
    ],
    ["only those that are named", [key("a"), ed("e")], ["a"], { a: "active", e: "ready" }, []],
    [
      "one of each algorithm, named",
      [key("a"), key("b"), ed("e"), ed("f")],
      ["a", "f"],
      { a: "active", b: "ready", e: "ready", f: "active" },
      [],
    ],
    [
      "the only one that is proven",
      [key("a"), key("b", agreed("nothing"))],
      [],
      { a: "active" },
      ["b: no server has its record"],
    ],
    ["not one in doubt", [key("a"), key("b", doubt(false))], [], { a: "active" }, ["b: ns2 is down"]],
    ["not one whose name another record has", [key("a"), key("b", agreed("other"))], [], { a: "active" }, ["b: other"]],
    ["not one that is revoked", [key("a"), key("b", agreed("revoked"))], [], { a: "active" }, ["b: revoked"]],
  ])("%s", (_, keys, active, states, leftOut) => {
    expect(adopt(keys, active)).toEqual({ states, leftOut });
  });

  test.each<[string, readonly AdoptableKey[], string[], object]>([
    [
      "two could, and nobody tells which does",
      [key("a"), key("b"), key("c", doubt(true))],
      [],
      {
        code: "DKIM_AMBIGUOUS_SIGNER",
        candidates: ["a", "b"],
        message: "which of a, b signs for example.com is not known",
        hint: "name it: dkimctl rotate example.com --adopt --active SELECTOR",
      },
    ],
    [
      "two of one algorithm are named",
      [key("a"), key("b")],
      ["a", "b"],
      { code: "DKIM_USAGE", message: "a and b cannot both sign: both are rsa keys" },
    ],
    [
      "the one that is named is not proven",
      [key("a"), key("c", agreed("nothing")), key("b", doubt(true))],
      ["b"],
      {
        code: "DKIM_USAGE",
        message: "b of example.com is not proven in the DNS: ns2 is down",
        hint: "see: dkimctl testkeys example.com",
      },
    ],
    [
      "one of those that are named is not there",
      [key("a")],
      ["a", "z"],
      { message: "z of example.com is not proven in the DNS: the store has no such key" },
    ],
    [
      "none is proven",
      [key("a", doubt(true))],
      [],
      { message: "no key of example.com is proven in the DNS", hint: "see: dkimctl testkeys example.com" },
    ],
    ["there is none", [], [], { message: "no key of example.com is proven in the DNS" }],
  ])("not known: %s", (_, keys, active, error) => {
    expect(() => adopt(keys, active)).toThrow(expect.objectContaining(error));
  });
});

test("what is written down: proven from now on, and caches may hold anything for as long as they hold what is there", () => {
  const seen: Observation = { ...agreed("ours"), ttlSeconds: 7200, negativeSeconds: 600 };
  expect(
    adoptKeys(domain, [key("a", seen), key("b", { ...seen, negativeSeconds: 9000 })], [parseSelector("a")], NOW)
      .journal,
  ).toEqual({
    domain,
    keys: [
      {
        ...{
          selector: "a",
          algorithm: "rsa",
          bits: 2048,
          record: "v=DKIM1; p=a",
          state: "active",
          entered: { active: NOW },
        },
        ...{ provenSince: NOW, servedAt: "x", absentSince: undefined, staleSeconds: 7200, ttlSeconds: 7200 },
      },
      {
        ...{
          selector: "b",
          algorithm: "rsa",
          bits: 2048,
          record: "v=DKIM1; p=b",
          state: "ready",
          entered: { ready: NOW },
        },
        ...{ provenSince: NOW, servedAt: "x", absentSince: undefined, staleSeconds: 9000, ttlSeconds: 7200 },
      },
    ],
  });
});
