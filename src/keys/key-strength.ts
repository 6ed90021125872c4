import type { PublicKey, RsaPublicKey } from "./public-key.ts";
import { toBigInt } from "./rsa-numbers.ts";
import type { RsaPrivateKey } from "./rsa-private-key.ts";
import { ed25519PointWeakness } from "./weak-keys/ed25519-point.ts";
import { exponentWeakness } from "./weak-keys/exponent.ts";
import { fermatWeakness, primesAreFarApart } from "./weak-keys/fermat.ts";
import { knownKeyWeakness } from "./weak-keys/known-keys.ts";
import { isCompositeModulus, modulusWeakness, primeModulusWeakness } from "./weak-keys/modulus.ts";
import { patternWeakness } from "./weak-keys/pattern.ts";
import { rocaWeakness } from "./weak-keys/roca.ts";
import { smallFactorWeakness } from "./weak-keys/small-factors.ts";
import type { KeyWeakness } from "./weak-keys/weakness.ts";
import { wienerWeakness } from "./weak-keys/wiener.ts";

export type { KeyWeakness } from "./weak-keys/weakness.ts";

/** Signers must not use, and verifiers must not accept, what is shorter (RFC 8301 §3.2). */
export const MIN_RSA_BITS = 1024;
/** What signers should use at least (RFC 8301 §3.2). */
const RECOMMENDED_RSA_BITS = 2048;
/** The longest that every verifier must take (RFC 8301 §3.2). */
const MAX_VERIFIABLE_RSA_BITS = 4096;

/** Longer moduli would let a DNS record cost seconds: of them only size, pattern and small factors are looked at. */
const MAX_ARITHMETIC_BITS = 8192;

export interface KeyStrengthOptions {
  /**
   * Default true: also look for small factors, close primes, a prime modulus and a small private exponent. Of a key of
   * 2048 bits the prime modulus costs two milliseconds, the others together a fifth of one; without all of it, it is
   * some microseconds.
   */
  readonly arithmetic?: boolean | undefined;
  /** Default false. It is known that the modulus is no prime. */
  readonly isComposite?: boolean | undefined;
  /** Its two factors, when they are at hand: then the modulus is no prime, and whether they are close can be seen. */
  readonly factors?: Pick<RsaPrivateKey, "prime1" | "prime2"> | undefined;
  /**
   * Default false. Its two factors are at hand, belong to its exponents (`assertRsaConsistent`), and made a signature
   * that verifies: they have no small factors. For the signature of m is m^d with e*d = 1 + k*(p-1), so m^(k*(p-1)) is 1
   * modulo p: Fermat's test of p, to a base that nobody chose. A p = f*r with a small f stands it only where the order of
   * m modulo r, nearly as long as r itself, divides k*(f-1).
   */
  readonly hasSigned?: boolean | undefined;
}

/**
 * What is weak about a public key: RFC 8301 §3.2, RFC 6376 §3.3.3, RFC 8032 §5.1.3 and the known ways to break a key
 * from its public numbers. Empty for a good key. Pure policy; primes that are shared need a list: `sharedPrimes`.
 */
export function checkPublicKeyStrength(key: PublicKey, options: KeyStrengthOptions = {}): KeyWeakness[] {
  const found =
    key.type === "rsa"
      ? [...rsaWeaknesses(key, options), knownKeyWeakness(key)]
      : [ed25519PointWeakness(key.bytes), knownKeyWeakness(key)];
  return found.filter((weakness) => weakness !== undefined);
}

/** What RFC 8301 §3.2 says about the size of a key; `undefined` for 2048..4096 bits. */
export function rsaSizeWeakness(modulusBits: number): KeyWeakness | undefined {
  const detail = `${modulusBits} bits`;
  if (modulusBits < MIN_RSA_BITS) return { code: "RSA-SHORT", severity: "error", detail };
  if (modulusBits < RECOMMENDED_RSA_BITS) return { code: "RSA-1024", severity: "warning", detail };
  if (modulusBits > MAX_VERIFIABLE_RSA_BITS) return { code: "RSA-LONG", severity: "warning", detail };
  return undefined;
}

function rsaWeaknesses(
  { modulus, exponent, modulusBits }: RsaPublicKey,
  { arithmetic = true, isComposite = false, factors, hasSigned = false }: KeyStrengthOptions,
) {
  const broken = modulusWeakness(modulus);
  // Zero has no size, and what is even is no key: nothing more is to be said.
  if (modulusBits === 0) return [broken];
  const found = [rsaSizeWeakness(modulusBits), exponentWeakness(exponent, modulus), patternWeakness(modulus), broken];
  if (broken !== undefined) return found;
  const n = toBigInt(modulus);
  found.push(rocaWeakness(n));
  if (!arithmetic) return found;
  if (!hasSigned) found.push(smallFactorWeakness(n));
  if (modulusBits > MAX_ARITHMETIC_BITS) return found;
  if (factors === undefined || !primesAreFarApart(factors.prime1, factors.prime2)) found.push(fermatWeakness(n));
  // What Wiener's method finds is no shorter than that.
  if (exponent.length * 8 >= modulusBits / 2) found.push(wienerWeakness(n, toBigInt(exponent)));
  if (!isComposite && factors === undefined) found.push(primeModulusWeakness(modulus));
  return found;
}

/**
 * Whether the modulus is a product, as `KeyStrengthOptions` wants it told: `checkPublicKeyStrength` in the thread pool,
 * for who has many keys to ask about. True also where nobody would ask.
 */
export function hasCompositeModulus({ modulus, modulusBits }: RsaPublicKey): Promise<boolean> {
  if (modulusBits > MAX_ARITHMETIC_BITS || modulusWeakness(modulus) !== undefined) return Promise.resolve(true);
  return isCompositeModulus(modulus);
}
