import { encodePrivateKeyDer, type PrivateKey } from "./private-key.ts";

/**
 * The text of a key in Redis or Vault as rspamd reads it: what begins with "/" is a path to it (measured with 3.4), and one
 * Ed25519 key in 64 begins so in base64. It passes over a line feed.
 * @param text PEM, or base64 of PKCS#1, a seed, or seed and public key
 */
export function rspamdRawKey(text: string): string {
  return text.startsWith("/") ? `\n${text}` : text;
}

/** A key as rspamd takes it from Vault in every version: RSA as PKCS#1, Ed25519 as seed and public key, in base64. */
export function rspamdVaultKey(key: PrivateKey): string {
  const octets = key.type === "rsa" ? encodePrivateKeyDer(key, "pkcs1") : [...key.seed, ...key.publicKey.bytes];
  return rspamdRawKey(Buffer.from(octets).toString("base64"));
}
