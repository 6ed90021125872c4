import { bitLength } from "../rsa-numbers.ts";

/** Leading bits that are looked at: they, and the cofactors that they give, are exact as numbers. */
const LEADING_BITS = 50;

/**
 * The greatest common divisor, both positive or zero. Lehmer's way (Knuth, TAOCP 2, §4.5.2, algorithm L): the leading
 * bits of both tell some fifteen quotients at once, so that long numbers are touched once for all of them.
 */
export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let x = a < b ? b : a;
  let y = a < b ? a : b;
  let shift = bitLength(x) - LEADING_BITS;
  while (y > Number.MAX_SAFE_INTEGER) {
    shift = Math.max(0, shift - LEADING_BITS + bitsOf(Number(x >> BigInt(shift))));
    const { A, B, C, D } = commonSteps(Number(x >> BigInt(shift)), Number(y >> BigInt(shift)));
    const before = x;
    x = B === 0 ? y : BigInt(A) * x + BigInt(B) * y;
    y = B === 0 ? before % y : BigInt(C) * before + BigInt(D) * y;
  }
  if (y === 0n) return x;
  let u = Number(y);
  let v = Number(x % y);
  while (v !== 0) {
    const rest = u % v;
    u = v;
    v = rest;
  }
  return BigInt(u);
}

/** Of whole numbers up to 2^53. */
function bitsOf(number: number): number {
  return number < 2 ** 32 ? 32 - Math.clz32(number) : 64 - Math.clz32(number / 2 ** 32);
}

/** The steps of Euclid that all numbers beginning with `x` and `y` have in common, as a matrix; B = 0 when there is none. */
function commonSteps(leadingX: number, leadingY: number): { A: number; B: number; C: number; D: number } {
  let x = leadingX;
  let y = leadingY;
  let [A, B, C, D] = [1, 0, 0, 1];
  while (y + C !== 0 && y + D !== 0) {
    const quotient = Math.floor((x + A) / (y + C));
    if (quotient !== Math.floor((x + B) / (y + D))) break;
    // One after the other: as a pair, each would be an array while the function is not yet compiled.
    const nextC = A - quotient * C;
    A = C;
    C = nextC;
    const nextD = B - quotient * D;
    B = D;
    D = nextD;
    const nextY = x - quotient * y;
    x = y;
    y = nextY;
  }
  return { A, B, C, D };
}
