import type { Ed25519PublicKey, RsaPublicKey } from "./public-key.ts";

/** An RSA private key as numbers (RFC 8017 §3.2), unsigned big-endian octets without leading zeros; consistency proven when read. */
export interface RsaPrivateKey {
  readonly type: "rsa";
  readonly publicKey: RsaPublicKey;
  readonly privateExponent: Uint8Array;
  readonly prime1: Uint8Array;
  readonly prime2: Uint8Array;
  readonly exponent1: Uint8Array;
  readonly exponent2: Uint8Array;
  readonly coefficient: Uint8Array;
}

export interface Ed25519PrivateKey {
  readonly type: "ed25519";
  readonly publicKey: Ed25519PublicKey;
  /** The 32 octets of RFC 8032 §5.1.5. */
  readonly seed: Uint8Array;
}

export type PrivateKey = RsaPrivateKey | Ed25519PrivateKey;
