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
};
