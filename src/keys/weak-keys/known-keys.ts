import { type PublicKey, publicKeyFingerprint } from "../public-key.ts";
import type { KeyWeakness } from "./weakness.ts";

/** SHA-256 of the SubjectPublicKeyInfo of keys whose private half is in print, and where. */
const KNOWN_KEYS = new Map<string, string>([
  ["dba3f0cb69f06d70e41abc6ac5812bc3d2639a24b621ba5d241202ac89cb7b9c", "RFC 6376 Appendix C"],
  ["362d9a99501883f6d1ac717c53fff96582fb0a7c52464cb64b9082aa887bc7b4", "RFC 8463 Appendix A"],
  ["06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9", "RFC 8463 Appendix A and RFC 8032 §7.1"],
  ["deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170", "RFC 8032 §7.1 (test 2)"],
  ["8d39ba50abe50f77b6bb8ae7b6927aff7ffbeba35ad2837c0e51e82bcbcc60d5", "RFC 8032 §7.1 (test 3)"],
  ["e4f982b51ad0bdd87be820b259fe80337ef636e72b9fa7a8867a6949eb610fd6", "RFC 8032 §7.1 (test 1024)"],
  ["e77db4a9572e9f6552c22bc751d5499ad218a73bdf7e15dc6ea0fc69246a44de", "RFC 8032 §7.1 (test SHA(abc))"],
  ["e22e5f835206173b5f72e8675bcb2466d8f4fb5e600736402904f7c3f3302c28", "RFC 8032 §7.2"],
  ["a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f", "RFC 8410 §10"],
  ["339e2ff917630507b6a423b5ce084e285d1fa65d93b3e27a6195d3bbebc9ae23", "the seed of 32 zero octets"],
]);

/** Of the only RSA key among them: no other size has its SHA-256 computed. */
const KNOWN_RSA_BITS = 1024;

/** KNOWN-KEY: anybody can sign with a key that is printed in a standard. */
export function knownKeyWeakness(key: PublicKey): KeyWeakness | undefined {
  if (key.type === "rsa" && key.modulusBits !== KNOWN_RSA_BITS) return undefined;
  const source = KNOWN_KEYS.get(publicKeyFingerprint(key));
  return source === undefined
    ? undefined
    : { code: "KNOWN-KEY", severity: "error", detail: `its private key is public: ${source}` };
}
