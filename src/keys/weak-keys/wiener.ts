import { bitLength } from "../rsa-numbers.ts";
import { integerSquareRoot } from "./fermat.ts";
import type { KeyWeakness } from "./weakness.ts";

/**
 * RSA-WIENER: the private exponent is so small (d < n^(1/4) / 3) that the continued fraction of e/n holds it
 * (Wiener, 1990). Such a d needs an e about as long as n; any other e returns at once.
 */
export function wienerWeakness(n: bigint, e: bigint): KeyWeakness | undefined {
  const bits = bitLength(n);
  if (bitLength(e) < (bits * 3) / 4 - 2) return undefined;
  const limit = 1n << BigInt((bits >> 2) + 1);
  let [numerator, denominator] = [e, n];
  let [previousK, k] = [0n, 1n];
  let [previousD, d] = [1n, 0n];
  while (denominator !== 0n && d < limit) {
    const quotient = numerator / denominator;
    [numerator, denominator] = [denominator, numerator - quotient * denominator];
    [previousK, k] = [k, quotient * k + previousK];
    [previousD, d] = [d, quotient * d + previousD];
    if (isPrivateExponent(n, e, k, d)) {
      return { code: "RSA-WIENER", severity: "error", detail: `the private exponent has only ${bitLength(d)} bits` };
    }
  }
  return undefined;
}

/** Whether (e*d - 1) / k is phi(n), told by the primes it gives. */
function isPrivateExponent(n: bigint, e: bigint, k: bigint, d: bigint): boolean {
  if (k <= 0n || (e * d - 1n) % k !== 0n) return false;
  const sum = n - (e * d - 1n) / k + 1n;
  const discriminant = sum * sum - 4n * n;
  if (discriminant < 0n) return false;
  const root = integerSquareRoot(discriminant);
  return root * root === discriminant && ((sum + root) & 1n) === 0n;
}
