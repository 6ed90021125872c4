import type { PrivateKey } from "../keys/private-key.ts";
import { type PublicKey, publicKeyFingerprint, sameOctets, samePublicKey } from "../keys/public-key.ts";
import type { FindingOverrides } from "./catalogue.ts";
import type { KeyData } from "./check-key-data.ts";
import type { FindingList } from "./finding-list.ts";

/**
 * The record's key against the private key at hand. Only this can see an Ed25519 seed that was published in place of
 * the public key and happens to be a point of the curve.
 */
export function checkKeyPair(
  { octets, publicKey }: KeyData,
  privateKey: PrivateKey,
  where: FindingOverrides,
  findings: FindingList,
): void {
  if (octets === undefined) return;
  if (privateKey.type === "ed25519" && sameOctets(octets, privateKey.seed)) {
    const form = "the private key's seed in place of the public key";
    findings.add("P-PRIVATE", { form }, { ...where, critical: true });
    return;
  }
  if (publicKey === undefined) return;
  if (samePublicKey(publicKey, privateKey.publicKey)) return;
  findings.add("KEY-MISMATCH", { reason: describeMismatch(publicKey, privateKey.publicKey) }, where);
}

/** Fingerprints let people see which key it is instead. */
function describeMismatch(published: PublicKey, own: PublicKey): string {
  const describe = (key: PublicKey) => {
    const bits = key.type === "rsa" ? ` of ${key.modulusBits} bits` : "";
    return `${key.type}${bits}, SHA-256 ${publicKeyFingerprint(key).slice(0, 16)}...`;
  };
  return `it is ${describe(published)}; the private key's is ${describe(own)}`;
}
