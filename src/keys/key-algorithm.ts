/** The name of a public-key algorithm; `other` for one we have no name for. */
export type KeyAlgorithm = "rsa" | "ed25519" | "rsa-pss" | "ec" | "dsa" | "dh" | "ed448" | "x25519" | "x448" | "other";

const ALGORITHMS = new Map<string, KeyAlgorithm>([
  ["1.2.840.113549.1.1.1", "rsa"],
  ["1.2.840.113549.1.1.10", "rsa-pss"],
  ["1.3.101.112", "ed25519"],
  ["1.3.101.113", "ed448"],
  ["1.3.101.110", "x25519"],
  ["1.3.101.111", "x448"],
  ["1.2.840.10045.2.1", "ec"],
  ["1.2.840.10040.4.1", "dsa"],
  ["1.2.840.113549.1.3.1", "dh"],
  ["1.2.840.10046.2.1", "dh"],
]);

/** The algorithm of an AlgorithmIdentifier's OID in dotted form (RFC 3279 §2.3, RFC 8410 §3). */
export function keyAlgorithmOf(oid: string): KeyAlgorithm {
  return ALGORITHMS.get(oid) ?? "other";
}

/** What to call the algorithm in a sentence: `an EC key`. */
export function describeAlgorithm(algorithm: KeyAlgorithm, oid?: string): string {
  switch (algorithm) {
    case "rsa":
      return "an RSA key";
    case "ed25519":
      return "an Ed25519 key";
    case "rsa-pss":
      return "an RSASSA-PSS key";
    case "ec":
      return "an EC key";
    case "dsa":
      return "a DSA key";
    case "dh":
      return "a Diffie-Hellman key";
    case "ed448":
      return "an Ed448 key";
    case "x25519":
      return "an X25519 key";
    case "x448":
      return "an X448 key";
    case "other":
      return `a key of algorithm ${oid ?? "unknown"}${oid?.startsWith("2.16.840.1.101.3.4.3.") ? " (ML-DSA or the like)" : ""}`;
  }
}
