import type { PrivateKey } from "../keys/private-key.ts";
import { type PublicKey, publicKeyFingerprint, sameOctets, samePublicKey } from "../keys/public-key.ts";
import type { FindingOverrides } from "./catalogue.ts";
import type { KeyData } from "./check-key-data.ts";
import type { FindingList } from "./finding-list.ts";

/** The key that a record should hold: all of it, or only the half that everybody may know. */
export interface OwnKey {
  readonly publicKey: PublicKey;
  readonly privateKey?: PrivateKey | undefined;
}

/**
 * The record's key against the key at hand. Only this, with the private key, can see an Ed25519 seed that was published in place of
 * the public key and happens to be a point of the curve.
 */
export function checkKeyPair(
  { octets, publicKey }: KeyData,
  own: OwnKey,
  where: FindingOverrides,
  findings: FindingList,
): void {
  if (octets === undefined) return;
  const { privateKey } = own;
  if (privateKey?.type === "ed25519" && sameOctets(octets, privateKey.seed)) {
    const form = "the private key's seed in place of the public key";
    findings.add("P-PRIVATE", { form }, { ...where, critical: true });
    return;
  }
  if (publicKey === undefined) return;
  if (samePublicKey(publicKey, own.publicKey)) return;
  const whose = privateKey === undefined ? "the expected key" : "the private key's";
  findings.add("KEY-MISMATCH", { reason: describeMismatch(publicKey, own.publicKey, whose) }, where);
}

/** Fingerprints let people see which key it is instead. */
function describeMismatch(published: PublicKey, own: PublicKey, whose: string): string {
  const describe = (key: PublicKey) => {
    const bits = key.type === "rsa" ? ` of ${key.modulusBits} bits` : "";
    return `${key.type}${bits}, SHA-256 ${publicKeyFingerprint(key).slice(0, 16)}...`;
  };
  return `it is ${describe(published)}; ${whose} is ${describe(own)}`;
}
