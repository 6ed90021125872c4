import { bitLength } from "../rsa-numbers.ts";
import type { KeyWeakness } from "./weakness.ts";

/** floor(sqrt(n)), by Newton's iteration from above; its start is right to some fifty bits. */
export function integerSquareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  // Even, so that the root of what is shifted out is a whole number of bits.
  const shift = Math.max(0, bitLength(n) - 52) & ~1;
  let root = BigInt(Math.floor(Math.sqrt(Number(n >> BigInt(shift)))) + 2) << BigInt(shift >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
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

function isSquare(n: bigint): boolean {
  const root = integerSquareRoot(n);
  return root * root === n;
}
