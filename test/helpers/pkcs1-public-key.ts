import { DerTag } from "../../src/keys/der.ts";
import { encodeDer, encodeUnsignedInteger } from "../../src/keys/der-writer.ts";
import type { RsaPublicKey } from "../../src/keys/public-key.ts";

/** The DER RSAPublicKey (RFC 8017 §A.1.1), which dkimctl reads and never writes. */
export function encodeRsaPublicKey({ modulus, exponent }: Pick<RsaPublicKey, "modulus" | "exponent">): Uint8Array {
  return encodeDer(DerTag.sequence, encodeUnsignedInteger(modulus), encodeUnsignedInteger(exponent));
}
