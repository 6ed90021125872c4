import { describe, expect, test } from "vitest";
import { holds, nextLook } from "../../src/rotation/look.ts";
import { formatLooks, parseLooks } from "../../src/rotation/looks-file.ts";
import type { RotationPlan, Wait } from "../../src/rotation/plan.ts";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const lookAgainMs = 30 * MINUTE;

function wait(until: number | undefined, unbroken?: true): Wait {
  return { selector: undefined, what: "rotation", until, ...(unbroken && { unbroken }) };
}

describe("when a domain is looked at again", () => {
  const step = { kind: "publish", selector: "k1", why: "" } as unknown as RotationPlan["steps"][number];
  const finding = { level: "waiting", message: "ns2 is down" } as const;
  test.each<[string, Partial<RotationPlan>, number | undefined]>([
    ["nothing is due for long", { waits: [wait(NOW + 1000 * MINUTE)] }, NOW + 30 * MINUTE],
    ["something is due before", { waits: [wait(NOW + 1000 * MINUTE), wait(NOW + 5 * MINUTE)] }, NOW + 5 * MINUTE],
    ["nothing is waited for", {}, NOW + 30 * MINUTE],
    ["the DNS or a person is waited for: every run", { waits: [wait(NOW + 5 * MINUTE), wait(undefined)] }, undefined],
    ["a proof must not break: every run", { waits: [wait(NOW + 100 * MINUTE, true)] }, undefined],
    ["something is to be told: every run", { findings: [finding] }, undefined],
    ["something is still to be done: every run", { steps: [step] }, undefined],
  ])("%s", (_, plan, until) => {
    const look = nextLook({ steps: [], waits: [], findings: [], ...plan }, { lookAgainMs }, NOW);
    expect(look).toEqual(until && { at: NOW, until });
  });

  const look = { at: NOW, until: NOW + 30 * MINUTE, settings: "a" };
  test.each<[string, typeof look | undefined, number, string, boolean]>([
    ["at once", look, NOW, "a", true],
    ["just before its time", look, NOW + 30 * MINUTE - 1, "a", true],
    ["at its time", look, NOW + 30 * MINUTE, "a", false],
    ["other settings", look, NOW, "b", false],
    ["no look", undefined, NOW, "a", false],
    ["the clock was corrected by minutes", look, NOW - 5 * MINUTE, "a", true],
    ["the clock was set back", look, NOW - 5 * MINUTE - 1, "a", false],
  ])("a look counts: %s", (_, kept, now, settings, expected) => {
    expect(holds(kept, settings, now)).toBe(expected);
  });
});

describe("the file of looks", () => {
  const looks = new Map([
    ["a.example", { at: 1, until: 2, settings: "s" }],
    ["b.example", { at: 3, until: 4, settings: "t" }],
  ]);

  test("reads back as it was", () => {
    expect(parseLooks(formatLooks(looks))).toEqual(looks);
  });

  test.each([
    ["nothing", ""],
    ["no JSON", formatLooks(looks).slice(0, -10)],
    ["another schema", formatLooks(looks).replace("looks/1", "looks/2")],
    ["no looks", `{"schema":"dkimctl/rotation-looks/1"}`],
    ["other things", `{"schema":"dkimctl/rotation-looks/1","looks":{"s":{"a.example":7},"t":[]}}`],
    ["no times", `{"schema":"dkimctl/rotation-looks/1","looks":{"s":{"a.example":["1",null]}}}`],
  ])("damaged, it has %s: everything is looked at", (_, text) => {
    expect(parseLooks(text)).toEqual(new Map());
  });
});
