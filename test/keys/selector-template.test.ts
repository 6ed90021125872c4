import { describe, expect, test } from "vitest";
import { parseSelectorTemplate, selectorCandidates } from "../../src/keys/selector-template.ts";

const now = new Date("2026-03-04T23:59:59Z");

function first(template: string, count: number): string[] {
  let call = 0;
  const candidates = selectorCandidates(parseSelectorTemplate(template), {
    algorithm: "ed25519",
    now,
    random: () => `0000000${++call}`,
  });
  return Array.from({ length: count }, () => candidates.next().value as string);
}

describe("selectors made from a template", () => {
  test.each([
    ["{algorithm}-{yyyymmdd}", ["ed25519-20260304", "ed25519-20260304-2", "ed25519-20260304-3"]],
    ["mail{yyyy}{mm}", ["mail202603", "mail202603-2", "mail202603-3"]],
    ["s{n}", ["s1", "s2", "s3"]],
    ["r{random}", ["r00000001", "r00000002", "r00000003"]],
    ["fixed", ["fixed", "fixed-2", "fixed-3"]],
  ])("%s gives %j", (template, selectors) => {
    expect(first(template, 3)).toEqual(selectors);
  });

  test.each(["{year}", "{}", "a b", "", "-{n}", "{algorithm}."])("%j is refused", (template) => {
    expect(() => parseSelectorTemplate(template)).toThrow();
  });
});
