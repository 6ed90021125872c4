import { kind, type PartDetails } from "./finding-kind.ts";

export interface ReasonDetails {
  readonly reason: string;
}

/** The keys of a store beside each other: RFC 6376 §3.1 (one key, one selector), RFC 5863 §3.5. */
export const STORE_FINDINGS = {
  "KEY-SHARED": kind<PartDetails>({
    severity: "info",
    summary: "several names have the same key",
    message: ({ part }) => `the key is also that of ${part}`,
    explanation:
      "Whoever gets hold of this key can sign for every name that has it, and all of them must be given a new key at once. " +
      "Many domains of one owner may share a key; under two selectors of one domain it makes a change of keys pointless.",
    fix: "make a key for each name, unless they have one owner and are always changed together",
  }),
  "RSA-SHARED-PRIME": kind<PartDetails>({
    severity: "error",
    summary: "two RSA keys have a prime in common, so that both are factored at once",
    message: ({ part }) => `the key has a prime in common with that of ${part}: both can be factored`,
    explanation:
      'Whoever has both public keys finds the primes of both with one division of numbers (Heninger and others, "Mining ' +
      'Your Ps and Qs", 2012). Good generators never make the same prime twice; this one had too little randomness, and ' +
      "other keys that it made are in doubt, too.",
    fix: "make new keys under new selectors on another machine, and replace every key that the same generator made",
  }),
  "KEY-OLD": kind<ReasonDetails>({
    severity: "warning",
    summary: "the key is older than it should become",
    message: ({ reason }) => reason,
    explanation:
      "A key that is changed now and then limits the time for which a stolen one is of use. M3AAWG advises to change keys " +
      "about every six months. The age is that of the key's file.",
    fix: "make a new key under a new selector, publish it, sign with it, and then retire this one",
  }),
  "SELECTOR-REUSED": kind<ReasonDetails>({
    severity: "warning",
    summary: "the selector seems to have had another key before",
    message: ({ reason }) => reason,
    explanation:
      "A selector names one key for good (RFC 6376 §3.1): resolvers still hold the old record for its TTL, so that mail " +
      "signed with the new key looks forged, and old mail does so for ever.",
    fix: "give each new key a selector of its own",
  }),
  "STORE-FILE": kind<ReasonDetails>({
    severity: "error",
    summary: "a file in the store is not a key that can be used",
    message: ({ reason }) => reason,
    explanation:
      "The store holds keys as <domain>.<selector>.pem. What has another name, cannot be read, or is a link that leads " +
      "nowhere signs nothing, and may be a key that somebody misses.",
    fix: "give it the name of its domain and selector, mend it, or take it away",
  }),
};
