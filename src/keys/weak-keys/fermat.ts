import { bitLength } from "../rsa-numbers.ts";
import type { KeyWeakness } from "./weakness.ts";

/** floor(sqrt(n)), by Newton's iteration from above. */
export function integerSquareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Bit i is set when i is a square modulo 64: five numbers of six are told apart without a root. */
const SQUARES_MODULO_64 = new Set(Array.from({ length: 64 }, (_, i) => (i * i) % 64));
const FILTER_MODULUS = 3 * 3 * 5 * 7 * 11 * 13 * 17;
const FILTER_SQUARES = new Uint8Array(FILTER_MODULUS);
for (let i = 0; i < FILTER_MODULUS; i += 1) FILTER_SQUARES[(i * i) % FILTER_MODULUS] = 1;

function isSquare(n: bigint): boolean {
  if (!SQUARES_MODULO_64.has(Number(BigInt.asUintN(6, n)))) return false;
  if (FILTER_SQUARES[Number(n % BigInt(FILTER_MODULUS))] !== 1) return false;
  const root = integerSquareRoot(n);
  return root * root === n;
}

/** RSA-FERMAT: the two primes are so close that Fermat's method finds them in `rounds` steps. `n` is odd. */
export function fermatWeakness(n: bigint, rounds = 100): KeyWeakness | undefined {
  let a = integerSquareRoot(n);
  if (a * a < n) a += 1n;
  let remainder = a * a - n;
  for (let round = 1; round <= rounds; round += 1) {
    if (isSquare(remainder)) {
      return {
        code: "RSA-FERMAT",
        severity: "error",
        detail: `factored in ${round} step${round === 1 ? "" : "s"} of Fermat's method`,
      };
    }
    remainder += 2n * a + 1n;
    a += 1n;
  }
  return undefined;
}
