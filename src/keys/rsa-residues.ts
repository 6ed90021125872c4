import type { OctetRange } from "./der.ts";

/*
 * What `assertRsaConsistent` proves with large numbers, as remainders modulo two primes: linear in the length of the
 * key, a tenth of the time. Numbers that do not belong together and yet leave the same remainders differ by a multiple
 * of both primes: one in 2^52 of damaged keys. (Who can write the file needs no such number: any other key would do.)
 */

/** The two largest primes below 2^26: the product of two remainders is an exact double. */
export const RESIDUE_PRIMES = [67_108_859, 67_108_837] as const;
const [A, B] = RESIDUE_PRIMES;

/** The numbers of an RSAPrivateKey (RFC 8017 §A.1.2) that are looked at: their places in its order. */
export const RsaNumber = {
  modulus: 0,
  exponent: 1,
  privateExponent: 2,
  prime1: 3,
  prime2: 4,
  exponent1: 5,
  exponent2: 6,
} as const;

/** Above this the sums of `reduce` would not be exact; so long a key is rare, and proven the long way. */
const MAX_OCTETS = 1024;
/** Below this a number has too few leading octets for the estimates. */
const MIN_OCTETS = 32;
/** The quotients that are estimated are below the exponent: this keeps them exact. */
const MAX_EXPONENT_OCTETS = 3;
/** gcd(p-1, q-1) is small, being that of random numbers: above this for one key of some hundreds. */
const MAX_COMMON_DIVISOR = 512;

/** 2^16 to the power of each index modulo the primes, as far as a key has wanted them. */
const powersA = new Float64Array(MAX_OCTETS / 2);
const powersB = new Float64Array(MAX_OCTETS / 2);
let knownPowers = 0;

function knowPowers(count: number): void {
  for (; knownPowers < count; knownPowers += 1) {
    powersA[knownPowers] = nextPower(powersA, A);
    powersB[knownPowers] = nextPower(powersB, B);
  }
}

function nextPower(powers: Float64Array, prime: number): number {
  return knownPowers === 0 ? 1 : ((powers[knownPowers - 1] as number) * 65_536) % prime;
}

/** Of each `RsaNumber` of the key that is looked at. */
const remaindersA = new Float64Array(7);
const remaindersB = new Float64Array(7);
/** The six leading octets of each but the exponent. */
const leading = new Float64Array(7);

interface Modulo {
  readonly prime: number;
  /** Of each `RsaNumber`. */
  readonly remainders: Float64Array;
}

const MODULI: readonly Modulo[] = [
  { prime: A, remainders: remaindersA },
  { prime: B, remainders: remaindersB },
];

/**
 * Whether n = p*q, and d, dp and dq are the exponents of e: the public half is then that of the private one. False says
 * that it has not been shown, not that it is wrong. The coefficient is not looked at.
 * @param places of each `RsaNumber`
 */
export function areResiduesConsistent(octets: DataView, places: readonly OctetRange[]): boolean {
  return reduceAll(octets, places) && belongTogether(octets, places);
}

/** @returns false: one of them is too long or too short for what is done here */
function reduceAll(octets: DataView, places: readonly OctetRange[]): boolean {
  const most = lengthAt(places, RsaNumber.modulus);
  if (most > MAX_OCTETS || lengthAt(places, RsaNumber.exponent) > MAX_EXPONENT_OCTETS) return false;
  knowPowers(Math.ceil(most / 2));
  for (let i = 0; i <= RsaNumber.exponent2; i += 1) {
    const { start, end } = places[i] as OctetRange;
    if (i !== RsaNumber.exponent) {
      if (end - start < MIN_OCTETS || end - start > most) return false;
      leading[i] = octets.getUint16(start) * 2 ** 32 + octets.getUint32(start + 2);
    }
    reduce(octets, start, end, i);
  }
  return true;
}

function belongTogether(octets: DataView, places: readonly OctetRange[]): boolean {
  const { modulus, exponent, privateExponent, prime1, prime2, exponent1, exponent2 } = RsaNumber;
  // It is below both primes, so that its remainders are itself.
  const e = remaindersA[exponent] as number;
  if (e < 3 || isEven(octets, places[exponent]) || isEven(octets, places[prime1]) || isEven(octets, places[prime2])) {
    return false;
  }
  // e*dp = 1 + k*(p-1): of all k below e the leading octets tell the one.
  const kp = Math.round(e * ratio(places, exponent1, prime1));
  const kq = Math.round(e * ratio(places, exponent2, prime2));
  if (kp < 1 || kp >= e || kq < 1 || kq >= e) return false;
  const quotient = e * ratio(places, privateExponent, modulus);
  if (quotient >= e) return false;
  for (let i = 0; i < MODULI.length; i += 1) {
    if (!areConsistentModulo(MODULI[i] as Modulo, e, kp, kq)) return false;
  }
  return isPrivateExponent(e, quotient);
}

/** n = p*q, e*dp = 1 + kp*(p-1), e*dq = 1 + kq*(q-1). */
function areConsistentModulo({ prime, remainders }: Modulo, e: number, kp: number, kq: number): boolean {
  const p = remainders[RsaNumber.prime1] as number;
  const q = remainders[RsaNumber.prime2] as number;
  return (
    remainder(p * q - (remainders[RsaNumber.modulus] as number), prime) === 0 &&
    remainder(e * (remainders[RsaNumber.exponent1] as number) - 1 - kp * (p - 1), prime) === 0 &&
    remainder(e * (remainders[RsaNumber.exponent2] as number) - 1 - kq * (q - 1), prime) === 0
  );
}

/**
 * Whether e*d - 1 = k*phi/g for a small g: 1, or gcd(p-1, q-1) where d is that of FIPS 186-5 §A.1.1, as OpenSSL 3 makes
 * it.
 * @param quotient about e*d/n, which is k/g
 */
function isPrivateExponent(e: number, quotient: number): boolean {
  for (let g = 1; g <= MAX_COMMON_DIVISOR; g += 1) {
    const k = Math.round(quotient * g);
    if (k < 1 || Math.abs(quotient * g - k) > 1e-3) continue;
    if (isMultiple(e, g, k)) return true;
  }
  return false;
}

/** g*(e*d - 1) = k*phi. */
function isMultiple(e: number, g: number, k: number): boolean {
  for (let i = 0; i < MODULI.length; i += 1) {
    const { prime, remainders } = MODULI[i] as Modulo;
    const p = remainders[RsaNumber.prime1] as number;
    const q = remainders[RsaNumber.prime2] as number;
    const left = remainder(e * (remainders[RsaNumber.privateExponent] as number) - 1, prime);
    const phi = remainder((p - 1) * (q - 1), prime);
    if (remainder(g * left - remainder(k, prime) * phi, prime) !== 0) return false;
  }
  return true;
}

/** The number's remainders. The sums stay below 2^52: at most 512 products of 16 and 26 bits. */
function reduce(octets: DataView, start: number, end: number, index: number): void {
  let sumA = 0;
  let sumB = 0;
  let power = 0;
  let position = end - 2;
  for (; position >= start; position -= 2, power += 1) {
    const word = octets.getUint16(position);
    sumA += word * (powersA[power] as number);
    sumB += word * (powersB[power] as number);
  }
  if (position + 1 === start) {
    const octet = octets.getUint8(start);
    sumA += octet * (powersA[power] as number);
    sumB += octet * (powersB[power] as number);
  }
  remaindersA[index] = remainder(sumA, A);
  remaindersB[index] = remainder(sumB, B);
}

/** `number` modulo a prime of 26 bits, exact for integers within ±2^52: `%` of doubles is fmod, ten times as slow. */
function remainder(number: number, prime: number): number {
  return number - Math.floor(number / prime) * prime;
}

/** By how many octets x may be shorter than y for `ratio` to see it. */
const SHIFTS = [1, 2 ** -8, 2 ** -16, 2 ** -24, 2 ** -32, 2 ** -40] as const;

/** About x/y of two `RsaNumber`, by their leading octets; 1 where x has more octets. */
function ratio(places: readonly OctetRange[], x: number, y: number): number {
  const missing = lengthAt(places, y) - lengthAt(places, x);
  if (missing < 0) return 1;
  return missing < SHIFTS.length ? ((leading[x] as number) / (leading[y] as number)) * (SHIFTS[missing] as number) : 0;
}

function isEven(octets: DataView, place: OctetRange | undefined): boolean {
  return place === undefined || (octets.getUint8(place.end - 1) & 1) === 0;
}

function lengthAt(places: readonly OctetRange[], index: number): number {
  const { start, end } = places[index] as OctetRange;
  return end - start;
}
