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
  return derivedByJwk(seed) ?? derivedByDer(seed);
}

/** No public key: 32 octets of zero in base64url, a small-order point, which no seed has. */
const NO_POINT = "A".repeat(43);

/**
 * A seventh of the time of the DER decoder. A JWK must name its public key (RFC 8037 §2), and Node 20 derives it all the
 * same; a Node that took the JWK's word for it, or refused it, would be noticed.
 */
function derivedByJwk(seed: Uint8Array): Uint8Array | undefined {
  const jwk = { kty: "OKP", crv: "Ed25519", d: toBase64Url(seed), x: NO_POINT };
  try {
    const { x = NO_POINT } = createPrivateKey({ key: jwk, format: "jwk" }).export({ format: "jwk" });
    return x === NO_POINT ? undefined : new Uint8Array(Buffer.from(x, "base64url"));
  } catch {
    return undefined;
  }
}

function derivedByDer(seed: Uint8Array): Uint8Array {
  const key = Buffer.concat([ED25519_PKCS8_PREFIX, seed]);
  const { x = "" } = createPublicKey(createPrivateKey({ key, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  return new Uint8Array(Buffer.from(x, "base64url"));
}

/** The key for node:crypto, by way of JWK. */
export function ed25519PrivateKeyObject(seed: Uint8Array, publicKey: Uint8Array): KeyObject {
  const jwk = { kty: "OKP", crv: "Ed25519", d: toBase64Url(seed), x: toBase64Url(publicKey) };
  return createPrivateKey({ key: jwk, format: "jwk" });
}
