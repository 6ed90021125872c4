import { DerError, DerReader, DerTag } from "./der.ts";
import { bitsOf, EncodedRsaPublicKey, RSA_ALGORITHM, type RsaPublicKey, rsaPublicKeyHead } from "./public-key.ts";
import { areResiduesConsistent, type NumberPlace } from "./rsa-residues.ts";

/*
 * Of the files in a store nearly all are just what encoders write. Their public half is found here without an object for
 * each number, decoded and encoded by native code; for the rest, and for every word about it, there is
 * `parsePrivateKey`. What is taken here that one takes too, and finds the same, but for a wrong coefficient, of which the
 * public half says nothing (test/keys/plain-public-key.test.ts).
 */

const FRAMES = ["PRIVATE KEY", "RSA PRIVATE KEY"].map((label) => ({
  isPkcs8: label === "PRIVATE KEY",
  begin: `-----BEGIN ${label}-----\n`,
  end: `\n-----END ${label}-----\n`,
}));

/** RFC 7468 §2: every line but the last has so many. */
const LINE_LENGTH = 64;
const LINE_FEED = 0x0a;

/** Octets before what is decoded, for the head of a public key: it has 28 at most. */
const ROOM = 64;

/** Files of more octets are for `parsePrivateKey`: a key of 16,384 bits has fewer. */
export const MAX_PLAIN_OCTETS = 16_384;

/** One key after another is decoded into it. */
const decoded = Buffer.alloc(ROOM + MAX_PLAIN_OCTETS);
/** The same octets: what a `DerReader` reads is no Buffer. */
const der = new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length);
/** Of the eight numbers of an RSAPrivateKey, in its order. */
const places: readonly NumberPlace[] = Array.from({ length: 8 }, () => ({ start: 0, end: 0 }));

/**
 * The public half of an RSA key in a file as encoders write it: PKCS#8 or PKCS#1, one PEM block of 64 characters a line
 * and nothing around it, strict DER, numbers that belong together (`areResiduesConsistent`).
 * @param file its first `length` octets
 * @returns `undefined`: not shown to be such a file; ask `parsePrivateKey`
 */
export function plainPublicKey(file: Buffer, length: number): RsaPublicKey | undefined {
  if (length > MAX_PLAIN_OCTETS) return undefined;
  const text = file.toString("latin1", 0, length);
  for (const { begin, end, isPkcs8 } of FRAMES) {
    if (!text.startsWith(begin) || !text.endsWith(end)) continue;
    const derLength = decodeLines(text.slice(begin.length, -end.length));
    return derLength < 0 ? undefined : readPublicHalf(derLength, isPkcs8);
  }
  return undefined;
}

/**
 * Decodes to `der`. Node's decoder is native and fast, and passes over what is not base64: so the line feeds are looked
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
  if (decoded.write(lines, ROOM, "base64") !== length || lines.includes("-") || lines.includes("_")) return -1;
  // Bits that belong to no octet are zero (RFC 4648 §3.5): what is encoded anew is what was there.
  return lines.endsWith(decoded.toString("base64", ROOM + length - 3 + padding, ROOM + length)) ? length : -1;
}

function readPublicHalf(length: number, isPkcs8: boolean): RsaPublicKey | undefined {
  try {
    const numbers = findNumbers(length, isPkcs8);
    return numbers >= 0 && areResiduesConsistent(der, places) ? encodedPublicKey(numbers) : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/**
 * To `places`.
 * @returns where the INTEGER of the modulus starts, or -1: the version or the algorithm is another
 * @throws {DerError}
 */
function findNumbers(length: number, isPkcs8: boolean): number {
  let outer = new DerReader(der, ROOM, ROOM + length);
  if (isPkcs8) {
    const info = outer.readConstructed();
    outer.finish();
    if (!isZero(info)) return -1;
    for (let i = 0; i < RSA_ALGORITHM.length; i += 1) if (der[info.position++] !== RSA_ALGORITHM[i]) return -1;
    outer = info.readConstructed(DerTag.octetString);
    info.finish();
  }
  const key = outer.readConstructed();
  outer.finish();
  if (!isZero(key)) return -1;
  const { position } = key;
  for (const number of places) {
    number.start = key.passUnsignedInteger();
    number.end = key.position;
  }
  key.finish();
  return position;
}

/** The version of PKCS#8 and PKCS#1 both. */
function isZero(reader: DerReader): boolean {
  return reader.passUnsignedInteger() === reader.position;
}

/**
 * Modulus and exponent are the same two INTEGERs in a public key: with another head in the place of the private one they
 * are it.
 * @param start of the first
 */
function encodedPublicKey(start: number): EncodedRsaPublicKey {
  const [modulus, exponent] = places as [NumberPlace, NumberPlace];
  const head = rsaPublicKeyHead(exponent.end - start);
  der.set(head, start - head.length);
  const text = decoded.toString("base64", start - head.length, exponent.end);
  return new EncodedRsaPublicKey(text, bitsOf(der[modulus.start] ?? 0, modulus.end - modulus.start));
}
