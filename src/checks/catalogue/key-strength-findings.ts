import { kind } from "./finding-kind.ts";

/** What was seen in the key: `1023 bits`, `divisible by 3`. */
export interface DetailDetails {
  readonly detail: string;
}

/** How strong a key is: RFC 8301 §3.2, RFC 8463 §5. */
export const KEY_STRENGTH_FINDINGS = {
  "RSA-SHORT": kind<DetailDetails>({
    severity: "error",
    summary: "the RSA key is shorter than 1024 bits",
    message: ({ detail }) => `the RSA key has ${detail}; verifiers must refuse less than 1024`,
    explanation:
      "Signers must not use such keys and verifiers must not accept them (RFC 8301 §3.2). dkimpy, mailauth and OpenDKIM " +
      "refuse them; Mail::DKIM and rspamd 3.4 accept 512 bits. A 512-bit key is factored for less than ten dollars.",
    fix: "make a key of 2048 bits",
  }),
  "RSA-1024": kind<DetailDetails>({
    severity: "warning",
    summary: "the RSA key is shorter than 2048 bits",
    message: ({ detail }) => `the RSA key has ${detail}; it should have at least 2048`,
    explanation: "Signers should use keys of 2048 bits or more (RFC 8301 §3.2). Verifiers still accept 1024.",
    fix: "make a key of 2048 bits under a new selector",
  }),
  "RSA-LONG": kind<DetailDetails>({
    severity: "warning",
    summary: "the RSA key is longer than verifiers must support",
    message: ({ detail }) => `the RSA key has ${detail}; verifiers need not support more than 4096`,
    explanation:
      "Verifiers must support 1024 to 4096 bits and may support more (RFC 8301 §3.2). The record also outgrows what " +
      "OpenDKIM reads.",
    fix: "make a key of 2048 to 4096 bits",
  }),
  "RSA-E": kind<DetailDetails>({
    severity: "warning",
    summary: "the RSA exponent is not 65537",
    message: ({ detail }) => `the RSA exponent should be 65537: ${detail}`,
    explanation:
      "The exponent should be 65537 (RFC 6376 §3.3.1); an even one, one below 3 or one as large as the modulus makes no " +
      "RSA key at all. The five tested verifiers accept 3 and 2^32+1; others refuse what exceeds 32 bits.",
    fix: "make a new key; every current tool uses 65537",
  }),
  "RSA-N": kind<DetailDetails>({
    severity: "error",
    summary: "the RSA modulus cannot be one",
    message: ({ detail }) => `no proper RSA key: ${detail}`,
    explanation:
      "A modulus is the product of two large odd primes. This one was damaged or made up. No verifier tests it.",
    fix: "publish the key again as your key tool prints it, or make a new one",
  }),
  "RSA-FACTOR": kind<DetailDetails>({
    severity: "error",
    summary: "the RSA modulus has a small factor",
    message: ({ detail }) => `the RSA key can be factored: ${detail}`,
    explanation:
      "A proper modulus has no factor but its two large primes; whoever finds the factors can sign. No verifier tests it.",
    fix: "make a new key under a new selector, with a current tool",
  }),
  "RSA-FERMAT": kind<DetailDetails>({
    severity: "error",
    summary: "the primes of the RSA key lie so close together that it is factored at once",
    message: ({ detail }) => `the primes of the RSA key lie close together: ${detail}`,
    explanation: "Fermat's method finds the primes within a hundred rounds (CVE-2022-26320). No verifier tests it.",
    fix: "make a new key under a new selector, with a current tool",
  }),
  "RSA-ROCA": kind({
    severity: "error",
    summary: "the RSA key has the ROCA fingerprint (CVE-2017-15361)",
    explanation:
      "Its primes were made by a faulty Infineon library and can be found with little effort. No verifier tests it.",
    fix: "make a new key under a new selector, not on the faulty device",
  }),
  "RSA-WIENER": kind<DetailDetails>({
    severity: "error",
    summary: "the private exponent of the RSA key is so small that it is found from the public key",
    message: ({ detail }) => `the RSA key can be broken: ${detail}`,
    explanation:
      "A private exponent far shorter than the modulus is found with continued fractions (Wiener 1990). No verifier " +
      "tests it.",
    fix: "make a new key under a new selector, with a current tool",
  }),
  "RSA-PATTERN": kind<DetailDetails>({
    severity: "error",
    summary: "the RSA modulus is not random",
    message: ({ detail }) => `the RSA modulus is not random: ${detail}`,
    explanation:
      "The product of two random primes shows no pattern. This one was made up or came from a broken generator.",
    fix: "publish the key again as your key tool prints it, or make a new one",
  }),
  "KEY-BLOCKLISTED": kind<{ readonly list: number }>({
    severity: "error",
    summary: "the private key is in a collection of known keys",
    message: ({ list }) => `the block list has this key: its private half is known to others (collection ${list})`,
    explanation:
      "Private keys that were printed, leaked, or made by a generator that could make only few (Debian's OpenSSL of 2006 " +
      "to 2008, CVE-2008-0166) are collected by researchers and attackers alike. Whoever has the collection can sign. " +
      "The number is that of the collection in badkeys' badkeysdata.json.",
    fix: "make a new key under a new selector with a current tool, sign with it, and remove this record",
  }),
  "KNOWN-KEY": kind<DetailDetails>({
    severity: "error",
    summary: "the private half of this key is public",
    message: ({ detail }) => `everybody can sign with this key: ${detail}`,
    explanation: "Keys of documents and test suites are known with their private halves; everybody can sign with them.",
    fix: "make a key of your own",
  }),
};
