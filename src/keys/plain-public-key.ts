import { DerError, DerReader, DerTag } from "./der.ts";
import { RSA_ALGORITHM, type RsaPublicKey, rsaPublicKeyFromNumbers } from "./public-key.ts";
import { areResiduesConsistent, type NumberPlace, type RsaNumberPlaces } from "./rsa-residues.ts";

/*
 * Of the files in a store nearly all are just what encoders write. Their public half is found here without making an
 * object or a string on the way; for the rest, and for every word about it, there is `parsePrivateKey`. What is taken
 * here that one takes too, and finds the same, but for a wrong coefficient, of which the public half says nothing
 * (test/keys/plain-public-key.test.ts).
 */

const FRAMES = ["PRIVATE KEY", "RSA PRIVATE KEY"].map((label) => ({
  isPkcs8: label === "PRIVATE KEY",
  begin: Buffer.from(`-----BEGIN ${label}-----\n`),
  end: Buffer.from(`\n-----END ${label}-----\n`),
}));

/** RFC 7468 §2: every line but the last has so many. */
const LINE_LENGTH = 64;
const LINE_FEED = 0x0a;
const PADDING = 0x3d;

const BASE64_VALUES = new Int8Array(256).fill(-1);
for (const [value, character] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  BASE64_VALUES[character.charCodeAt(0)] = value;
}

/** Files of more octets are for `parsePrivateKey`: a key of 16,384 bits has fewer. */
export const MAX_PLAIN_OCTETS = 16_384;

const der = new Uint8Array(MAX_PLAIN_OCTETS);
const place = (): NumberPlace => ({ start: 0, end: 0 });
const places: RsaNumberPlaces = {
  modulus: place(),
  exponent: place(),
  privateExponent: place(),
  prime1: place(),
  prime2: place(),
  exponent1: place(),
  exponent2: place(),
};
const coefficient = place();
const inOrder: readonly NumberPlace[] = [...Object.values(places), coefficient];

/**
 * The public half of an RSA key in a file as encoders write it: PKCS#8 or PKCS#1, one PEM block of 64 characters a line
 * and nothing around it, strict DER, numbers that belong together (`areResiduesConsistent`).
 * @param file its first `length` octets
 * @returns `undefined`: not shown to be such a file; ask `parsePrivateKey`
 */
export function plainPublicKey(file: Buffer, length: number): RsaPublicKey | undefined {
  for (const { begin, end, isPkcs8 } of FRAMES) {
    const bodyEnd = length - end.length;
    if (length > MAX_PLAIN_OCTETS || bodyEnd < begin.length) continue;
    if (!startsWith(file, 0, begin) || !startsWith(file, bodyEnd, end)) continue;
    const derLength = decodeLines(file, begin.length, bodyEnd);
    return derLength < 0 ? undefined : readPublicHalf(derLength, isPkcs8);
  }
  return undefined;
}

function startsWith(file: Buffer, start: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i += 1) if (file[start + i] !== text[i]) return false;
  return true;
}

/** Decodes to `der`. @returns how many octets, or -1: not canonical base64, in lines of 64 and a last one */
function decodeLines(file: Uint8Array, start: number, end: number): number {
  const last = end - 4;
  let seen = 0;
  let length = 0;
  let column = 0;
  let position = start;
  while (position < last) {
    const bits = quantum(file, position);
    seen |= bits;
    der[length] = bits >> 16;
    der[length + 1] = bits >> 8;
    der[length + 2] = bits;
    length += 3;
    position += 4;
    column += 4;
    if (column === LINE_LENGTH) {
      if (file[position] !== LINE_FEED) return -1;
      position += 1;
      column = 0;
    }
  }
  return seen < 0 || position !== last ? -1 : decodeLastQuantum(file, position, length);
}

function decodeLastQuantum(file: Uint8Array, position: number, length: number): number {
  const padding = file[position + 3] !== PADDING ? 0 : file[position + 2] !== PADDING ? 1 : 2;
  let bits = 0;
  for (let i = 0; i < 4; i += 1) {
    const value = i < 4 - padding ? (BASE64_VALUES[file[position + i] as number] as number) : 0;
    if (value < 0) return -1;
    bits = (bits << 6) | value;
  }
  // Bits that belong to no octet are zero (RFC 4648 §3.5).
  if ((bits & (0xffffff >> (8 * (3 - padding)))) !== 0) return -1;
  der[length] = bits >> 16;
  der[length + 1] = bits >> 8;
  der[length + 2] = bits;
  return length + 3 - padding;
}

/** 24 bits; negative when one of the four characters is none of base64. */
function quantum(file: Uint8Array, position: number): number {
  return (
    ((BASE64_VALUES[file[position] as number] as number) << 18) |
    ((BASE64_VALUES[file[position + 1] as number] as number) << 12) |
    ((BASE64_VALUES[file[position + 2] as number] as number) << 6) |
    (BASE64_VALUES[file[position + 3] as number] as number)
  );
}

function readPublicHalf(length: number, isPkcs8: boolean): RsaPublicKey | undefined {
  try {
    if (!findNumbers(length, isPkcs8) || !areResiduesConsistent(der, places)) return undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
  const { modulus, exponent } = places;
  return rsaPublicKeyFromNumbers(copyOf(modulus), copyOf(exponent));
}

/** To `places`. @throws {DerError} */
function findNumbers(length: number, isPkcs8: boolean): boolean {
  let outer = new DerReader(der, 0, length);
  if (isPkcs8) {
    const info = outer.readConstructed();
    outer.finish();
    if (!isZero(info)) return false;
    for (const octet of RSA_ALGORITHM) if (der[info.position++] !== octet) return false;
    outer = info.readConstructed(DerTag.octetString);
    info.finish();
  }
  const key = outer.readConstructed();
  outer.finish();
  if (!isZero(key)) return false;
  for (const number of inOrder) {
    number.start = key.passUnsignedInteger();
    number.end = key.position;
  }
  key.finish();
  return true;
}

/** The version of PKCS#8 and PKCS#1 both. */
function isZero(reader: DerReader): boolean {
  return reader.passUnsignedInteger() === reader.position;
}

/** In Node's pool: an ArrayBuffer for each costs more than all that is done with it. */
function copyOf({ start, end }: NumberPlace): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafe(end - start);
  const copy = new Uint8Array(buffer, byteOffset, end - start);
  copy.set(der.subarray(start, end));
  return copy;
}
