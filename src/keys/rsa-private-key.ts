import { DerTag } from "./der.ts";
import { DerReader } from "./der-reader.ts";
import { encodeDer, encodeUnsignedInteger } from "./der-writer.ts";
import { PrivateKeyError } from "./private-key-error.ts";
import { type RsaPublicKey, rsaPublicKeyFromNumbers } from "./public-key.ts";
import { toBigInt } from "./rsa-numbers.ts";

/**
 * An RSA private key as numbers (RFC 8017 §3.2), unsigned big-endian octets without leading zeros; consistency proven
 * when read.
 */
export interface RsaPrivateKey {
  readonly type: "rsa";
  readonly publicKey: RsaPublicKey;
  readonly privateExponent: Uint8Array;
  readonly prime1: Uint8Array;
  readonly prime2: Uint8Array;
  readonly exponent1: Uint8Array;
  readonly exponent2: Uint8Array;
  readonly coefficient: Uint8Array;
}

/** The longest key OpenSSL makes and takes by default. */
export const MAX_RSA_BITS = 16_384;

/**
 * A DER RSAPrivateKey (RFC 8017 §A.1.2) whose numbers belong together.
 * @throws {DerError} not that structure
 * @throws {PrivateKeyError} three primes, or numbers that contradict each other
 */
export function parseRsaPrivateKey(der: Uint8Array): RsaPrivateKey {
  const outer = new DerReader(der);
  const body = outer.readConstructed();
  outer.finish();
  const version = body.readSmallInteger();
  const modulus = body.readUnsignedInteger();
  const exponent = body.readUnsignedInteger();
  const key: RsaPrivateKey = {
    type: "rsa",
    publicKey: rsaPublicKeyFromNumbers(modulus, exponent),
    privateExponent: body.readUnsignedInteger(),
    prime1: body.readUnsignedInteger(),
    prime2: body.readUnsignedInteger(),
    exponent1: body.readUnsignedInteger(),
    exponent2: body.readUnsignedInteger(),
    coefficient: body.readUnsignedInteger(),
  };
  if (version === 1 || body.peekTag() === DerTag.sequence) {
    throw new PrivateKeyError("unsupported", "is an RSA key of more than two primes; signers read keys of two", {
      hint: "make a new key: dkimctl keygen",
    });
  }
  if (version !== 0) throw new PrivateKeyError("broken", `is an RSA key of the unknown version ${version}`);
  body.finish();
  assertRsaConsistent(key);
  return key;
}

/** The DER RSAPrivateKey, version 0 (RFC 8017 §A.1.2). */
export function encodeRsaPrivateKey(key: RsaPrivateKey): Uint8Array {
  const { publicKey, privateExponent, prime1, prime2, exponent1, exponent2, coefficient } = key;
  const { modulus, exponent } = publicKey;
  const numbers = [modulus, exponent, privateExponent, prime1, prime2, exponent1, exponent2, coefficient];
  return encodeDer(DerTag.sequence, Uint8Array.of(2, 1, 0), ...numbers.map(encodeUnsignedInteger));
}

/**
 * Proves that the numbers are one key (RFC 8017 §3.2): OpenSSL 3.0 loads keys for which none of this holds, and one
 * of them even signs. That the primes are prime is not proven.
 * @throws {PrivateKeyError} kind `broken`
 */
export function assertRsaConsistent(key: RsaPrivateKey): void {
  const fault = rsaFault(key);
  if (fault !== undefined) {
    throw new PrivateKeyError("broken", `is a damaged RSA key: ${fault}`, {
      hint: "restore the file from a backup, or make a new key under a new selector: dkimctl keygen",
    });
  }
}

function rsaFault(key: RsaPrivateKey): string | undefined {
  const { modulusBits } = key.publicKey;
  if (modulusBits > MAX_RSA_BITS) return `its modulus has ${modulusBits} bits; the limit is ${MAX_RSA_BITS}`;
  const octets = key.publicKey.modulus.length;
  // Sizes first, so that the arithmetic below is bounded.
  if (key.publicKey.exponent.length > octets) return "its public exponent is not smaller than the modulus";
  if (key.privateExponent.length > octets) return "its private exponent is not smaller than the modulus";
  for (const each of [key.prime1, key.prime2, key.exponent1, key.exponent2, key.coefficient]) {
    if (each.length > octets) return "one of its numbers is larger than the modulus";
  }
  const n = toBigInt(key.publicKey.modulus);
  const p = toBigInt(key.prime1);
  const q = toBigInt(key.prime2);
  if (p * q !== n) return "the modulus is not the product of the two primes";
  if (p <= 1n || q <= 1n || (n & 1n) === 0n) return "a prime is even, or 1";
  const e = toBigInt(key.publicKey.exponent);
  if (e < 3n || (e & 1n) === 0n || e >= n) return "its public exponent is even, below 3, or not below the modulus";
  const d = toBigInt(key.privateExponent);
  if (d >= n) return "its private exponent is not smaller than the modulus";
  const dp = toBigInt(key.exponent1);
  const dq = toBigInt(key.exponent2);
  const pMinus1 = p - 1n;
  const qMinus1 = q - 1n;
  // d is compared with dp and dq, then e with those: the same statement as e*d = 1, with numbers of half the length.
  if (d % pMinus1 !== dp || d % qMinus1 !== dq)
    return "exponent1 or exponent2 does not follow from the private exponent";
  if ((e * dp) % pMinus1 !== 1n || (e * dq) % qMinus1 !== 1n) {
    return "the private exponent does not belong to the public exponent";
  }
  const coefficient = toBigInt(key.coefficient);
  if (coefficient >= p || (coefficient * q) % p !== 1n) return "the coefficient does not belong to the primes";
  return undefined;
}
