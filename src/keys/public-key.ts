import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { OperationError } from "../errors.ts";
import { DerError, DerTag } from "./der.ts";
import { DerReader } from "./der-reader.ts";
import { DerWriter, elementLength, encodeBitString, encodeDer, unsignedIntegerLength } from "./der-writer.ts";

/** An RSA public key as numbers: unsigned big-endian octets without leading zeros (`modulus`, `exponent`). */
export interface RsaPublicKey {
  readonly type: "rsa";
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
  /** The exact length of the modulus: 1023 is not 1024. */
  readonly modulusBits: number;
}

/** The 32 octets of RFC 8032 §5.1.5; whether they are a point is for the checks to say. */
export interface Ed25519PublicKey {
  readonly type: "ed25519";
  readonly bytes: Uint8Array;
}

export type PublicKey = RsaPublicKey | Ed25519PublicKey;

/** Octets that are not the public key that was asked for. */
export class PublicKeyError extends OperationError {
  override readonly code = "DKIM_PUBLIC_KEY";
}

export const RSA_ENCRYPTION_OID = "1.2.840.113549.1.1.1";
export const ED25519_OID = "1.3.101.112";

/** `SEQUENCE { OID rsaEncryption, NULL }`, RFC 3279 §2.3.1. */
export const RSA_ALGORITHM = Uint8Array.of(
  ...[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00],
);
/** `SEQUENCE { OID id-Ed25519 }`: no parameters, RFC 8410 §3. */
const ED25519_ALGORITHM = Uint8Array.of(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70);

/** Leading zeros are dropped; the octets are not copied. */
export function rsaPublicKeyFromNumbers(modulus: Uint8Array, exponent: Uint8Array): RsaPublicKey {
  const n = withoutLeadingZeros(modulus);
  return { type: "rsa", modulus: n, exponent: withoutLeadingZeros(exponent), modulusBits: bitsOf(n[0] ?? 0, n.length) };
}

/** The exact number of bits of a number without leading zeros: its first octet, and how many it has. */
export function bitsOf(firstOctet: number, octets: number): number {
  return octets === 0 ? 0 : octets * 8 - Math.clz32(firstOctet) + 24;
}

/**
 * An RSA public key as it is printed. Its numbers are decoded when somebody asks for them: a listing of 100,000 keys does
 * not.
 */
export class EncodedRsaPublicKey implements RsaPublicKey {
  readonly type = "rsa";
  /** The DER SubjectPublicKeyInfo in base64: p= of the key's record. */
  readonly subjectPublicKeyInfo: string;
  readonly modulusBits: number;

  constructor(subjectPublicKeyInfo: string, modulusBits: number) {
    this.subjectPublicKeyInfo = subjectPublicKeyInfo;
    this.modulusBits = modulusBits;
  }

  get modulus(): Uint8Array {
    return decodeRsaPublicKey(this).modulus;
  }

  get exponent(): Uint8Array {
    return decodeRsaPublicKey(this).exponent;
  }
}

function decodeRsaPublicKey(encoded: EncodedRsaPublicKey): RsaPublicKey {
  const key = parseSubjectPublicKeyInfo(encodeSubjectPublicKeyInfo(encoded));
  if (key.type !== "rsa") throw new PublicKeyError("not an RSA key");
  return key;
}

/**
 * The key in a DER SubjectPublicKeyInfo (RFC 5280 §4.1), and nothing after it: RSA with NULL parameters (RFC 3279
 * §2.3.1) or Ed25519 without (RFC 8410 §4). The numbers are not judged.
 * @throws {PublicKeyError}
 */
export function parseSubjectPublicKeyInfo(der: Uint8Array): PublicKey {
  return asPublicKeyError("a SubjectPublicKeyInfo", () => {
    const outer = new DerReader(der);
    const info = outer.readConstructed();
    outer.finish();
    const algorithm = info.readConstructed();
    const oid = algorithm.readObjectIdentifier();
    if (oid !== RSA_ENCRYPTION_OID && oid !== ED25519_OID) {
      throw new DerError(`its algorithm is ${oid}; DKIM has RSA (${RSA_ENCRYPTION_OID}) and Ed25519 (${ED25519_OID})`);
    }
    if (oid === RSA_ENCRYPTION_OID) algorithm.readNull();
    algorithm.finish();
    const key = info.readBitString();
    info.finish();
    if (oid === RSA_ENCRYPTION_OID) return readRsaPublicKey(key);
    if (key.length !== 32) throw new DerError(`an Ed25519 key has 32 octets, this one ${key.length}`);
    return { type: "ed25519", bytes: key };
  });
}

/**
 * The key in a bare DER RSAPublicKey (RFC 8017 §A.1.1), and nothing after it. The numbers are not judged.
 * @throws {PublicKeyError}
 */
export function parseRsaPublicKey(der: Uint8Array): RsaPublicKey {
  return asPublicKeyError("an RSAPublicKey", () => readRsaPublicKey(der));
}

/**
 * RSAPublicKey as it is read, errors as they come.
 * @param faults where encoding faults are noted instead of thrown (see `DerReader`)
 * @throws {DerError}
 */
export function readRsaPublicKey(der: Uint8Array, faults?: string[]): RsaPublicKey {
  const outer = new DerReader(der, 0, der.length, faults);
  const numbers = outer.readConstructed();
  outer.finish();
  const modulus = numbers.readUnsignedInteger();
  const exponent = numbers.readUnsignedInteger();
  numbers.finish();
  return rsaPublicKeyFromNumbers(modulus, exponent);
}

function asPublicKeyError<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DerError) throw new PublicKeyError(`not ${what}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The DER SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8410 §4). */
export function encodeSubjectPublicKeyInfo(key: PublicKey): Uint8Array {
  if (key.type === "ed25519") return encodeDer(DerTag.sequence, ED25519_ALGORITHM, encodeBitString(key.bytes));
  return key instanceof EncodedRsaPublicKey
    ? new Uint8Array(Buffer.from(key.subjectPublicKeyInfo, "base64"))
    : encodeRsaSubjectPublicKeyInfo(key);
}

function encodeRsaSubjectPublicKeyInfo({ modulus, exponent }: RsaPublicKey): Uint8Array {
  const numbers = unsignedIntegerLength(modulus) + unsignedIntegerLength(exponent);
  const head = rsaPublicKeyHead(numbers);
  const writer = new DerWriter(head.length + numbers);
  writer.octets(head);
  writer.unsignedInteger(modulus);
  writer.unsignedInteger(exponent);
  return writer.bytes;
}

let latestHead: { readonly numbers: number; readonly octets: Uint8Array } | undefined;

/**
 * What stands before the INTEGERs of modulus and exponent in the DER SubjectPublicKeyInfo of an RSA key.
 * @param numbers how many octets the two have
 */
export function rsaPublicKeyHead(numbers: number): Uint8Array {
  // Most keys of a store are of one length.
  if (latestHead?.numbers !== numbers) latestHead = { numbers, octets: makeRsaPublicKeyHead(numbers) };
  return latestHead.octets;
}

function makeRsaPublicKeyHead(numbers: number): Uint8Array {
  const bits = 1 + elementLength(numbers);
  const content = RSA_ALGORITHM.length + elementLength(bits);
  const writer = new DerWriter(elementLength(content) - numbers);
  writer.header(DerTag.sequence, content);
  writer.octets(RSA_ALGORITHM);
  writer.header(DerTag.bitString, bits);
  writer.octet(0);
  writer.header(DerTag.sequence, numbers);
  return writer.bytes;
}

/** The DER SubjectPublicKeyInfo in base64, as p= of an RSA key has it. */
export function subjectPublicKeyInfoText(key: PublicKey): string {
  if (key instanceof EncodedRsaPublicKey) return key.subjectPublicKeyInfo;
  const { buffer, byteOffset, length } = encodeSubjectPublicKeyInfo(key);
  return Buffer.from(buffer, byteOffset, length).toString("base64");
}

/** SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hexadecimal digits: one name for a key, whatever its file form. */
export function publicKeyFingerprint(key: PublicKey): string {
  return createHash("sha256").update(encodeSubjectPublicKeyInfo(key)).digest("hex");
}

/** Whether both are the same numbers. */
export function samePublicKey(a: PublicKey, b: PublicKey): boolean {
  if (a.type === "rsa" && b.type === "rsa")
    return sameOctets(a.modulus, b.modulus) && sameOctets(a.exponent, b.exponent);
  return a.type === "ed25519" && b.type === "ed25519" && sameOctets(a.bytes, b.bytes);
}

/**
 * The key for node:crypto. By way of JWK: OpenSSL 3's DER and PEM decoders take many times as long.
 * @throws {PublicKeyError} OpenSSL does not take these numbers
 */
export function toPublicKeyObject(key: PublicKey): KeyObject {
  const jwk =
    key.type === "rsa"
      ? { kty: "RSA", n: toBase64Url(key.modulus), e: toBase64Url(key.exponent) }
      : { kty: "OKP", crv: "Ed25519", x: toBase64Url(key.bytes) };
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    throw new PublicKeyError(`OpenSSL does not load this ${key.type} public key`, { cause });
  }
}

/** base64url without padding (RFC 4648 §5), as JWK wants numbers. */
export function toBase64Url(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("base64url");
}

/** Whether the octets are the same. Not in constant time: no stranger can ask. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

function withoutLeadingZeros(octets: Uint8Array): Uint8Array {
  let first = 0;
  while (first < octets.length && octets[first] === 0) first += 1;
  return first === 0 ? octets : octets.subarray(first);
}
