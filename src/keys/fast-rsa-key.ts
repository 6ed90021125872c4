import { generatePrime, randomBytes } from "node:crypto";
import { UsageError } from "../errors.ts";
import { KeyGenerationError, MIN_RSA_BITS, proveKey } from "./generate-key.ts";
import { rsaPublicKeyFromNumbers } from "./public-key.ts";
import { bitLength, toBigInt, toOctets } from "./rsa-numbers.ts";
import { assertRsaConsistent, MAX_RSA_BITS, type RsaPrivateKey } from "./rsa-private-key.ts";
import { greatestCommonDivisor } from "./weak-keys/greatest-common-divisor.ts";

/*
 * An RSA key of random primes, as OpenSSL 1.1.1 and earlier made them: in a third of the time, for OpenSSL 3 builds each
 * prime around two smaller ones (FIPS 186-5 §A.1.6). What is given up: no claim to FIPS 186-5, which wants that or more
 * rounds of testing for random primes; and the exponents are computed with V8's BigInt, whose time depends on the
 * numbers and whose memory cannot be wiped, so whoever can measure or read this process learns of them.
 */

const E = 65_537n;

/** A pair of primes is refused once in thousands: so many in a row come from no working random generator. */
const MAX_ATTEMPTS = 20;

/**
 * A new RSA key with e=65537 whose primes keep the sizes and distances of FIPS 186-5 §A.1.1; proven by its numbers and
 * by one signature. The primes are made on the thread pool, two at once.
 * @param modulusBits even, 512..16384; what is too short for DKIM is for the caller to say
 * @throws {UsageError} another size
 * @throws {KeyGenerationError}
 */
export async function generateFastRsaKey(modulusBits: number): Promise<RsaPrivateKey> {
  if (modulusBits % 2 !== 0 || modulusBits < MIN_RSA_BITS || modulusBits > MAX_RSA_BITS) {
    throw new UsageError(
      `an RSA key of ${modulusBits} bits cannot be made fast: even numbers from ${MIN_RSA_BITS} to ${MAX_RSA_BITS} can`,
      { hint: "leave --fast out, or give another size" },
    );
  }
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const bits = modulusBits / 2;
    const [a, b] = await Promise.all([randomPrime(bits), randomPrime(bits)]);
    const [p, q] = a > b ? [a, b] : [b, a];
    const key = rsaKeyOfPrimes(p, q, modulusBits);
    if (key === undefined) continue;
    assertRsaConsistent(key);
    await proveKey(key);
    return key;
  }
  throw new KeyGenerationError(
    `${MAX_ATTEMPTS} pairs of primes were unfit: the random numbers of this machine are not`,
  );
}

/** With its two highest bits set, so that a product of two has all of its bits. */
function randomPrime(bits: number): Promise<bigint> {
  return new Promise((resolve, reject) =>
    generatePrime(bits, { bigint: true }, (error, prime) => (error ? reject(error) : resolve(prime))),
  );
}

/**
 * The key of two primes and e=65537, with the least private exponent.
 * @param p the larger prime
 * @returns `undefined`: FIPS 186-5 §A.1.1 does not allow this pair for a modulus of so many bits
 */
export function rsaKeyOfPrimes(p: bigint, q: bigint, modulusBits: number): RsaPrivateKey | undefined {
  const half = BigInt(modulusBits / 2);
  const least = 1n << (2n * half - 1n);
  // sqrt(2)*2^(half-1) <= prime < 2^half: the modulus has all of its bits then.
  if ([p, q].some((prime) => prime >> half !== 0n || prime * prime < least)) return undefined;
  if (p - q <= 1n << (half - 100n)) return undefined;
  if ((p - 1n) % E === 0n || (q - 1n) % E === 0n) return undefined;
  const lambda = ((p - 1n) / greatestCommonDivisor(p - 1n, q - 1n)) * (q - 1n);
  const d = inverseOfE(lambda);
  if (d >> half === 0n) return undefined;
  const modulus = p * q;
  if (bitLength(modulus) !== modulusBits) return undefined;
  return {
    type: "rsa",
    publicKey: rsaPublicKeyFromNumbers(toOctets(modulus), toOctets(E)),
    privateExponent: toOctets(d),
    prime1: toOctets(p),
    prime2: toOctets(q),
    exponent1: toOctets(d % (p - 1n)),
    exponent2: toOctets(d % (q - 1n)),
    coefficient: toOctets(blindedInverse(q, p)),
  };
}

/** 1/e modulo lambda: (1 + k*lambda)/e, with the k that makes it whole. */
function inverseOfE(lambda: bigint): bigint {
  const k = ((E - 1n) * inverse(lambda % E, E)) % E;
  return (1n + k * lambda) / E;
}

/** 1/number modulo the prime, from the inverse of a random multiple, whose course tells nothing of the number. */
function blindedInverse(number: bigint, prime: bigint): bigint {
  const random = (toBigInt(new Uint8Array(randomBytes(Math.ceil(bitLength(prime) / 8)))) % (prime - 1n)) + 1n;
  return (inverse((number * random) % prime, prime) * random) % prime;
}

/** Euclid's algorithm; `number` and `modulus` have no common divisor. */
function inverse(number: bigint, modulus: bigint): bigint {
  let [a, b] = [modulus, number % modulus];
  let [x, y] = [0n, 1n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return x < 0n ? x + modulus : x;
}
