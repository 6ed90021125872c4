import { greatestCommonDivisor } from "./greatest-common-divisor.ts";
import type { KeyWeakness } from "./weakness.ts";

const LIMIT = 65_537;

/** The odd primes up to 65,537 (sieve of Eratosthenes). */
function smallPrimes(): number[] {
  const composite = new Uint8Array(LIMIT + 1);
  const primes: number[] = [];
  for (let i = 3; i <= LIMIT; i += 2) {
    if (composite[i] === 1) continue;
    primes.push(i);
    for (let j = i * i; j <= LIMIT; j += 2 * i) composite[j] = 1;
  }
  return primes;
}

function product(numbers: readonly number[]): bigint {
  if (numbers.length <= 8) return numbers.reduce((total, each) => total * BigInt(each), 1n);
  const middle = numbers.length >> 1;
  return product(numbers.slice(0, middle)) * product(numbers.slice(middle));
}

let primorial: bigint | undefined;

/** RSA-FACTOR: an odd prime up to 65,537 divides the modulus. One gcd with the product of them all. */
export function smallFactorWeakness(n: bigint): KeyWeakness | undefined {
  primorial ??= product(smallPrimes());
  const common = greatestCommonDivisor(n, primorial % n);
  if (common === 1n) return undefined;
  const factor = smallPrimes().find((prime) => common % BigInt(prime) === 0n);
  return { code: "RSA-FACTOR", severity: "error", detail: `the modulus is divisible by ${factor}` };
}

/** What is left of a number when its factors 2 and all odd primes up to 65,537 are divided out; 0 for 0. */
export function withoutSmallFactors(n: bigint): bigint {
  if (n === 0n) return 0n;
  primorial ??= product(smallPrimes());
  let rest = n;
  while ((rest & 1n) === 0n) rest >>= 1n;
  for (;;) {
    const common = greatestCommonDivisor(rest, primorial % rest);
    if (common === 1n || rest === 1n) return rest;
    rest /= common;
  }
}
