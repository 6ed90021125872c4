import { expect, test } from "vitest";

const { growthExponent } = await import(new URL("../bench/measure.js", import.meta.url).href);

test.each([
  ["as many times the cost as there are keys", { 100: 1, 1000: 10 }, 1],
  ["the cost of starting is taken off", { 1: 1, 100: 11, 1000: 101 }, 1],
  ["most of it is starting: nothing is taken off", { 1: 1, 100: 1.5, 1000: 15 }, 1],
  ["noise: the most keys cost least", { 1: 0.227, 100: 1, 1000: 0.1 }, -1],
])("how cost grows: %s", (_, seconds, exponent) => {
  expect(growthExponent(seconds)).toBeCloseTo(exponent);
});
