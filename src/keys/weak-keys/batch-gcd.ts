import { bitLength } from "../rsa-numbers.ts";
import { greatestCommonDivisor } from "./greatest-common-divisor.ts";

/** Bits by which a fraction is longer than its denominator: each of some 20 levels loses less than one bit. */
const GUARD_BITS = 64;

/**
 * For each number the greatest common divisor of it and the product of all others: far below one gcd for each pair
 * (Bernstein, "How to find smooth parts of integers", 2004, and "Scaled remainder trees", 2004).
 * @param numbers different ones, all above 1
 */
export function commonWithOthers(numbers: readonly bigint[]): bigint[] {
  if (numbers.length < 2) return numbers.map(() => 1n);
  return productsOfOthers(numbers).map((product, i) => greatestCommonDivisor(numbers[i] ?? 1n, product));
}

/**
 * For each number n the product P/n of all others modulo n. The sum S of all P/n is congruent to it, since n divides
 * the other terms. S modulo n is carried down the tree as the fraction S/n modulo 1, which costs a multiplication
 * where a remainder costs a division, many times as slow: of N = L * R, S/L modulo 1 is R * (S/N modulo 1) modulo 1.
 */
function productsOfOthers(numbers: readonly bigint[]): bigint[] {
  const levels: bigint[][] = [[...numbers]];
  let sums: bigint[] = numbers.map(() => 1n);
  for (let level = levels[0] ?? []; level.length > 1; ) {
    const below = level;
    sums = pairwise(sums, (a, b, i) => a * (below[i + 1] ?? 1n) + b * (below[i] ?? 1n), 0n);
    level = pairwise(below, (a, b) => a * b, 1n);
    levels.push(level);
  }
  const [product = 1n] = levels.pop() ?? [];
  let bits = [bitsOf(product)];
  let fractions = [((sums[0] ?? 0n) << BigInt(bitsOf(product))) / product];
  for (let level = levels.pop(); level !== undefined; level = levels.pop()) {
    const [current, above, aboveBits] = [level, fractions, bits];
    bits = current.map(bitsOf);
    fractions = current.map((_, i) => {
      const before = aboveBits[i >> 1] ?? 0;
      const scaled = BigInt.asUintN(before, (above[i >> 1] ?? 0n) * (current[i ^ 1] ?? 1n));
      return scaled >> BigInt(Math.max(0, before - (bits[i] ?? 0)));
    });
  }
  return numbers.map((n, i) => {
    const length = BigInt(bits[i] ?? 0);
    // Always rounded down so far, by far less than one: a half more, and it is exact.
    return (((fractions[i] ?? 0n) * n + (1n << (length - 1n))) >> length) % n;
  });
}

function bitsOf(number: bigint): number {
  return bitLength(number) + GUARD_BITS;
}

function pairwise(
  list: readonly bigint[],
  combine: (a: bigint, b: bigint, i: number) => bigint,
  missing: bigint,
): bigint[] {
  const combined: bigint[] = [];
  for (let i = 0; i < list.length; i += 2) combined.push(combine(list[i] ?? missing, list[i + 1] ?? missing, i));
  return combined;
}
