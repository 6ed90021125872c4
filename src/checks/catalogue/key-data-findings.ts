import { kind } from "./finding-kind.ts";

export interface ReasonDetails {
  readonly reason: string;
}

/** What was seen in the key. */
export interface DetailDetails {
  readonly detail: string;
}

/** What p= decodes to: RFC 6376 §3.6.1 with erratum 3017, RFC 8463 §4.2. */
export const KEY_DATA_FINDINGS = {
  "P-B64": kind<ReasonDetails>({
    severity: "error",
    summary: "p= is not base64",
    message: ({ reason }) => `p= is not base64: ${reason}`,
    explanation:
      "p= holds the key in base64 with the standard alphabet A-Z a-z 0-9 + / (RFC 6376 §2.10, RFC 4648 §4). Every " +
      "tested verifier refuses other characters; dkimpy and OpenDKIM tolerate surplus = signs.",
    fix: "publish the key again as your key tool prints it, and compare the lengths",
  }),
  "P-PAD": kind({
    severity: "warning",
    summary: "the = signs at the end of p= are missing",
    explanation: "The grammar makes the padding optional (RFC 6376 §2.10), but dkimpy refuses a key without it.",
    fix: "add the missing = signs, and make sure that nothing else was cut off with them",
  }),
  "P-PADBITS": kind({
    severity: "warning",
    summary: "the last character of p= carries bits that belong to no octet",
    explanation:
      "An encoder writes those bits as zero (RFC 4648 §3.5). Verifiers accept it, but the text is not what any encoder " +
      "wrote: a character was changed or lost.",
    fix: "publish the key again as your key tool prints it",
  }),
  "P-WSP": kind({
    severity: "info",
    summary: "white space stands inside p=",
    explanation:
      "Folding white space is allowed there (RFC 6376 §3.6.1) and the five tested verifiers accept it; older rspamd " +
      "did not. It often comes from a string division that was pasted as a space.",
    fix: "publish the key without spaces",
  }),
  "P-PEM": kind({
    severity: "error",
    summary: "p= holds the lines of a PEM file",
    explanation: "Only the base64 text between the BEGIN and END lines is the key. Every verifier refuses the lines.",
    fix: "publish the text between the lines alone, without line breaks",
  }),
  "P-DER": kind<ReasonDetails>({
    severity: "error",
    summary: "p= holds no RSA public key",
    message: ({ reason }) => `p= holds no RSA public key: ${reason}`,
    explanation:
      "Under k=rsa, which is the default, p= is a DER SubjectPublicKeyInfo with rsaEncryption (erratum 3017 to " +
      "RFC 6376), whole and with nothing wrong inside. Every verifier refuses what it cannot decode.",
    fix: "publish the public key of the signer's key again; if the key is Ed25519, write k=ed25519",
  }),
  "P-TRAILING": kind<{ readonly octets: number }>({
    severity: "error",
    summary: "octets follow the key in p=",
    message: ({ octets }) => `${octets} ${octets === 1 ? "octet follows" : "octets follow"} the key in p=`,
    explanation:
      "p= holds one key and nothing else. The five tested verifiers pass over the rest; verifiers written in Go refuse " +
      "the key. A key that was pasted twice looks like this.",
    fix: "publish the key again, once",
  }),
  "P-PKCS1": kind({
    severity: "warning",
    summary: "p= is a bare RSAPublicKey (PKCS#1); most verifiers refuse it",
    explanation:
      "The text of RFC 6376 §3.6.1 says RSAPublicKey, its example and everybody publish SubjectPublicKeyInfo; erratum " +
      "3017 allows both. Mail::DKIM, OpenDKIM, rspamd 3.4 and mailauth 4 refuse the bare form; dkimpy, Go and Rust " +
      "accept it.",
    fix: "publish the same key as SubjectPublicKeyInfo (openssl rsa -RSAPublicKey_in -pubout)",
  }),
  "P-ALG": kind<{ readonly algorithm: string; readonly keyType: string }>({
    severity: "error",
    summary: "p= holds a key of another algorithm than k= says",
    message: ({ algorithm, keyType }) => `p= holds ${algorithm}, but k= is ${keyType}`,
    explanation:
      "DKIM knows RSA keys (k=rsa, which is the default) and Ed25519 keys (k=ed25519, RFC 8463). A key of another " +
      "algorithm, RSASSA-PSS included, verifies nothing.",
    fix: "make an RSA or Ed25519 key, and publish it with its own k=",
  }),
  "P-CERT": kind({
    severity: "error",
    summary: "p= holds an X.509 certificate",
    explanation: "p= is a bare public key; every verifier refuses a certificate.",
    fix: "publish the certificate's public key (openssl x509 -pubkey -noout), or better a key made for DKIM",
  }),
  "P-PRIVATE": kind<{ readonly form: string }>({
    severity: "error",
    summary: "a PRIVATE key is published",
    message: ({ form }) => `the record publishes ${form}: everybody can sign as this domain`,
    explanation:
      "Whoever reads this record can sign mail in the domain's name. Deleting the record does not undo it: DNS is " +
      "cached and recorded. The key is burnt. This has happened: five Ed25519 seeds stood in one public zone.",
    fix: "now: stop signing with this key, make a new key under a new selector, publish its public half, sign with it, remove this record",
  }),
  "P-ED-LEN": kind<{ readonly octets: number; readonly isSecretKey: boolean }>({
    severity: "error",
    summary: "an Ed25519 key has 32 octets, and p= has not",
    message: ({ octets, isSecretKey }) =>
      isSecretKey
        ? "p= holds a 64-octet Ed25519 SECRET key (seed and public key): everybody can sign as this domain"
        : `p= holds ${octets} octets; an Ed25519 key has 32`,
    explanation:
      "Under k=ed25519 p= is the 32 octets of the public key in base64, nothing around them (RFC 8463 §4.2). 64 octets " +
      "are as a rule libsodium's secret key: the seed and then the public key.",
    fix: "publish the 32 octets of the public key; after a secret key was published, make a new key under a new selector now",
  }),
  "P-ED-SPKI": kind({
    severity: "error",
    summary: "the Ed25519 key in p= is wrapped in a SubjectPublicKeyInfo",
    explanation:
      "openssl writes 44 octets; DKIM wants the last 32 of them alone (RFC 8463 §4.2). Exim and mailauth accept the " +
      "wrapped form; the others refuse it.",
    fix: "publish the last 32 octets of the decoded value, in base64",
  }),
  "P-ED-POINT": kind<DetailDetails>({
    severity: "error",
    summary: "the 32 octets in p= are no point of the Ed25519 curve",
    message: ({ detail }) => `the 32 octets in p= are no Ed25519 public key: ${detail}`,
    explanation:
      "No public key decodes to these octets (RFC 8032 §5.1.3), so no signature can verify. No tested verifier says so " +
      "when it loads the key. Half of all seeds that are published by mistake look like this.",
    fix: "compare with the public key of the signer's key; if these octets are its seed, the key is burnt: make a new one now",
  }),
  "P-ED-LOWORDER": kind<DetailDetails>({
    severity: "error",
    summary: "the Ed25519 key in p= is a point of small order",
    message: ({ detail }) => `the Ed25519 key in p= verifies forgeries: ${detail}`,
    explanation:
      "There are eight such points, the all-zero octets among them; signatures that verify under them can be made by " +
      "anybody. No tested verifier refuses them.",
    fix: "make a new key; no proper tool makes this one",
  }),
  "KEY-MISMATCH": kind<ReasonDetails>({
    severity: "error",
    summary: "the published key is not the public half of the private key",
    message: ({ reason }) => `the published key is another key: ${reason}`,
    explanation: "Signatures made with the private key do not verify with the key in this record.",
    fix: "publish the record that belongs to the private key, or sign with the key that belongs to the record",
  }),
};
