import { expect, test } from "vitest";
import { nearestName } from "../src/nearest-name.ts";

test.each([
  ["showkey", "showkeys"],
  ["SHOWKEYS", "showkeys"],
  ["tsetkeys", "testkeys"],
  ["rotat", "rotate"],
  ["frobnicate", undefined],
  ["", undefined],
])("%j -> %j", (word, expected) => {
  expect(nearestName(word, ["showkeys", "testkeys", "rotate", "keygen"])).toBe(expected);
});

test("no candidates, no guess", () => {
  expect(nearestName("x", [])).toBeUndefined();
});
