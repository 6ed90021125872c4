import { bitLength } from "../rsa-numbers.ts";

/** Leading bits that are looked at: they, and the cofactors that they give, are exact as numbers. */
const LEADING_BITS = 50;

/**
 * The greatest common divisor, both positive or zero. Lehmer's way (Knuth, TAOCP 2, §4.5.2, algorithm L): the leading
 * bits of both tell some fifteen quotients at once, so that long numbers are touched once for all of them.
 */
export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = a < b ? [b, a] : [a, b];
  let shift = bitLength(x) - LEADING_BITS;
  while (y > Number.MAX_SAFE_INTEGER) {
    shift = Math.max(0, shift - LEADING_BITS + bitsOf(Number(x >> BigInt(shift))));
    const [A, B, C, D] = cofactors(Number(x >> BigInt(shift)), Number(y >> BigInt(shift)));
    if (B === 0) [x, y] = [y, x % y];
    else [x, y] = [BigInt(A) * x + BigInt(B) * y, BigInt(C) * x + BigInt(D) * y];
  }
  if (y === 0n) return x;
  let [u, v] = [Number(y), Number(x % y)];
  while (v !== 0) [u, v] = [v, u % v];
  return BigInt(u);
}

/** Of whole numbers up to 2^53. */
function bitsOf(number: number): number {
  return number < 2 ** 32 ? 32 - Math.clz32(number) : 64 - Math.clz32(number / 2 ** 32);
}

/** The steps of Euclid that all numbers beginning with `x` and `y` have in common, as a matrix; B = 0 when there is none. */
function cofactors(leadingX: number, leadingY: number): [A: number, B: number, C: number, D: number] {
  let [x, y] = [leadingX, leadingY];
  let [A, B, C, D] = [1, 0, 0, 1];
  while (y + C !== 0 && y + D !== 0) {
    const quotient = Math.floor((x + A) / (y + C));
    if (quotient !== Math.floor((x + B) / (y + D))) break;
    [A, C] = [C, A - quotient * C];
    [B, D] = [D, B - quotient * D];
    [x, y] = [y, x - quotient * y];
  }
  return [A, B, C, D];
}
