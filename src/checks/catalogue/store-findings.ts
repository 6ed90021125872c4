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
  "KEY-BACKUP": kind<ReasonDetails>({
    severity: "warning",
    summary: "a private key that was replaced still lies beside its successor",
    message: ({ reason }) => reason,
    explanation:
      "Replacing a key keeps the old one, so that there is a way back. As long as its record is published, and in caches " +
      "afterwards, whoever reads the file can sign mail in the domain's name. After a week nobody goes back any more.",
    fix: "remove the file, or move it to where secrets are kept",
  }),
  "STORE-LEFTOVER": kind<ReasonDetails>({
    severity: "warning",
    summary: "a run that was killed has left a file that it was writing",
    message: ({ reason }) => reason,
    explanation:
      "A file is written under a temporary name and then given its own. A run that is killed between leaves the temporary " +
      "one, which may hold a private key that nothing uses. The next command that changes the store removes it.",
    fix: "remove the file",
  }),
  "TAGS-ORPHAN": kind<ReasonDetails>({
    severity: "info",
    summary: "the tags of a record are kept whose key is gone",
    message: ({ reason }) => reason,
    explanation:
      "What a record says beside its key (h=, s=, t=, n=) is kept in a file of its own, named after the key. Somebody has " +
      "removed, renamed or replaced the key by hand. No key is ever given the tags of another, so it does no harm; when " +
      "the key comes back, its tags are those.",
    fix: "remove the file, unless the key is to come back",
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
