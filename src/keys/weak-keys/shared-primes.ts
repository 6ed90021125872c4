import { toBigInt } from "../rsa-numbers.ts";
import { commonWithOthers } from "./batch-gcd.ts";
import { greatestCommonDivisor } from "./greatest-common-divisor.ts";
import { withoutSmallFactors } from "./small-factors.ts";

/** Indexes, in order, into the list that was asked about: different moduli that share a prime, and so are all broken. */
export type SharedPrime = readonly number[];

/**
 * The groups of different moduli that share a prime above 65,537: what smaller ones divide is no product of two primes
 * that a generator made, and is told by itself (RSA-FACTOR). Equal moduli are one key, for which its first index
 * stands. Zero is skipped.
 */
export function sharedPrimes(moduli: readonly Uint8Array[]): SharedPrime[] {
  const firstIndex = new Map<bigint, number>();
  moduli.forEach((modulus, index) => {
    const n = toBigInt(modulus);
    if (n > 1n && !firstIndex.has(n)) firstIndex.set(n, index);
  });
  const indexes = [...firstIndex.values()];
  const owners = new Owners();
  commonWithOthers([...firstIndex.keys()]).forEach((common, i) => {
    const factor = common === 1n ? common : withoutSmallFactors(common);
    if (factor > 1n) owners.add(factor, indexes.slice(i, i + 1));
  });
  // Most are one prime by now; those both of whose primes are shared are few enough to look at each pair.
  const factors = [...owners.factors()];
  const others = commonWithOthers(factors);
  const composite = factors.filter((_, i) => others[i] !== 1n);
  const found = new Owners();
  for (const factor of factors) {
    if (owners.of(factor).length > 1) found.add(factor, owners.of(factor));
  }
  composite.forEach((a, i) => {
    for (const b of composite.slice(i + 1)) {
      const common = greatestCommonDivisor(a, b);
      if (common > 1n) found.add(common, [...owners.of(a), ...owners.of(b)]);
    }
  });
  return found.groups();
}

/** Of each factor the indexes of the moduli that it divides. */
class Owners {
  readonly #indexes = new Map<bigint, Set<number>>();

  add(factor: bigint, indexes: readonly number[]): void {
    const known = this.#indexes.get(factor);
    if (known === undefined) this.#indexes.set(factor, new Set(indexes));
    else for (const index of indexes) known.add(index);
  }

  of(factor: bigint): readonly number[] {
    return [...(this.#indexes.get(factor) ?? [])];
  }

  factors(): Iterable<bigint> {
    return this.#indexes.keys();
  }

  /** By their first index; what several factors tell is told once. */
  groups(): SharedPrime[] {
    const groups = new Map<string, number[]>();
    for (const set of this.#indexes.values()) {
      const group = [...set].toSorted((a, b) => a - b);
      groups.set(group.join(), group);
    }
    return [...groups.values()].toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
  }
}
