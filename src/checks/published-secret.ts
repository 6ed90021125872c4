import { classifyKeyBytes, type KeyBytes, type PrivateKeyForm } from "../keys/key-bytes.ts";

/**
 * Whether text from DNS gives a private key away, however it is wrapped: DER in base64 with either alphabet, with
 * quotes, URL encoding or PEM lines left in, a PEM file in base64, libsodium's 64 octets.
 * @returns what was published, for a message; never a part of it
 */
export function findPublishedSecret(text: string): string | undefined {
  const armour = /-----BEGIN (?:(?:[A-Z0-9]+ ){0,3})PRIVATE KEY-----/.exec(text);
  if (armour !== null) return "a private key in PEM form";
  const octets = decodeLeniently(text);
  return findSecretOctets(octets, classifyKeyBytes(octets));
}

/** The same of base64 that is without fault, decoded. @param what the octets were found to be */
export function findSecretOctets(octets: Uint8Array, what: KeyBytes): string | undefined {
  const start = Buffer.from(octets.buffer, octets.byteOffset, Math.min(octets.length, 64));
  return start.includes("PRIVATE KEY-----") ? "a private key in PEM form, in base64" : describeSecret(what);
}

/** @returns undefined when this is no private key */
export function describeSecret(what: KeyBytes): string | undefined {
  if (what.kind === "raw-64" && what.isSecretKey) return "a 64-octet Ed25519 SECRET key (seed and public key)";
  if (what.kind === "pkcs12") return "a PKCS#12 container, which holds a private key";
  if (what.kind !== "private-key") return undefined;
  const algorithm = what.algorithm === "rsa" ? "RSA" : what.algorithm === "ed25519" ? "Ed25519" : "";
  return `an ${algorithm} PRIVATE key (${FORM_NAMES[what.form]})`.replace("an  ", "a ");
}

const FORM_NAMES: Record<PrivateKeyForm, string> = {
  pkcs8: "PKCS#8",
  "encrypted-pkcs8": "encrypted PKCS#8",
  pkcs1: "PKCS#1",
  sec1: "SEC 1",
  dsa: "DSA",
  "octet-string": "the seed in an OCTET STRING",
};

/** Everything that people put around or into base64 is dropped. */
function decodeLeniently(text: string): Uint8Array {
  // As it should be, and nearly always is.
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return new Uint8Array(Buffer.from(text, "base64"));
  const digits = text
    .replace(/-----(?:BEGIN|END)[A-Z0-9 ]{0,40}-----/g, "")
    .replace(/%2B/gi, "+")
    .replace(/%2F/gi, "/")
    .replace(/%3D/gi, "=")
    .replace(/\\n/g, "")
    .replace(/-/g, "+")
    .replace(/_/g, "/")
    .replace(/[^A-Za-z0-9+/]/g, "");
  return new Uint8Array(Buffer.from(digits, "base64"));
}
