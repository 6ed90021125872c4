import { checkPrimeSync } from "node:crypto";
import type { KeyWeakness } from "./weakness.ts";

/** RSA-N without arithmetic: a modulus that is zero or even is the product of no two odd primes. */
export function modulusWeakness(modulus: Uint8Array): KeyWeakness | undefined {
  const last = modulus.at(-1);
  if (last === undefined) return { code: "RSA-N", severity: "error", detail: "the modulus is zero" };
  return (last & 1) === 0 ? { code: "RSA-N", severity: "error", detail: "the modulus is even" } : undefined;
}

/** RSA-N: whoever sees a prime modulus has the private key. One modular exponentiation for a good key. */
export function primeModulusWeakness(modulus: Uint8Array): KeyWeakness | undefined {
  return checkPrimeSync(modulus, { checks: 8 })
    ? { code: "RSA-N", severity: "error", detail: "the modulus is itself a prime" }
    : undefined;
}
