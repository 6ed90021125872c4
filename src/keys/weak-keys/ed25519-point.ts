import { toBigInt } from "../rsa-numbers.ts";
import type { KeyWeakness } from "./weakness.ts";

const P = (1n << 255n) - 19n;
/** -121665/121666 modulo p (RFC 8032 §5.1). */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** The y of the eight points whose order divides 8: identity, order 2, order 4 (two), order 8 (four). */
const LOW_ORDER_Y = new Set([
  1n,
  P - 1n,
  0n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

/**
 * P-ED-POINT: the octets are no point of the curve, or not in its one encoding (RFC 8032 §5.1.3).
 * P-ED-LOWORDER: a point of small order, under which anybody can sign.
 * @param bytes 32 octets
 */
export function ed25519PointWeakness(bytes: Uint8Array): KeyWeakness | undefined {
  const y = BigInt.asUintN(255, toBigInt(Uint8Array.from(bytes).reverse()));
  if (y >= P) return { code: "P-ED-POINT", severity: "error", detail: "y is not below 2^255-19" };
  const squareY = (y * y) % P;
  const numerator = (squareY + P - 1n) % P;
  if (numerator === 0n && (bytes[31] ?? 0) >= 0x80) {
    return { code: "P-ED-POINT", severity: "error", detail: "x is zero and its sign is set" };
  }
  // x^2 = numerator / denominator is a square when their product is one.
  const product = (numerator * (D * squareY + 1n)) % P;
  if (numerator !== 0n && jacobi(product, P) !== 1) {
    return { code: "P-ED-POINT", severity: "error", detail: "not a point on the curve" };
  }
  return LOW_ORDER_Y.has(y)
    ? { code: "P-ED-LOWORDER", severity: "error", detail: "a point of small order" }
    : undefined;
}

/** The Jacobi symbol (a/n), n odd: 1 when a is a square modulo the prime n. Several times faster than a power. */
function jacobi(a: bigint, n: bigint): number {
  let [x, m] = [a, n];
  let sign = 1;
  while (x !== 0n) {
    let zeros = 0;
    let low = Number(BigInt.asUintN(32, x));
    while (low === 0) {
      x >>= 32n;
      zeros += 32;
      low = Number(BigInt.asUintN(32, x));
    }
    const shift = 31 - Math.clz32(low & -low);
    zeros += shift;
    x >>= BigInt(shift);
    const mMod8 = Number(BigInt.asUintN(3, m));
    if ((zeros & 1) === 1 && (mMod8 === 3 || mMod8 === 5)) sign = -sign;
    if ((mMod8 & 3) === 3 && (Number(BigInt.asUintN(2, x)) & 3) === 3) sign = -sign;
    [x, m] = [m % x, x];
  }
  return m === 1n ? sign : 0;
}
