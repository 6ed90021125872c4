import { type KeyRecord, KeyRecordSyntaxError, parseKeyRecord } from "../dns/key-record.ts";
import { quoteName } from "../keys/domain-name.ts";
import { classifyKeyBytes } from "../keys/key-bytes.ts";
import { MIN_RSA_BITS } from "../keys/key-strength.ts";
import type { PublicKey, RsaPublicKey } from "../keys/public-key.ts";
import { ed25519PointWeakness } from "../keys/weak-keys/ed25519-point.ts";
import type { DkimSignature } from "./signature-header.ts";

/** Whether one TXT record holds a key that may verify one signature. */
export type KeyVerdict =
  | { readonly usable: true; readonly publicKey: PublicKey; readonly testing: boolean }
  | {
      readonly usable: false;
      readonly reason: string;
      /** The record is no key record at all, such as an SPF record under a wildcard. */
      readonly unrelated: boolean;
    };

/** RFC 8301 §3.2 asks verifiers for 4096; beyond this, a record would merely cost us time. */
const MAX_RSA_BITS = 8192;

/**
 * The checks of RFC 6376 §6.1.2, in its order: syntax, h=, revoked, key type; then s= and t=s (§3.6.1), the strength.
 * @param text one TXT record; whatever is not US-ASCII is refused, be it given as octets or as characters
 */
export function judgeKeyRecord(text: string, signature: DkimSignature): KeyVerdict {
  let record: KeyRecord;
  try {
    record = parseKeyRecord(text);
  } catch (error) {
    if (!(error instanceof KeyRecordSyntaxError)) throw error;
    return refuse(`key syntax error: ${error.message}`, !/(^|;)\s*p\s*=/.test(text));
  }
  const { hashAlgorithms, serviceTypes, flags = [], keyType, publicKey: bytes } = record;
  if (hashAlgorithms !== undefined && !hashAlgorithms.includes("sha256")) {
    return refuse("inappropriate hash algorithm: the key's h= does not allow sha256");
  }
  if (bytes === undefined) return refuse("key revoked: its p= is empty");
  const [wantedType] = signature.algorithm.split("-");
  if (keyType !== wantedType) {
    return refuse(
      `inappropriate key algorithm: the key is k=${quoteName(keyType)}, the signature a=${signature.algorithm}`,
    );
  }
  if (signature.algorithm === "rsa-sha1")
    return refuse("inappropriate key algorithm: rsa-sha1 must not be used (RFC 8301)");
  if (serviceTypes !== undefined && !serviceTypes.includes("*") && !serviceTypes.includes("email")) {
    return refuse("the key's s= does not allow it for mail");
  }
  if (flags.includes("s") && signature.identity.domain !== signature.domain) {
    return refuse(`the key's t=s forbids the subdomain in i=: ${signature.identity.domain}`);
  }
  const publicKey = readPublicKey(keyType, bytes);
  if (typeof publicKey === "string") return refuse(publicKey);
  return { usable: true, publicKey, testing: flags.includes("y") };
}

/** The key in p=, or why there is none. RSA in either form of erratum 3017, Ed25519 as the bare 32 octets (RFC 8463 §4.2). */
function readPublicKey(keyType: string, bytes: Uint8Array): PublicKey | string {
  const found = classifyKeyBytes(bytes);
  if (keyType === "ed25519") {
    if (found.kind !== "raw-32") return "key syntax error: p= is not the 32 octets of an Ed25519 key (RFC 8463 §4.2)";
    // Under a point of small order anybody can make a signature that verifies; OpenSSL loads such a key.
    const weakness = ed25519PointWeakness(found.bytes);
    if (weakness !== undefined) return `key syntax error: p= is no usable point: ${weakness.detail}`;
    return { type: "ed25519", bytes: found.bytes };
  }
  if (found.kind !== "spki" && found.kind !== "rsa-public-key") return "key syntax error: p= is no RSA public key";
  const { publicKey, fault, trailing } = found;
  if (fault !== undefined) return `key syntax error: p= is not DER: ${fault}`;
  if (trailing > 0) return `key syntax error: ${trailing} octets follow the key in p=`;
  if (publicKey?.type !== "rsa") return "inappropriate key algorithm: p= is no RSA public key";
  return rsaFault(publicKey) ?? publicKey;
}

function rsaFault({ modulus, exponent, modulusBits }: RsaPublicKey): string | undefined {
  if (modulusBits < MIN_RSA_BITS)
    return `the RSA key has ${modulusBits} bits; less than ${MIN_RSA_BITS} is refused (RFC 8301)`;
  if (modulusBits > MAX_RSA_BITS) return `the RSA key has ${modulusBits} bits; more than ${MAX_RSA_BITS} is refused`;
  const isOdd = (number: Uint8Array) => ((number.at(-1) ?? 0) & 1) === 1;
  const tooSmall = exponent.length === 0 || (exponent.length === 1 && (exponent[0] ?? 0) < 3);
  const tooLarge =
    exponent.length > modulus.length || (exponent.length === modulus.length && Buffer.compare(exponent, modulus) >= 0);
  // With e=1 anybody can sign; OpenSSL loads such a key.
  if (tooSmall || tooLarge || !isOdd(exponent))
    return "the RSA key's exponent is not an odd number from 3 up to the modulus";
  return isOdd(modulus) ? undefined : "the RSA key's modulus is even";
}

function refuse(reason: string, unrelated = false): KeyVerdict {
  return { usable: false, reason, unrelated };
}
