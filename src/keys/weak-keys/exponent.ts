import { toBigInt } from "../rsa-numbers.ts";
import type { KeyWeakness } from "./weakness.ts";

/**
 * RSA-E: RFC 8017 §3.1 wants an odd e with 3 <= e < n; FIPS 186-5 §A.1.1 e < 2^256, and verifiers stop far below;
 * RFC 6376 §3.3.3 says that e should be 65537.
 */
export function exponentWeakness(exponent: Uint8Array, modulus: Uint8Array): KeyWeakness | undefined {
  const fault = (severity: "error" | "warning", detail: string): KeyWeakness => ({ code: "RSA-E", severity, detail });
  if (exponent.length === 3 && exponent[0] === 1 && exponent[1] === 0 && exponent[2] === 1 && modulus.length > 3) {
    return undefined;
  }
  if (exponent.length > 32) return fault("error", `e has more than 256 bits`);
  const e = toBigInt(exponent);
  if (e < 3n) return fault("error", `e=${e}`);
  if ((e & 1n) === 0n) return fault("error", `e=${e} is even`);
  if (exponent.length >= modulus.length && e >= toBigInt(modulus)) {
    return fault("error", "e is not smaller than the modulus");
  }
  return fault("warning", `e=${e}`);
}
