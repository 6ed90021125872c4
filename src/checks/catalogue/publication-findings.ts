import type { ReasonDetails } from "./dns-findings.ts";
import { kind } from "./finding-kind.ts";

/** What the DNS around a published key tells. */
export const PUBLICATION_FINDINGS = {
  "DNS-WILDCARD": kind<ReasonDetails>({
    severity: "warning",
    summary: "a wildcard answers for every selector",
    message: ({ reason }) => reason,
    explanation:
      "A wildcard TXT record below the domain answers for selectors that nobody has made (RFC 6376 §6.1.2, note). Often it is " +
      "an SPF record, which is no key; if it is a key, a revoked or mistyped selector still finds it, and no key can be withdrawn.",
    fix: "publish the record at the selector's own name, and restrict or remove the wildcard",
  }),
  "DNS-CNAME-PASTED": kind<ReasonDetails>({
    severity: "error",
    summary: "the target of a CNAME is published as a TXT record",
    message: ({ reason }) => reason,
    explanation:
      "The TXT record holds a host name and nothing else. Mail services hand out CNAME targets; entered as TXT, the name is " +
      "read as the key record itself, and no verifier follows it.",
    fix: "replace the TXT record by a CNAME record with this target",
  }),
  "DNS-TAGS-DIFFER": kind<ReasonDetails>({
    severity: "warning",
    summary: "the published record has other tags than the expected one",
    message: ({ reason }) => reason,
    explanation:
      "The key is the right one, but h=, s= or t= are not as they should be. Verifiers obey what is published: t=y, say, asks " +
      "them to treat the domain as if it were only testing, and h= or s= can make them refuse.",
    fix: "publish the record as showkeys prints it, or change the tags of the stored key",
  }),
  "DNS-SERIALS-DIFFER": kind<ReasonDetails>({
    severity: "warning",
    summary: "the zone's servers do not have the same version of the zone",
    message: ({ reason }) => reason,
    explanation:
      "All servers serve the same key record, but the serial numbers of their SOA records differ: one of them has not yet " +
      "loaded the newest zone (RFC 1035 §4.3.5), or each has a zone of its own.",
    fix: "wait for the zone's refresh time; if it lasts, check notifications and zone transfers of the lagging server",
  }),
  "DNS-SERVERS-DIFFER": kind<ReasonDetails>({
    severity: "error",
    summary: "the authoritative servers do not all serve the same record",
    message: ({ reason }) => reason,
    explanation:
      "A resolver asks any of the zone's servers, so what a receiver sees is a matter of luck as long as one has another " +
      "record, none, or does not serve the zone. Caches keep the wrong answer for its TTL.",
    fix: "make every server load the same zone, and remove those from the delegation that do not serve it",
  }),
  "DNS-SILENT": kind<ReasonDetails>({
    severity: "warning",
    summary: "a server that should tell about the record does not answer",
    message: ({ reason }) => reason,
    explanation:
      "Those who answered have the record. A receiver that asks the silent one waits, asks another, or puts the mail off " +
      "(RFC 6376 §6.1.2). What it would serve is not known.",
    fix: "try again later; if it lasts, look after the server and the way to it",
  }),
  "DNS-NOT-YET": kind<ReasonDetails>({
    severity: "warning",
    summary: "resolvers still answer with what was there before",
    message: ({ reason }) => reason,
    explanation:
      "Every authoritative server has the record, but the resolvers keep the older answer, or that there was none, for the " +
      "rest of its TTL (RFC 1034 §4.3.4, RFC 2308 §5). Until then receivers may not find the key.",
    fix: "wait for the time that is told before signing with the key",
  }),
  "DNS-BOGUS": kind<ReasonDetails>({
    severity: "error",
    summary: "DNSSEC validation of the answer fails",
    message: ({ reason }) => reason,
    explanation:
      "The name resolves, but its signatures do not hold (RFC 4035 §5): they have expired, were made with a key that the " +
      "parent's DS record does not name, or the data was changed. Every receiver behind a validating resolver finds no key.",
    fix: "sign the zone anew, and compare the DS record at the parent with the zone's keys",
  }),
  "DNS-INSECURE": kind<ReasonDetails>({
    severity: "error",
    summary: "the answer is not known to be secured by DNSSEC",
    message: ({ reason }) => reason,
    explanation:
      "It was asked for with --require-dnssec. Without DNSSEC whoever can forge answers of the DNS can forge signatures of " +
      "the domain (RFC 6376 §8.4). Whether an answer was validated is believed only over loopback, TLS or HTTPS.",
    fix: "sign the zone and publish its DS record, or ask a validating resolver over a channel that can be believed",
  }),
  "DNS-MISPLACED": kind<ReasonDetails>({
    severity: "error",
    summary: "the record stands at a wrong name",
    message: ({ reason }) => reason,
    explanation:
      "Verifiers look at <selector>._domainkey.<domain> and nowhere else (RFC 6376 §3.6.2.1). Forms that append the domain, or " +
      "the _domainkey label, to what is typed are the usual cause.",
    fix: "move the record to its name, and look at the result with dig",
  }),
  "KEY-PROBE": kind<ReasonDetails>({
    severity: "error",
    summary: "what the key signs does not verify",
    message: ({ reason }) => reason,
    explanation:
      "A message was signed with the private key and verified with the published record as a receiver does it; it did not " +
      "pass. No receiver will accept this key's signatures.",
    fix: "publish the record of the key, or make a new key",
  }),
};
