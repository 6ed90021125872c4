import fc from "fast-check";
import { expect, test } from "vitest";
import { greatestCommonDivisor } from "../../src/keys/weak-keys/greatest-common-divisor.ts";

function euclid(a: bigint, b: bigint): bigint {
  return b === 0n ? a : euclid(b, a % b);
}

const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 4200n }),
  fc.bigInt({ min: 0n, max: 2n ** 120n }),
  // Around the limits of the leading bits, and of what a number holds exactly.
  fc.tuple(fc.constantFrom(50n, 53n, 64n, 100n, 106n), fc.bigInt({ min: -3n, max: 3n })).map(([k, d]) => 2n ** k + d),
);

test("is what Euclid finds, common factors or none", () => {
  fc.assert(
    fc.property(number, number, number, (a, b, c) => {
      expect(greatestCommonDivisor(a, b)).toBe(euclid(a, b));
      expect(greatestCommonDivisor(a * c, b * c)).toBe(euclid(a * c, b * c));
    }),
    { numRuns: 2000 },
  );
});

test("of neighbours in Fibonacci's series, whose quotients are all 1", () => {
  let [a, b] = [1n, 1n];
  for (let i = 0; i < 3000; i++) [a, b] = [b, a + b];
  expect(greatestCommonDivisor(b, a)).toBe(1n);
  expect(greatestCommonDivisor(7n * b, 7n * a)).toBe(7n);
});
