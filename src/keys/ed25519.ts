import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { toBase64Url } from "./public-key.ts";

/** PKCS#8 v1 up to the seed (RFC 8410 §7). */
export const ED25519_PKCS8_PREFIX = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
);

/**
 * The public key of a seed (RFC 8032 §5.1.5), 32 octets.
 * @param seed exactly 32 octets
 */
export function deriveEd25519PublicKey(seed: Uint8Array): Uint8Array {
  const key = Buffer.concat([ED25519_PKCS8_PREFIX, seed]);
  const { x = "" } = createPublicKey(createPrivateKey({ key, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  return new Uint8Array(Buffer.from(x, "base64url"));
}

/** The key for node:crypto, by way of JWK. */
export function ed25519PrivateKeyObject(seed: Uint8Array, publicKey: Uint8Array): KeyObject {
  const jwk = { kty: "OKP", crv: "Ed25519", d: toBase64Url(seed), x: toBase64Url(publicKey) };
  return createPrivateKey({ key: jwk, format: "jwk" });
}
