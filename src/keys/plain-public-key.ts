import { DerTag, findUnsignedInteger, type OctetRange } from "./der.ts";
import { encodeDer } from "./der-writer.ts";
import { bitsOf, EncodedRsaPublicKey, RSA_ALGORITHM, type RsaPublicKey, rsaPublicKeyHead } from "./public-key.ts";
import { areResiduesConsistent } from "./rsa-residues.ts";

/*
 * Of the files in a store nearly all are just what encoders write. Their public half is found here without an object for
 * each number, decoded and encoded by native code; for the rest, and for every word about it, there is
 * `parsePrivateKey`. What is taken here that one takes too, and finds the same, but for a wrong coefficient, of which the
 * public half says nothing (test/keys/plain-public-key.test.ts).
 */

const PKCS8 = frameOf("PRIVATE KEY");
const PKCS1 = frameOf("RSA PRIVATE KEY");

function frameOf(label: string) {
  const octets = (text: string) => new TextEncoder().encode(text);
  return { begin: octets(`-----BEGIN ${label}-----\n`), end: octets(`\n-----END ${label}-----\n`) };
}

/** RFC 7468 §2: every line but the last has so many. */
const LINE_LENGTH = 64;
const LINE_FEED = 0x0a;

/** Octets before what is decoded, for the head of a public key: it has 28 at most. */
const ROOM = 64;

/** Files of more octets are for `parsePrivateKey`: a key of 16,384 bits has fewer. */
export const MAX_PLAIN_OCTETS = 16_384;

/** The digits of base64 with which no bit is left over: two, or four, of their bits belong to no octet. */
const LAST_DIGITS = ["", "AEIMQUYcgkosw048", "AQgw"] as const;

/** One key after another is decoded into it. */
const decoded = Buffer.alloc(ROOM + MAX_PLAIN_OCTETS);
/** The same octets. */
const view = new DataView(decoded.buffer, decoded.byteOffset, decoded.length);
/** Of the eight numbers of an RSAPrivateKey, in its order. */
const places: readonly OctetRange[] = Array.from({ length: 8 }, () => ({ start: 0, end: 0 }));

/**
 * The public half of an RSA key in a file as encoders write it: PKCS#8 or PKCS#1, one PEM block of 64 characters a line
 * and nothing around it, strict DER, numbers that belong together (`areResiduesConsistent`).
 * @param file its first `length` octets
 * @returns `undefined`: not shown to be such a file; ask `parsePrivateKey`
 */
export function plainPublicKey(file: Buffer, length: number): RsaPublicKey | undefined {
  if (length > MAX_PLAIN_OCTETS) return undefined;
  const frame = standsAt(file, 0, PKCS8.begin) ? PKCS8 : PKCS1;
  const start = frame.begin.length;
  const end = length - frame.end.length;
  if (!standsAt(file, 0, frame.begin) || !standsAt(file, end, frame.end)) return undefined;
  const derLength = decodeLines(file.toString("latin1", start, end), file, start);
  if (derLength < 0) return undefined;
  const numbers = findNumbers(derLength, frame === PKCS8);
  return numbers >= 0 && areResiduesConsistent(view, places) ? encodedPublicKey(numbers) : undefined;
}

function standsAt(octets: Uint8Array, position: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i += 1) if (octets[position + i] !== expected[i]) return false;
  return true;
}

/**
 * Decodes to `decoded`. Node's decoder is native and fast, and passes over what is not base64: so the line feeds are looked
 * for where they belong, what it would read as base64url is ruled out, and the octets are counted. Fewer than the
 * characters should have made: something else stood among them.
 * @param lines what stands in `file` from `start` on
 * @returns how many octets, or -1: not canonical base64, in lines of 64 and a last one
 */
function decodeLines(lines: string, file: Buffer, start: number): number {
  let characters = lines.length;
  const last = start + characters;
  for (let end = start + LINE_LENGTH; end < last; end += LINE_LENGTH + 1) {
    if (file[end] !== LINE_FEED) return -1;
    characters -= 1;
  }
  const padding = lines.endsWith("==") ? 2 : lines.endsWith("=") ? 1 : 0;
  const length = (characters / 4) * 3 - padding;
  if (decoded.write(lines, ROOM, "base64") !== length || lines.includes("-") || lines.includes("_")) return -1;
  // Bits that belong to no octet are zero (RFC 4648 §3.5).
  return padding === 0 || LAST_DIGITS[padding].includes(lines.charAt(lines.length - 1 - padding)) ? length : -1;
}

/**
 * To `places`.
 * @returns where the INTEGER of the modulus starts, or -1: not DER, or the version or the algorithm is another
 */
function findNumbers(length: number, isPkcs8: boolean): number {
  const head = headOf(length, isPkcs8);
  if (head === undefined || !standsAt(decoded, ROOM, head)) return -1;
  const start = ROOM + head.length;
  const end = ROOM + length;
  let position = start;
  for (let i = 0; i < places.length; i += 1) {
    const place = places[i] as OctetRange;
    if (!findUnsignedInteger(decoded, position, end, place)) return -1;
    position = place.end;
  }
  return position === end ? start : -1;
}

const heads = new Map<number, Uint8Array | undefined>();

/**
 * What stands before the numbers in the DER of a key: it has one spelling, and depends on nothing but the length.
 * @param length of the DER
 */
function headOf(length: number, isPkcs8: boolean): Uint8Array | undefined {
  const form = isPkcs8 ? length : -length;
  // The keys of a store have a few lengths: whoever reads 100,000 makes ten heads.
  if (!heads.has(form)) heads.set(form, makeHead(length, isPkcs8));
  return heads.get(form);
}

/** @returns `undefined`: no DER is of this length */
function makeHead(length: number, isPkcs8: boolean): Uint8Array | undefined {
  // With fewer numbers, as much or less stands before them.
  const most = encodeKey(new Uint8Array(length), isPkcs8).length - length;
  for (let numbers = Math.max(0, length - most); ; numbers += 1) {
    const der = encodeKey(new Uint8Array(numbers), isPkcs8);
    if (der.length >= length) return der.length === length ? der.subarray(0, length - numbers) : undefined;
  }
}

const VERSION = Uint8Array.of(DerTag.integer, 1, 0);

/** @param numbers the eight INTEGERs of an RSAPrivateKey */
function encodeKey(numbers: Uint8Array, isPkcs8: boolean): Uint8Array {
  const key = encodeDer(DerTag.sequence, VERSION, numbers);
  return isPkcs8 ? encodeDer(DerTag.sequence, VERSION, RSA_ALGORITHM, encodeDer(DerTag.octetString, key)) : key;
}

/**
 * Modulus and exponent are the same two INTEGERs in a public key: with another head in the place of the private one they
 * are it.
 * @param start of the first
 */
function encodedPublicKey(start: number): EncodedRsaPublicKey {
  const [modulus, exponent] = places as [OctetRange, OctetRange];
  const head = rsaPublicKeyHead(exponent.end - start);
  decoded.set(head, start - head.length);
  const text = decoded.toString("base64", start - head.length, exponent.end);
  return new EncodedRsaPublicKey(text, bitsOf(decoded[modulus.start] ?? 0, modulus.end - modulus.start));
}
