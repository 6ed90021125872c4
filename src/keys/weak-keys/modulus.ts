import { checkPrime, checkPrimeSync } from "node:crypto";
import { promisify } from "node:util";
import type { KeyWeakness } from "./weakness.ts";

/** RSA-N without arithmetic: a modulus that is zero or even is the product of no two odd primes. */
export function modulusWeakness(modulus: Uint8Array): KeyWeakness | undefined {
  const last = modulus.at(-1);
  if (last === undefined) return { code: "RSA-N", severity: "error", detail: "the modulus is zero" };
  return (last & 1) === 0 ? { code: "RSA-N", severity: "error", detail: "the modulus is even" } : undefined;
}

/** OpenSSL makes it 64 rounds at least; a product fails the first. */
const PRIMALITY = { checks: 8 };

/** RSA-N: whoever sees a prime modulus has the private key. One modular exponentiation for a good key. */
export function primeModulusWeakness(modulus: Uint8Array): KeyWeakness | undefined {
  return checkPrimeSync(modulus, PRIMALITY)
    ? { code: "RSA-N", severity: "error", detail: "the modulus is itself a prime" }
    : undefined;
}

/** The same question in the thread pool, where many are asked on all cores. */
export async function isCompositeModulus(modulus: Uint8Array): Promise<boolean> {
  return !(await checkPrimeAsync(modulus, PRIMALITY));
}

const checkPrimeAsync = promisify<Uint8Array, { readonly checks: number }, boolean>(checkPrime);
