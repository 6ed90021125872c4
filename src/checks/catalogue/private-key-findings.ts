import { kind } from "./finding-kind.ts";

interface ReasonDetails {
  readonly reason: string;
}

/** Private key files: RFC 7468, RFC 5958, RFC 8410, RFC 8017. */
export const PRIVATE_KEY_FINDINGS = {
  "KEY-FORMAT": kind<ReasonDetails>({
    severity: "error",
    summary: "the file holds no private key that can be read",
    message: ({ reason }) => reason,
    explanation:
      "Private keys are read as PKCS#8 or PKCS#1, in PEM or DER, and Ed25519 keys also as 32 or 64 octets in base64.",
    fix: "give the file that the signer reads",
  }),
};
