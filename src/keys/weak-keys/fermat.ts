import { bitLength } from "../rsa-numbers.ts";
import type { KeyWeakness } from "./weakness.ts";

/**
 * floor(sqrt(n)): the root of the upper half of n, which is half of the root, then one step of Newton's, which gives the
 * other half. All divisions together cost little more than the last.
 */
export function integerSquareRoot(n: bigint): bigint {
  return n < 2n ? n : rootOf(n, bitLength(n));
}

function rootOf(n: bigint, bits: number): bigint {
  // Exact, for what a number holds exactly.
  if (bits <= 52) return BigInt(Math.floor(Math.sqrt(Number(n))));
  // A quarter, rounded down: as many bits as the step adds.
  const step = bits >> 2;
  const shift = BigInt(step);
  const upper = rootOf(n >> (2n * shift), bits - 2 * step);
  const root = ((upper << shift) + (n >> shift) / upper) >> 1n;
  // Newton's step never ends below the root, and here by less than one above it.
  return root * root > n ? root - 1n : root;
}

/** What squares are modulo small numbers. */
const SQUARES = [64, 9, 5, 7, 11, 13, 17, 19, 23, 29, 31].map((modulus) => {
  const isSquare = new Uint8Array(modulus);
  for (let i = 0; i < modulus; i += 1) isSquare[(i * i) % modulus] = 1;
  return { modulus, isSquare };
});
/** All of them at once: three numbers below it add up exactly. */
const FILTER_MODULUS = SQUARES.reduce((product, { modulus }) => product * modulus, 1);

/** Whether a number can be a square, by what it is modulo `FILTER_MODULUS`: one other number in three thousand can. */
function canBeSquare(rest: number): boolean {
  for (const { modulus, isSquare } of SQUARES) if (isSquare[rest % modulus] === 0) return false;
  return true;
}

/** RSA-FERMAT: the two primes are so close that Fermat's method finds them in `rounds` steps. `n` is odd. */
export function fermatWeakness(n: bigint, rounds = 100): KeyWeakness | undefined {
  const floor = integerSquareRoot(n);
  const first = floor * floor < n ? floor + 1n : floor;
  // a and a^2 - n, modulo the filter's: nearly all steps are taken without a long number.
  let a = Number(first % BigInt(FILTER_MODULUS));
  let remainder = Number((first * first - n) % BigInt(FILTER_MODULUS));
  for (let round = 1; round <= rounds; round += 1) {
    if (canBeSquare(remainder) && isSquare((first + BigInt(round - 1)) ** 2n - n)) {
      return {
        code: "RSA-FERMAT",
        severity: "error",
        detail: `factored in ${round} step${round === 1 ? "" : "s"} of Fermat's method`,
      };
    }
    remainder += 2 * a + 1;
    while (remainder >= FILTER_MODULUS) remainder -= FILTER_MODULUS;
    a = a + 1 === FILTER_MODULUS ? 0 : a + 1;
  }
  return undefined;
}

/**
 * Whether two primes are so far apart that Fermat's method takes more than 2^64 steps: it takes (p - q)^2 / (8 * sqrt(n))
 * of them. Told by their first octets; `false` also where these do not tell.
 */
export function primesAreFarApart(prime1: Uint8Array, prime2: Uint8Array): boolean {
  if (prime1.length !== prime2.length || prime1.length < 32) return false;
  return Math.abs(leadingNumber(prime1) - leadingNumber(prime2)) > 1;
}

function leadingNumber(octets: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return ((a * 256 + b) * 256 + c) * 256 + d;
}

function isSquare(n: bigint): boolean {
  const root = integerSquareRoot(n);
  return root * root === n;
}
