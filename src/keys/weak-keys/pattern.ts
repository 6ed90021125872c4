import type { KeyWeakness } from "./weakness.ts";

/** 15 degrees of freedom: chance exceeds this once in some 10^24 keys. */
const CHI_SQUARE_LIMIT = 150;

/**
 * RSA-PATTERN: the digits of the modulus are not those of a product of random primes: long runs, vanity patterns,
 * sparse polynomials in a power of two, repeated words. Linear time, no arithmetic.
 */
export function patternWeakness(modulus: Uint8Array): KeyWeakness | undefined {
  // Too few digits to tell chance from pattern.
  if (modulus.length < 32) return undefined;
  const counts = new Float64Array(16);
  for (const octet of modulus) {
    const high = octet >> 4;
    const low = octet & 15;
    counts[high] = (counts[high] ?? 0) + 1;
    counts[low] = (counts[low] ?? 0) + 1;
  }
  const expected = modulus.length / 8;
  let chiSquare = 0;
  for (const count of counts) chiSquare += (count - expected) ** 2 / expected;
  if (chiSquare > CHI_SQUARE_LIMIT) {
    const common = counts.indexOf(Math.max(...counts));
    const share = Math.round(((counts[common] ?? 0) / (modulus.length * 2)) * 100);
    return {
      code: "RSA-PATTERN",
      severity: "error",
      detail: `${share}% of the hexadecimal digits of the modulus are ${common.toString(16)}`,
    };
  }
  return hasRepeatedWord(modulus)
    ? { code: "RSA-PATTERN", severity: "error", detail: "the modulus repeats parts of itself" }
    : undefined;
}

/** Two equal aligned words of 64 bits: by chance once in some 10^15 keys of 4096 bits. */
function hasRepeatedWord(modulus: Uint8Array): boolean {
  const view = new DataView(modulus.buffer, modulus.byteOffset, modulus.byteLength);
  const lows = new Set<number>();
  const words = new Set<bigint>();
  for (let end = modulus.length; end >= 8; end -= 8) lows.add(view.getUint32(end - 4));
  // Without two equal halves there are no equal words: of good keys nearly all end here.
  if (lows.size === modulus.length >> 3) return false;
  for (let end = modulus.length; end >= 8; end -= 8) words.add(view.getBigUint64(end - 8));
  return words.size < modulus.length >> 3;
}
