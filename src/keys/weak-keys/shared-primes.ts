import { toBigInt } from "../rsa-numbers.ts";
import { greatestCommonDivisor } from "./small-factors.ts";

/** Two keys that share a prime: both are broken. */
export interface SharedPrime {
  /** Indexes into the list that was asked about, the smaller first. */
  readonly first: number;
  readonly second: number;
}

/**
 * The pairs of different moduli that share a prime (Bernstein's batch gcd: a product tree and a remainder tree, far
 * below one gcd for each pair). Equal moduli are one key, no finding. Zero is skipped.
 */
export function sharedPrimes(moduli: readonly Uint8Array[]): SharedPrime[] {
  const firstIndex = new Map<bigint, number>();
  moduli.forEach((modulus, index) => {
    const n = toBigInt(modulus);
    if (n > 1n && !firstIndex.has(n)) firstIndex.set(n, index);
  });
  const numbers = [...firstIndex.keys()];
  if (numbers.length < 2) return [];
  const suspects = remaindersOfProduct(numbers).flatMap((remainder, i) => {
    const n = numbers[i] ?? 1n;
    return greatestCommonDivisor(n, remainder / n) === 1n ? [] : [n];
  });
  const pairs: SharedPrime[] = [];
  suspects.forEach((a, i) => {
    for (const b of suspects.slice(i + 1)) {
      if (greatestCommonDivisor(a, b) === 1n) continue;
      pairs.push({ first: firstIndex.get(a) ?? 0, second: firstIndex.get(b) ?? 0 });
    }
  });
  return pairs;
}

/** For each number the product of all modulo its square. */
function remaindersOfProduct(numbers: readonly bigint[]): bigint[] {
  const levels: bigint[][] = [[...numbers]];
  for (let level = levels[0] ?? []; level.length > 1; ) {
    const next: bigint[] = [];
    for (let i = 0; i < level.length; i += 2) next.push((level[i] ?? 1n) * (level[i + 1] ?? 1n));
    levels.push(next);
    level = next;
  }
  let remainders = levels.at(-1) ?? [];
  for (const level of levels.slice(0, -1).reverse()) {
    const above = remainders;
    remainders = level.map((number, i) => (above[i >> 1] ?? 0n) % (number * number));
  }
  return remainders;
}
