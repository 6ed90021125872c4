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

/** What squares are modulo small numbers: nearly all other numbers are told apart without a root. */
const SQUARES = [64, 9, 5, 7, 11, 13, 17].map((modulus) => ({
  modulus,
  residues: new Set(Array.from({ length: modulus }, (_, i) => (i * i) % modulus)),
}));
const FILTER_MODULUS = BigInt(SQUARES.reduce((product, { modulus }) => product * modulus, 1));

function isSquare(n: bigint): boolean {
  const rest = Number(n % FILTER_MODULUS);
  for (const { modulus, residues } of SQUARES) if (!residues.has(rest % modulus)) return false;
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
