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
