import { kind } from "./finding-kind.ts";

export interface ReasonDetails {
  /** Starts with a verb: `is an EC key`. */
  readonly reason: string;
}

const ofFile = ({ reason }: ReasonDetails) => `the file ${reason}`;

/** Private key files: RFC 7468, RFC 5958, RFC 8410, RFC 8017. */
export const PRIVATE_KEY_FINDINGS = {
  "KEY-ENCRYPTED": kind<ReasonDetails>({
    severity: "error",
    summary: "the private key is encrypted",
    message: ofFile,
    explanation:
      "Signers run unattended and read plain keys; without its passphrase nothing can be said about this one.",
    fix: "give its passphrase, or decrypt a copy",
  }),
  "KEY-UNSUPPORTED": kind<ReasonDetails>({
    severity: "error",
    summary: "the file holds a key that DKIM cannot sign with",
    message: ofFile,
    explanation:
      "DKIM signs with RSA (RFC 6376 §3.3) and Ed25519 (RFC 8463) keys. EC, DSA, RSASSA-PSS, Ed448 and X25519 keys, and " +
      "formats such as OpenSSH's, are of no use to any signer.",
    fix: "make a new key: dkimctl keygen",
  }),
  "KEY-NOT-A-KEY": kind<ReasonDetails>({
    severity: "error",
    summary: "the file holds no private key",
    message: ofFile,
    explanation: "Private keys are PKCS#8 or PKCS#1, in PEM or DER; Ed25519 keys also 32 or 64 octets in base64.",
    fix: "give the file that the signer reads",
  }),
  "KEY-BROKEN": kind<ReasonDetails>({
    severity: "error",
    summary: "the private key is damaged",
    message: ofFile,
    explanation:
      "The file was cut off, its base64 is spoilt, or its numbers do not belong together. OpenSSL loads some such keys " +
      "and then signs wrongly.",
    fix: "restore the file from a backup, or make a new key under a new selector: dkimctl keygen",
  }),
  "KEY-PUBLIC": kind<ReasonDetails>({
    severity: "error",
    summary: "the file holds a public key",
    message: ofFile,
    explanation: "Only the private key can sign, and it cannot be made from the public one.",
    fix: "look for the file that was made together with it",
  }),
  "KEY-CERTIFICATE": kind<ReasonDetails>({
    severity: "error",
    summary: "the file holds a certificate",
    message: ofFile,
    explanation: "DKIM has no certificates; it needs the private key alone.",
    fix: "look for the .key file that was made together with it, or better make a key for DKIM",
  }),
  "KEY-SEVERAL": kind<ReasonDetails>({
    severity: "error",
    summary: "the file holds more than one key",
    message: ofFile,
    explanation: "Which one a signer takes depends on the signer; none is picked here.",
    fix: "put each key into a file of its own",
  }),
  "KEY-TOLERATED": kind<ReasonDetails>({
    severity: "info",
    summary: "the key can be read, but its file is unusual",
    message: ({ reason }) => reason,
    explanation: "Every signer reads keys with a library of its own; what is tolerated here may be refused there.",
    fix: "write the key anew: openssl pkey -in FILE -out COPY",
  }),
  "KEY-PERMISSIONS": kind<ReasonDetails>({
    severity: "warning",
    summary: "users other than its owner can read or change the private key",
    message: ({ reason }) => reason,
    explanation:
      "Who can read a private key can sign mail in the domain's name, and who can write it or a folder on its path can put " +
      "another key in its place. A signer that runs as another user gets the file by its group: chgrp, and mode 0640.",
    fix: "take the permission away with the command that the message gives",
  }),
};
