import { kind } from "./finding-kind.ts";

interface BitsDetails {
  readonly bits: number;
}

interface ReasonDetails {
  readonly reason: string;
}

/** How strong a key is: RFC 8301 §3.2, RFC 8463 §5. */
export const KEY_STRENGTH_FINDINGS = {
  "RSA-SHORT": kind<BitsDetails>({
    severity: "error",
    summary: "the RSA key is shorter than 1024 bits",
    message: ({ bits }) => `the RSA key has ${bits} bits; verifiers must refuse less than 1024`,
    explanation:
      "Signers must not use such keys and verifiers must not accept them (RFC 8301 §3.2). dkimpy, mailauth and OpenDKIM " +
      "refuse them; Mail::DKIM and rspamd 3.4 accept 512 bits. A 512-bit key is factored for less than ten dollars.",
    fix: "make a key of 2048 bits",
  }),
  "RSA-1024": kind<BitsDetails>({
    severity: "warning",
    summary: "the RSA key is shorter than 2048 bits",
    message: ({ bits }) => `the RSA key has ${bits} bits; it should have at least 2048`,
    explanation: "Signers should use keys of 2048 bits or more (RFC 8301 §3.2). Verifiers still accept 1024.",
    fix: "make a key of 2048 bits under a new selector",
  }),
  "RSA-LONG": kind<BitsDetails>({
    severity: "warning",
    summary: "the RSA key is longer than verifiers must support",
    message: ({ bits }) => `the RSA key has ${bits} bits; verifiers need not support more than 4096`,
    explanation:
      "Verifiers must support 1024 to 4096 bits and may support more (RFC 8301 §3.2). The record also outgrows what " +
      "OpenDKIM reads.",
    fix: "make a key of 2048 to 4096 bits",
  }),
  "RSA-E": kind<ReasonDetails>({
    severity: "warning",
    summary: "the RSA exponent is not 65537",
    message: ({ reason }) => `the RSA exponent ${reason}`,
    explanation:
      "The exponent should be 65537 (RFC 6376 §3.3.1); an even one, one below 3 or one as large as the modulus makes no " +
      "RSA key at all. The five tested verifiers accept 3 and 2^32+1; others refuse what exceeds 32 bits.",
    fix: "make a new key; every current tool uses 65537",
  }),
  "RSA-N": kind<ReasonDetails>({
    severity: "error",
    summary: "the RSA modulus cannot be one",
    message: ({ reason }) => `the RSA modulus ${reason}`,
    explanation:
      "A modulus is the product of two large odd primes. This one was damaged or made up. No verifier tests it.",
    fix: "publish the key again as your key tool prints it, or make a new one",
  }),
  "RSA-FACTOR": kind<ReasonDetails>({
    severity: "error",
    summary: "the RSA modulus has a small factor",
    message: ({ reason }) => `the RSA modulus ${reason}`,
    explanation:
      "A proper modulus has no factor but its two large primes; whoever finds the factors can sign. No verifier tests it.",
    fix: "make a new key under a new selector, with a current tool",
  }),
  "RSA-FERMAT": kind({
    severity: "error",
    summary: "the primes of the RSA key lie so close together that it is factored at once",
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
  "KEY-KNOWN": kind<{ readonly source: string }>({
    severity: "error",
    summary: "the private half of this key is public",
    message: ({ source }) => `this is the key of ${source}: its private half is public`,
    explanation: "Keys of documents and test suites are known with their private halves; everybody can sign with them.",
    fix: "make a key of your own",
  }),
};
