import { DerError, DerTag } from "./der.ts";
import { DerReader } from "./der-reader.ts";
import { deriveEd25519PublicKey } from "./ed25519.ts";
import { type KeyAlgorithm, keyAlgorithmOf } from "./key-algorithm.ts";
import {
  type PublicKey,
  type RsaPublicKey,
  readRsaPublicKey,
  rsaPublicKeyFromNumbers,
  sameOctets,
} from "./public-key.ts";

/** The private-key forms that are met in p= and in files. */
export type PrivateKeyForm = "pkcs8" | "encrypted-pkcs8" | "pkcs1" | "sec1" | "dsa" | "octet-string";

/** What octets are. `trailing` counts the octets after the outermost element. */
export type KeyBytes =
  | {
      /** A SubjectPublicKeyInfo, by its algorithm. */
      readonly kind: "spki";
      readonly algorithm: KeyAlgorithm;
      readonly oid: string;
      /** The key when `algorithm` is rsa or ed25519 and its numbers could be read, be it with a fault. */
      readonly publicKey: PublicKey | undefined;
      readonly trailing: number;
      /** Why this is not the DER an encoder writes (cut off, padded, non-minimal, wrong inside); `undefined` when it is. */
      readonly fault: string | undefined;
      /** rsaEncryption without its NULL (RFC 3279 §2.3.1): most decoders accept it. Not counted as a fault. */
      readonly nullMissing: boolean;
    }
  | {
      /** A bare RSAPublicKey (RFC 8017 §A.1.1). */
      readonly kind: "rsa-public-key";
      readonly publicKey: RsaPublicKey;
      readonly trailing: number;
      readonly fault: string | undefined;
    }
  | { readonly kind: "certificate" | "certificate-request" | "pkcs12"; readonly trailing: number }
  /** Recognized by its outline alone, so that a damaged one is still called what it is. */
  | { readonly kind: "private-key"; readonly form: PrivateKeyForm; readonly algorithm: KeyAlgorithm | undefined }
  /** 32 octets: an Ed25519 public key, or a seed: nothing tells them apart. */
  | { readonly kind: "raw-32"; readonly bytes: Uint8Array }
  /** 64 octets; `isSecretKey` when the second half is the public key of the first (libsodium's secret key). */
  | { readonly kind: "raw-64"; readonly bytes: Uint8Array; readonly isSecretKey: boolean }
  | { readonly kind: "empty" }
  | { readonly kind: "unknown"; readonly reason: string };

/**
 * What decoded p= data, or a DER file, is. Never throws; linear time. Damaged input is named by what it was meant to
 * be, with the `fault`: nothing is usable that is not kind `spki` or `rsa-public-key` without fault and trailing
 * octets, or `raw-32`.
 */
export function classifyKeyBytes(bytes: Uint8Array): KeyBytes {
  if (bytes.length === 0) return { kind: "empty" };
  if (bytes.length === 32) return { kind: "raw-32", bytes };
  const seedOffset = octetStringSeedOffset(bytes);
  if (seedOffset !== undefined) return { kind: "private-key", form: "octet-string", algorithm: "ed25519" };
  const faults: string[] = [];
  const outer = new DerReader(bytes, 0, bytes.length, faults);
  let result: KeyBytes;
  try {
    const body = outer.readConstructed();
    result = classifySequence(body, bytes.length - outer.position, faults);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    result = { kind: "unknown", reason: error.message };
  }
  if (bytes.length !== 64 || (result.kind !== "unknown" && faults.length === 0)) return result;
  const isSecretKey = sameOctets(deriveEd25519PublicKey(bytes.subarray(0, 32)), bytes.subarray(32));
  return { kind: "raw-64", bytes, isSecretKey };
}

/**
 * Where the 32 seed octets start in `04 20 seed` or `04 22 04 20 seed` (RFC 8410 §7, CurvePrivateKey), with or
 * without octets after them; `undefined` in anything else.
 */
export function octetStringSeedOffset(bytes: Uint8Array): number | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0x04 && b === 0x22 && c === 0x04 && d === 0x20 && bytes.length >= 36) return 4;
  return a === 0x04 && b === 0x20 && bytes.length >= 34 ? 2 : undefined;
}

function classifySequence(body: DerReader, trailing: number, faults: string[]): KeyBytes {
  const first = body.peekTag();
  if (first === DerTag.integer) return classifyNumbers(body, trailing, faults);
  if (first !== DerTag.sequence) return { kind: "unknown", reason: "a SEQUENCE that is none of the key formats" };
  const inner = body.readConstructed();
  const innerTag = inner.peekTag();
  if (innerTag === DerTag.objectIdentifier) {
    const oid = inner.readObjectIdentifier();
    if (body.peekTag() === DerTag.bitString) return classifyPublicKeyInfo(body, inner, oid, trailing, faults);
    if (body.peekTag() === DerTag.octetString)
      return { kind: "private-key", form: "encrypted-pkcs8", algorithm: undefined };
    return { kind: "unknown", reason: `an AlgorithmIdentifier (${oid}) without a key` };
  }
  // Certificate and CertificationRequest: SEQUENCE { SEQUENCE { ... }, AlgorithmIdentifier, BIT STRING }.
  if (innerTag === 0xa0) return { kind: "certificate", trailing };
  if (innerTag === DerTag.integer) {
    const number = inner.readUnsignedInteger();
    const name = inner.peekTag() === DerTag.sequence ? inner.readConstructed() : undefined;
    // Next stands the signature algorithm (version 1 certificate) or the subject's name (request).
    if (name?.peekTag() === DerTag.objectIdentifier) return { kind: "certificate", trailing };
    if (name !== undefined && number.length === 0) return { kind: "certificate-request", trailing };
  }
  return { kind: "unknown", reason: "a SEQUENCE that is none of the key formats" };
}

/** `SEQUENCE { INTEGER ...`: RSAPublicKey, and every private-key format. */
function classifyNumbers(body: DerReader, trailing: number, faults: string[]): KeyBytes {
  const first = body.readUnsignedInteger();
  const second = body.peekTag();
  if (second === DerTag.sequence) {
    const oid = body.readConstructed().readObjectIdentifier();
    if (first[0] === 3 && oid.startsWith("1.2.840.113549.1.7.")) return { kind: "pkcs12", trailing };
    return { kind: "private-key", form: "pkcs8", algorithm: keyAlgorithmOf(oid) };
  }
  if (second === DerTag.octetString) return { kind: "private-key", form: "sec1", algorithm: "ec" };
  if (second !== DerTag.integer) return { kind: "unknown", reason: "a SEQUENCE that is none of the key formats" };
  const isVersion = first.length === 0 || (first.length === 1 && first[0] === 1);
  let number: Uint8Array;
  try {
    number = body.readUnsignedInteger();
  } catch (error) {
    // Cut off in the modulus, and still a private key.
    if (error instanceof DerError && isVersion) return { kind: "private-key", form: "pkcs1", algorithm: "rsa" };
    throw error;
  }
  if (body.atEnd) {
    const publicKey = rsaPublicKeyFromNumbers(first, number);
    return { kind: "rsa-public-key", publicKey, trailing, fault: faults[0] };
  }
  // Version 0 or 1 (three primes), then at least n, e, d: a private key, however few of its numbers are left.
  if (isVersion) {
    let count = 2;
    try {
      for (; body.peekTag() === DerTag.integer; count += 1) body.readUnsignedInteger();
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
    }
    const isDsa = count === 6 && body.atEnd && faults.length === 0;
    return { kind: "private-key", form: isDsa ? "dsa" : "pkcs1", algorithm: isDsa ? "dsa" : "rsa" };
  }
  return { kind: "unknown", reason: "a SEQUENCE of more than two numbers" };
}

function classifyPublicKeyInfo(
  info: DerReader,
  algorithmIdentifier: DerReader,
  oid: string,
  trailing: number,
  faults: string[],
): KeyBytes {
  const algorithm = keyAlgorithmOf(oid);
  let publicKey: PublicKey | undefined;
  let nullMissing = false;
  let fault: string | undefined;
  try {
    if (algorithm === "rsa") {
      nullMissing = algorithmIdentifier.atEnd;
      if (!nullMissing) algorithmIdentifier.readNull();
      algorithmIdentifier.finish();
    } else if (algorithm === "ed25519") algorithmIdentifier.finish();
    else while (!algorithmIdentifier.atEnd) algorithmIdentifier.readAny();
    const key = info.readBitString();
    info.finish();
    if (algorithm === "rsa") publicKey = readRsaPublicKey(key, faults);
    if (algorithm === "ed25519") {
      if (key.length === 32) publicKey = { type: "ed25519", bytes: key };
      else fault = `an Ed25519 key has 32 octets, this one ${key.length}`;
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    fault = error.message;
  }
  return { kind: "spki", algorithm, oid, publicKey, trailing, fault: faults[0] ?? fault, nullMissing };
}
