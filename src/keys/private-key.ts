import { createPrivateKey, type KeyObject } from "node:crypto";
import { DerError, DerTag } from "./der.ts";
import { DerReader } from "./der-reader.ts";
import { encodeDer } from "./der-writer.ts";
import { deriveEd25519PublicKey, ED25519_PKCS8_PREFIX, ed25519PrivateKeyObject } from "./ed25519.ts";
import { describeAlgorithm, keyAlgorithmOf } from "./key-algorithm.ts";
import { classifyKeyBytes, octetStringSeedOffset } from "./key-bytes.ts";
import { decodeBase64, encodePem, type PemBlock, PemError, parsePem } from "./pem.ts";
import { PrivateKeyError } from "./private-key-error.ts";
import {
  encryptedKeyError,
  otherBlockError,
  otherBytesError,
  otherTextError,
  unsupportedKeyError,
  utf16Error,
} from "./private-key-refusal.ts";
import {
  ED25519_OID,
  type Ed25519PublicKey,
  type PublicKey,
  PublicKeyError,
  parseRsaPublicKey,
  parseSubjectPublicKeyInfo,
  RSA_ALGORITHM,
  RSA_ENCRYPTION_OID,
  sameOctets,
  samePublicKey,
  toBase64Url,
} from "./public-key.ts";
import { encodeRsaPrivateKey, parseRsaPrivateKey, type RsaPrivateKey } from "./rsa-private-key.ts";

export { PrivateKeyError, type PrivateKeyFault } from "./private-key-error.ts";
export type { RsaPrivateKey } from "./rsa-private-key.ts";

export interface Ed25519PrivateKey {
  readonly type: "ed25519";
  readonly publicKey: Ed25519PublicKey;
  /** The 32 octets of RFC 8032 §5.1.5. */
  readonly seed: Uint8Array;
}

export type PrivateKey = RsaPrivateKey | Ed25519PrivateKey;

/** A private key and the form it was read from. */
export interface ParsedPrivateKey {
  readonly privateKey: PrivateKey;
  /** `ed25519-v2` is PKCS#8 with the public key (RFC 5958 OneAsymmetricKey); `seed-public` is libsodium's 64 octets. */
  readonly format: "pkcs8" | "pkcs1" | "ed25519-v2" | "seed" | "seed-public";
  readonly encoding: "pem" | "der" | "base64" | "raw";
  /** What was tolerated and other software may not tolerate, one sentence each. */
  readonly notes: readonly string[];
}

type KeyAndFormat = Pick<ParsedPrivateKey, "privateKey" | "format">;

/** Far above a key of 16,384 bits with explanatory text; what is longer is no key file and is not looked at. */
const MAX_KEY_FILE_OCTETS = 262_144;

/**
 * The one private key in a file's octets: PEM or DER, PKCS#8 or PKCS#1, an Ed25519 seed in base64 (dkimpy, rspamd).
 * RSA numbers are proven to belong together, an Ed25519 public half to belong to its seed. No OpenSSL for RSA: fast.
 * @throws {PrivateKeyError} everything else, `kind` and message name what it is
 */
export function parsePrivateKey(bytes: Uint8Array): ParsedPrivateKey {
  if (bytes.length === 0) throw new PrivateKeyError("not-a-key", "is empty");
  if (bytes.length > MAX_KEY_FILE_OCTETS) {
    throw new PrivateKeyError("not-a-key", `has ${bytes.length} octets; no key file is that long`);
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) throw utf16Error();
  // 0x30 is "0" in text; DER of a key always has octets that no text has.
  if (bytes[0] === DerTag.sequence && !looksLikeText(bytes)) return { ...parseDer(bytes), encoding: "der", notes: [] };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const { blocks, notes } = readPem(text);
  if (blocks.length > 0) return parseBlocks(blocks, notes);
  const base64 = text.replace(/[ \t\r\n]+/g, "");
  const decoded = /^[A-Za-z0-9+/]{4,}={0,2}$/.test(base64) ? decodeBase64(base64) : undefined;
  if (decoded !== undefined && (decoded.length === 32 || decoded.length === 64)) {
    return { ...parseRawEd25519(decoded), encoding: "base64", notes };
  }
  if (decoded !== undefined && (decoded[0] === DerTag.sequence || octetStringSeedOffset(decoded) !== undefined)) {
    return { ...parseDer(decoded), encoding: "base64", notes };
  }
  if ((bytes.length === 32 || bytes.length === 64) && !looksLikeText(bytes)) {
    return { ...parseRawEd25519(bytes), encoding: "raw", notes };
  }
  throw looksLikeText(bytes) ? otherTextError(text) : otherBytesError(classifyKeyBytes(bytes));
}

function looksLikeText(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) {
    const octet = bytes[i] ?? 0;
    if (octet < 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d) return false;
  }
  return true;
}

function readPem(text: string): ReturnType<typeof parsePem> {
  try {
    return parsePem(text);
  } catch (error) {
    if (error instanceof PemError)
      throw new PrivateKeyError("broken", error.message, { hint: error.hint, cause: error });
    throw error;
  }
}

function parseBlocks(blocks: readonly PemBlock[], pemNotes: readonly string[]): ParsedPrivateKey {
  const privateBlocks = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const [block] = privateBlocks;
  if (block === undefined) throw otherBlockError(blocks);
  if (privateBlocks.length > 1) {
    throw new PrivateKeyError("several-keys", `holds ${privateBlocks.length} private keys`, {
      hint: "put each key into a file of its own",
    });
  }
  const parsed = parseBlock(block);
  const notes = [...pemNotes];
  for (const { label, bytes } of blocks) {
    if (label === "PUBLIC KEY" || label === "RSA PUBLIC KEY") {
      if (!samePublicKey(readPublicBlock(label, bytes), parsed.privateKey.publicKey)) {
        throw new PrivateKeyError("several-keys", "holds a private key and the public key of another", {
          hint: "remove the block that does not belong here",
        });
      }
      notes.push("the file also holds the public key, which belongs to the private key");
    } else if (label !== block.label) notes.push(`the file also holds a ${label.slice(0, 60)} block`);
  }
  return { ...parsed, encoding: "pem", notes };
}

function readPublicBlock(label: string, bytes: Uint8Array): PublicKey {
  try {
    return label === "PUBLIC KEY" ? parseSubjectPublicKeyInfo(bytes) : parseRsaPublicKey(bytes);
  } catch (error) {
    if (error instanceof PublicKeyError) {
      throw new PrivateKeyError("broken", `holds a damaged ${label} block: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function parseBlock(block: PemBlock): KeyAndFormat {
  const { label, bytes } = block;
  if (block.isEncrypted || label === "ENCRYPTED PRIVATE KEY") throw encryptedKeyError();
  if (label === "PRIVATE KEY") return asBroken(bytes, () => parsePkcs8(bytes));
  if (label === "RSA PRIVATE KEY") {
    return asBroken(bytes, () => ({ privateKey: parseRsaPrivateKey(bytes), format: "pkcs1" }));
  }
  throw otherBlockError([block]);
}

/** DER without a label: the outline tells which format it is. */
function parseDer(bytes: Uint8Array): KeyAndFormat {
  const what = classifyKeyBytes(bytes);
  if (what.kind !== "private-key") throw otherBytesError(what);
  if (what.form === "pkcs8") return asBroken(bytes, () => parsePkcs8(bytes));
  if (what.form === "pkcs1") {
    return asBroken(bytes, () => ({ privateKey: parseRsaPrivateKey(bytes), format: "pkcs1" }));
  }
  if (what.form === "encrypted-pkcs8") throw encryptedKeyError();
  throw otherBytesError(what);
}

/** OneAsymmetricKey (RFC 5958 §2): version, algorithm, key, attributes, and in version 2 the public key. */
function parsePkcs8(bytes: Uint8Array): KeyAndFormat {
  const outer = new DerReader(bytes);
  const body = outer.readConstructed();
  outer.finish();
  const version = body.readSmallInteger();
  if (version > 1) throw new PrivateKeyError("broken", `is a PKCS#8 key of the unknown version ${version}`);
  const algorithm = body.readConstructed();
  const oid = algorithm.readObjectIdentifier();
  if (oid !== RSA_ENCRYPTION_OID && oid !== ED25519_OID) {
    throw unsupportedKeyError(describeAlgorithm(keyAlgorithmOf(oid), oid));
  }
  if (oid === RSA_ENCRYPTION_OID && !algorithm.atEnd) algorithm.readNull();
  algorithm.finish();
  const key = body.readContent(DerTag.octetString);
  if (body.peekTag() === 0xa0) body.readAny();
  const publicHalf = body.peekTag() === 0x81 ? body.readBitString(0x81) : undefined;
  body.finish();
  if (oid === RSA_ENCRYPTION_OID) {
    const privateKey = parseRsaPrivateKey(key);
    if (publicHalf !== undefined && !samePublicKey(parseRsaPublicKey(publicHalf), privateKey.publicKey)) {
      throw new PrivateKeyError("broken", "is an RSA key whose public half belongs to another key");
    }
    return { privateKey, format: "pkcs8" };
  }
  const inner = new DerReader(key);
  const seed = inner.readContent(DerTag.octetString);
  inner.finish();
  if (seed.length !== 32) throw new DerError(`an Ed25519 seed has 32 octets, this one ${seed.length}`);
  const privateKey = ed25519PrivateKeyFromSeed(seed, publicHalf);
  return { privateKey, format: publicHalf === undefined ? "pkcs8" : "ed25519-v2" };
}

function parseRawEd25519(bytes: Uint8Array): KeyAndFormat {
  if (bytes.length === 32) return { privateKey: ed25519PrivateKeyFromSeed(bytes), format: "seed" };
  return { privateKey: ed25519PrivateKeyFromSeed(bytes.subarray(0, 32), bytes.subarray(32)), format: "seed-public" };
}

/**
 * The key of a 32-octet seed.
 * @param publicHalf the public key stored beside the seed, if any
 * @throws {PrivateKeyError} kind `broken`: the two do not belong together
 */
export function ed25519PrivateKeyFromSeed(seed: Uint8Array, publicHalf?: Uint8Array): Ed25519PrivateKey {
  const bytes = deriveEd25519PublicKey(seed);
  if (publicHalf !== undefined && !sameOctets(bytes, publicHalf)) {
    throw new PrivateKeyError("broken", "is a damaged Ed25519 key: the public half does not belong to the seed", {
      hint: "restore the file from a backup, or make a new key under a new selector: dkimctl keygen",
    });
  }
  // Copied, so that the seed does not keep a whole file's octets alive.
  return { type: "ed25519", publicKey: { type: "ed25519", bytes }, seed: new Uint8Array(seed) };
}

function asBroken(bytes: Uint8Array, parse: () => KeyAndFormat): KeyAndFormat {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DerError) && !(error instanceof PublicKeyError)) throw error;
    const what = classifyKeyBytes(bytes);
    // A label can lie: an EC key or a public key under it is named as what it is.
    if (what.kind === "spki" || what.kind === "rsa-public-key") {
      throw new PrivateKeyError("broken", "is labelled as a private key and holds a public key", {
        hint: "look for the file that was made together with it",
        cause: error,
      });
    }
    if (what.kind !== "private-key" && what.kind !== "unknown") throw otherBytesError(what);
    if (
      what.kind === "private-key" &&
      what.algorithm !== undefined &&
      what.algorithm !== "rsa" &&
      what.algorithm !== "ed25519"
    )
      throw otherBytesError(what);
    throw new PrivateKeyError("broken", `is a damaged private key: ${error.message}`, {
      hint: "copy the file again from where it was made",
      cause: error,
    });
  }
}

/** @throws {TypeError} `seed` for RSA, `pkcs1` for Ed25519: a caller's mistake */
export function encodePrivateKey(key: PrivateKey, format: "pkcs8" | "pkcs1" | "seed"): string {
  if (format === "seed") {
    if (key.type !== "ed25519") throw new TypeError("only an Ed25519 key has a seed");
    return `${Buffer.from(key.seed).toString("base64")}\n`;
  }
  return encodePem(format === "pkcs8" ? "PRIVATE KEY" : "RSA PRIVATE KEY", encodePrivateKeyDer(key, format));
}

/** DER PKCS#8 version 1 (RFC 5208 §5, RFC 8410 §7: what OpenSSL of every age reads) or PKCS#1 (RFC 8017 §A.1.2). */
export function encodePrivateKeyDer(key: PrivateKey, format: "pkcs8" | "pkcs1"): Uint8Array {
  if (key.type === "ed25519") {
    if (format === "pkcs1") throw new TypeError("PKCS#1 holds RSA keys only");
    return new Uint8Array([...ED25519_PKCS8_PREFIX, ...key.seed]);
  }
  const pkcs1 = encodeRsaPrivateKey(key);
  if (format === "pkcs1") return pkcs1;
  return encodeDer(DerTag.sequence, Uint8Array.of(2, 1, 0), RSA_ALGORITHM, encodeDer(DerTag.octetString, pkcs1));
}

/**
 * The key for node:crypto, by way of JWK: OpenSSL 3's PEM decoder takes fifteen times as long.
 * @throws {PrivateKeyError} kind `broken`: OpenSSL does not take these numbers
 */
export function toPrivateKeyObject(key: PrivateKey): KeyObject {
  try {
    if (key.type === "ed25519") return ed25519PrivateKeyObject(key.seed, key.publicKey.bytes);
    const jwk = {
      kty: "RSA",
      n: toBase64Url(key.publicKey.modulus),
      e: toBase64Url(key.publicKey.exponent),
      d: toBase64Url(key.privateExponent),
      p: toBase64Url(key.prime1),
      q: toBase64Url(key.prime2),
      dp: toBase64Url(key.exponent1),
      dq: toBase64Url(key.exponent2),
      qi: toBase64Url(key.coefficient),
    };
    return createPrivateKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    // The cause of a failed import names OpenSSL's reason, never the numbers.
    throw new PrivateKeyError("broken", `is an ${key.type === "rsa" ? "RSA" : "Ed25519"} key that OpenSSL refuses`, {
      cause,
    });
  }
}
