import { greatestCommonDivisor } from "./greatest-common-divisor.ts";
import { primorial, smallPrimes } from "./primorial.ts";
import type { KeyWeakness } from "./weakness.ts";

/** RSA-FACTOR: an odd prime up to 65,537 divides the modulus. One gcd with the product of them all. */
export function smallFactorWeakness(n: bigint): KeyWeakness | undefined {
  const common = greatestCommonDivisor(n, primorial() % n);
  if (common === 1n) return undefined;
  const factor = smallPrimes().find((prime) => common % BigInt(prime) === 0n);
  return { code: "RSA-FACTOR", severity: "error", detail: `the modulus is divisible by ${factor}` };
}

/** What is left of a number when its factors 2 and all odd primes up to 65,537 are divided out; 0 for 0. */
export function withoutSmallFactors(n: bigint): bigint {
  if (n === 0n) return 0n;
  let rest = n;
  while ((rest & 1n) === 0n) rest >>= 1n;
  for (;;) {
    const common = greatestCommonDivisor(rest, primorial() % rest);
    if (common === 1n || rest === 1n) return rest;
    rest /= common;
  }
}
