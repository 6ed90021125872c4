import { generateKeyPair, sign, verify } from "node:crypto";
import { promisify } from "node:util";
import { OperationError, UsageError } from "../errors.ts";
import { type Ed25519PrivateKey, type PrivateKey, parsePrivateKey, toPrivateKeyObject } from "./private-key.ts";
import { toPublicKeyObject } from "./public-key.ts";
import { MAX_RSA_BITS, type RsaPrivateKey } from "./rsa-private-key.ts";

/** A fresh key that did not prove itself: OpenSSL or the machine is broken. */
export class KeyGenerationError extends OperationError {
  override readonly code = "DKIM_KEY_GENERATION";
}

/** Shorter keys cannot hold a SHA-256 signature (RFC 8017 §9.2: 62 octets). */
export const MIN_RSA_BITS = 512;

const generateKeyPairAsync = promisify(generateKeyPair);

/**
 * A new RSA key with e=65537, proven by its numbers and by one signature. Made on the thread pool: as many calls at
 * once as there are cores use them all.
 * @param modulusBits whole number, 512..16384; what is too short for DKIM is for the caller to say
 * @throws {UsageError} another size
 * @throws {KeyGenerationError}
 */
export async function generateRsaKey(modulusBits: number): Promise<RsaPrivateKey> {
  if (!Number.isInteger(modulusBits) || modulusBits < MIN_RSA_BITS || modulusBits > MAX_RSA_BITS) {
    throw new UsageError(`an RSA key of ${modulusBits} bits cannot be made: ${MIN_RSA_BITS} to ${MAX_RSA_BITS} can`);
  }
  const { privateKey } = await generateKeyPairAsync("rsa", {
    modulusLength: modulusBits,
    publicExponent: 65_537,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const key = parsePrivateKey(privateKey).privateKey;
  if (key.type !== "rsa" || key.publicKey.modulusBits !== modulusBits) {
    throw new KeyGenerationError(`OpenSSL made another key than one of RSA with ${modulusBits} bits`);
  }
  await proveKey(key);
  return key;
}

/**
 * A new Ed25519 key (RFC 8032 §5.1.5), proven by one signature.
 * @throws {KeyGenerationError}
 */
export async function generateEd25519Key(): Promise<Ed25519PrivateKey> {
  const { privateKey } = await generateKeyPairAsync("ed25519");
  // As a JWK both halves come at once, without a decoder of OpenSSL.
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const [seed, bytes] = [d, x].map((text) => new Uint8Array(Buffer.from(text, "base64url")));
  if (seed?.length !== 32 || bytes?.length !== 32) {
    throw new KeyGenerationError("OpenSSL made another key than one of Ed25519");
  }
  // Its base64 would begin with "/": rspamd takes that for a path (see rspamdRawKey), whoever brings it to Redis or Vault.
  if ((seed[0] ?? 0) >= 0xfc) return generateEd25519Key();
  const key: Ed25519PrivateKey = { type: "ed25519", publicKey: { type: "ed25519", bytes }, seed };
  await proveKey(key);
  return key;
}

/**
 * Signs with the private half and verifies with the public half: numbers that fit can still be no key, when a
 * prime is none.
 * @throws {KeyGenerationError} the signature does not verify
 */
export async function proveKey(key: PrivateKey): Promise<void> {
  const digest = key.type === "rsa" ? "sha256" : null;
  const message = Buffer.from("dkimctl: does this key sign?");
  const signature = await promisify(sign)(digest, message, toPrivateKeyObject(key));
  if (!verify(digest, message, toPublicKeyObject(key.publicKey), signature)) {
    throw new KeyGenerationError("a signature of the new key does not verify");
  }
}
