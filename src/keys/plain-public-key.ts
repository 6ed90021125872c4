import { DerTag, findContents, findUnsignedInteger, type OctetRange } from "./der.ts";
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
  return { begin: `-----BEGIN ${label}-----\n`, end: `\n-----END ${label}-----\n` };
}

/** RFC 7468 §2: every line but the last has so many. */
const LINE_LENGTH = 64;
const LINE_FEED = 0x0a;

/**
 * What `toString` and `write` of a Buffer call once they have chosen by the encoding. Node has no words on it, but has had
 * it since its first versions; for one key, to compile the choosing takes as long as to decode a hundred.
 */
interface NativeBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  base64Slice(start: number, end: number): string;
  base64Write(text: string, offset: number): number;
}

/** Octets before what is decoded, for the head of a public key: it has 28 at most. */
const ROOM = 64;

/** Files of more octets are for `parsePrivateKey`: a key of 16,384 bits has fewer. */
export const MAX_PLAIN_OCTETS = 16_384;

/** The digits of base64 with which no bit is left over: two, or four, of their bits belong to no octet. */
const LAST_DIGITS = ["", "AEIMQUYcgkosw048", "AQgw"] as const;

/** One key after another is decoded into it, and nothing read but what was. */
const decoded = Buffer.allocUnsafeSlow(ROOM + MAX_PLAIN_OCTETS) as NativeBuffer;
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
  const text = (file as NativeBuffer).latin1Slice(0, length);
  const { begin, end } = text.startsWith(PKCS8.begin) ? PKCS8 : PKCS1;
  if (!text.startsWith(begin) || !text.endsWith(end)) return undefined;
  const derLength = decodeLines(text.slice(begin.length, -end.length));
  if (derLength < 0) return undefined;
  const numbers = findNumbers(derLength, begin === PKCS8.begin);
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
 * @returns how many octets, or -1: not canonical base64, in lines of 64 and a last one
 */
function decodeLines(lines: string): number {
  let characters = lines.length;
  for (let end = LINE_LENGTH; end < lines.length; end += LINE_LENGTH + 1) {
    if (lines.charCodeAt(end) !== LINE_FEED) return -1;
    characters -= 1;
  }
  const padding = lines.endsWith("==") ? 2 : lines.endsWith("=") ? 1 : 0;
  const length = (characters / 4) * 3 - padding;
  if (decoded.base64Write(lines, ROOM) !== length || lines.includes("-") || lines.includes("_")) return -1;
  // Bits that belong to no octet are zero (RFC 4648 §3.5).
  return padding === 0 || LAST_DIGITS[padding].includes(lines.charAt(lines.length - 1 - padding)) ? length : -1;
}

/**
 * To `places`.
 * @returns where the INTEGER of the modulus starts, or -1: not DER, or the version or the algorithm is another
 */
function findNumbers(length: number, isPkcs8: boolean): number {
  const end = ROOM + length;
  let start = ROOM;
  if (isPkcs8) {
    start = pass(RSA_ALGORITHM, pass(VERSION, enter(DerTag.sequence, start, end)));
    start = enter(DerTag.octetString, start, end);
  }
  start = pass(VERSION, enter(DerTag.sequence, start, end));
  let position = start;
  for (let i = 0; i < places.length; i += 1) {
    const place = places[i] as OctetRange;
    if (position < 0 || !findUnsignedInteger(decoded, position, end, place)) return -1;
    position = place.end;
  }
  return position === end ? start : -1;
}

const VERSION = Uint8Array.of(DerTag.integer, 1, 0);
const contents: OctetRange = { start: 0, end: 0 };

/** @returns where the contents start of a value that ends where all does, or -1, as for a `position` of -1 */
function enter(tag: number, position: number, end: number): number {
  const isWhole = position >= 0 && findContents(decoded, tag, position, end, contents) && contents.end === end;
  return isWhole ? contents.start : -1;
}

/** @returns the place after these octets, or -1: others stand there */
function pass(octets: Uint8Array, position: number): number {
  return position >= 0 && standsAt(decoded, position, octets) ? position + octets.length : -1;
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
  const text = decoded.base64Slice(start - head.length, exponent.end);
  return new EncodedRsaPublicKey(text, bitsOf(decoded[modulus.start] ?? 0, modulus.end - modulus.start));
}
