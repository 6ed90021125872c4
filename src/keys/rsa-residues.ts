/*
 * What `assertRsaConsistent` proves with large numbers, as remainders modulo two primes: linear in the length of the
 * key, a tenth of the time. Numbers that do not belong together and yet leave the same remainders differ by a multiple
 * of both primes: one in 2^52 of damaged keys. (Who can write the file needs no such number: any other key would do.)
 */

/** The two largest primes below 2^26: the product of two remainders is an exact double. */
export const RESIDUE_PRIMES = [67_108_859, 67_108_837] as const;
const [A, B] = RESIDUE_PRIMES;

/** Where a number stands: big-endian octets without leading zeros. */
export interface NumberPlace {
  start: number;
  end: number;
}

/** The numbers of an RSAPrivateKey (RFC 8017 §A.1.2), all in one array of octets. */
export interface RsaNumberPlaces {
  readonly modulus: NumberPlace;
  readonly exponent: NumberPlace;
  readonly privateExponent: NumberPlace;
  readonly prime1: NumberPlace;
  readonly prime2: NumberPlace;
  readonly exponent1: NumberPlace;
  readonly exponent2: NumberPlace;
}

/** Above this the sums of `reduce` would not be exact; so long a key is rare, and proven the long way. */
const MAX_OCTETS = 1024;
/** Below this a number has too few leading octets for the estimates. */
const MIN_OCTETS = 32;
/** The quotients that are estimated are below the exponent: this keeps them exact. */
const MAX_EXPONENT_OCTETS = 3;
/** gcd(p-1, q-1) is small, being that of random numbers: above this for one key of some hundreds. */
const MAX_COMMON_DIVISOR = 512;

const powersA = powersOf16Bits(A);
const powersB = powersOf16Bits(B);

/** What `reduce` found last, in variables because an object for each would cost as much as the arithmetic. */
let a = 0;
let b = 0;

/**
 * Whether n = p*q, and d, dp and dq are the exponents of e: the public half is then that of the private one. False says
 * that it has not been shown, not that it is wrong. The coefficient is not looked at.
 */
export function areResiduesConsistent(octets: Uint8Array, places: RsaNumberPlaces): boolean {
  const { modulus, exponent, privateExponent, prime1, prime2, exponent1, exponent2 } = places;
  const most = lengthOf(modulus);
  if (most > MAX_OCTETS || lengthOf(exponent) > MAX_EXPONENT_OCTETS) return false;
  for (const place of [privateExponent, prime1, prime2, exponent1, exponent2]) {
    if (lengthOf(place) < MIN_OCTETS || lengthOf(place) > most) return false;
  }
  const e = leadingNumber(octets, exponent, lengthOf(exponent));
  if (e < 3 || !isOdd(octets, exponent) || !isOdd(octets, prime1) || !isOdd(octets, prime2)) return false;
  reduce(octets, prime1);
  const [pA, pB] = [a, b];
  reduce(octets, prime2);
  const [qA, qB] = [a, b];
  reduce(octets, modulus);
  if ((pA * qA - a) % A !== 0 || (pB * qB - b) % B !== 0) return false;
  const kp = Math.round(e * ratio(octets, exponent1, prime1));
  reduce(octets, exponent1);
  if (!isInverse(e, kp, pA, pB)) return false;
  const kq = Math.round(e * ratio(octets, exponent2, prime2));
  reduce(octets, exponent2);
  if (!isInverse(e, kq, qA, qB)) return false;
  const quotient = e * ratio(octets, privateExponent, modulus);
  reduce(octets, privateExponent);
  return isPrivateExponent(e, quotient, ((pA - 1) * (qA - 1)) % A, ((pB - 1) * (qB - 1)) % B);
}

/** Whether the number x that was reduced is e*x = 1 + k*(prime-1): of all k below e the leading octets tell the one. */
function isInverse(e: number, k: number, primeA: number, primeB: number): boolean {
  return k >= 1 && k < e && (e * a - 1 - k * (primeA - 1)) % A === 0 && (e * b - 1 - k * (primeB - 1)) % B === 0;
}

/**
 * Whether the number d that was reduced is e*d - 1 = k*phi/g for a small g: 1, or gcd(p-1, q-1) where d is that of
 * FIPS 186-5 §A.1.1, as OpenSSL 3 makes it.
 */
function isPrivateExponent(e: number, quotient: number, phiA: number, phiB: number): boolean {
  const leftA = (e * a - 1) % A;
  const leftB = (e * b - 1) % B;
  if (quotient >= e) return false;
  for (let g = 1; g <= MAX_COMMON_DIVISOR; g += 1) {
    const k = Math.round(quotient * g);
    if (k < 1 || Math.abs(quotient * g - k) > 1e-3) continue;
    if ((g * leftA - (k % A) * phiA) % A === 0 && (g * leftB - (k % B) * phiB) % B === 0) return true;
  }
  return false;
}

/** The number's remainders, to `a` and `b`. The sums stay below 2^52: at most 512 products of 16 and 26 bits. */
function reduce(octets: Uint8Array, { start, end }: NumberPlace): void {
  let sumA = 0;
  let sumB = 0;
  let power = 0;
  let last = end - 1;
  for (; last > start; last -= 2, power += 1) {
    const word = ((octets[last - 1] as number) << 8) | (octets[last] as number);
    sumA += word * (powersA[power] as number);
    sumB += word * (powersB[power] as number);
  }
  if (last === start) {
    sumA += (octets[last] as number) * (powersA[power] as number);
    sumB += (octets[last] as number) * (powersB[power] as number);
  }
  a = sumA % A;
  b = sumB % B;
}

/** About x/y, to 40 bits. */
function ratio(octets: Uint8Array, x: NumberPlace, y: NumberPlace): number {
  const leading = leadingNumber(octets, x, LEADING_OCTETS) / leadingNumber(octets, y, LEADING_OCTETS);
  return leading * 256 ** (lengthOf(x) - lengthOf(y));
}

const LEADING_OCTETS = 6;

function leadingNumber(octets: Uint8Array, { start }: NumberPlace, count: number): number {
  let number = 0;
  for (let i = start; i < start + count; i += 1) number = number * 256 + (octets[i] as number);
  return number;
}

function isOdd(octets: Uint8Array, { end }: NumberPlace): boolean {
  return ((octets[end - 1] as number) & 1) === 1;
}

function lengthOf({ start, end }: NumberPlace): number {
  return end - start;
}

function powersOf16Bits(prime: number): Float64Array {
  const powers = new Float64Array(MAX_OCTETS / 2);
  for (let i = 0, power = 1; i < powers.length; i += 1, power = (power * 65_536) % prime) powers[i] = power;
  return powers;
}
