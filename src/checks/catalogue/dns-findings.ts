import { kind, type PartDetails } from "./finding-kind.ts";

export interface ReasonDetails {
  readonly reason: string;
}

/** The record in its place: RFC 6376 §3.6.2, RFC 1035 §5.1. */
export const DNS_FINDINGS = {
  "DNS-MULTI": kind<{ readonly records: number; readonly keys: number }>({
    severity: "error",
    summary: "more than one TXT record stands at the selector",
    message: ({ records, keys }) =>
      `${records} TXT records stand at one name; ${keys === 0 ? "none is a key record" : keys === 1 ? "one is a key record" : `${keys} are key records`}`,
    explanation:
      "With several records the result is undefined (RFC 6376 §3.6.2.2): a verifier may take any or try each. Mail::DKIM, " +
      "dkimpy and mailauth take the first of an order that changes; rspamd and Exim skip what is no key; OpenDKIM fails. " +
      "A long key stored as two records instead of two strings of one record is the classic mistake.",
    fix: "keep one TXT record: its strings in one line of the zone, other keys under selectors of their own",
  }),
  "ZONE-SYNTAX": kind<ReasonDetails>({
    severity: "error",
    summary: "the zone text cannot be loaded",
    message: ({ reason }) => reason,
    explanation:
      "A name server refuses this text (RFC 1035 §5.1). The usual cause is a string of more than 255 octets: a long " +
      "record is written as several quoted strings.",
    fix: "write the record as strings of at most 255 octets, each in quotes, all in one record",
  }),
  "NAME-SYNTAX": kind<ReasonDetails>({
    severity: "error",
    summary: "the record's name cannot be that of a DKIM key",
    message: ({ reason }) => reason,
    explanation:
      "A key record stands at <selector>._domainkey.<domain> (RFC 6376 §3.6.2.1); selector and domain are made of labels " +
      "of letters, digits and inner hyphens, 63 characters at most, 253 for the whole.",
    fix: "publish the record at <selector>._domainkey.<domain>",
  }),
  "NAME-RESERVED": kind<PartDetails>({
    severity: "error",
    summary: "the name is not that of a key",
    message: ({ part }) => `${part} is a name of its own in DNS, not a selector`,
    explanation:
      "_adsp (RFC 5617) and _report (RFC 6651) stand below _domainkey beside the selectors, and _domainkey itself is no " +
      "selector. No verifier looks for a key there.",
    fix: "publish the key record at <selector>._domainkey.<domain>",
  }),
  "NAME-DOUBLED": kind<PartDetails>({
    severity: "error",
    summary: "the domain stands twice in the name",
    message: ({ part }) => `the record stands at ${part}: the domain was appended twice`,
    explanation:
      "Most providers' forms and zone files append the zone's name to what is typed. A whole name without a dot at its " +
      "end then becomes s1._domainkey.example.com.example.com, where no verifier looks.",
    fix: "give only the part before the zone's name, or end the whole name with a dot",
  }),
  "NAME-UNDERSCORE": kind<PartDetails>({
    severity: "warning",
    summary: "the selector holds an underscore",
    message: ({ part }) => `the selector ${part} holds an underscore`,
    explanation:
      "Selectors are made of letters, digits and hyphens (RFC 6376 §3.1, RFC 5321 §4.1.2). Underscores are in the wild " +
      "and the tested verifiers accept them; some provider's forms do not.",
    fix: "use a hyphen in the next selector",
  }),
  "DNS-NO-RECORD": kind<ReasonDetails>({
    severity: "error",
    summary: "no TXT record stands at the selector",
    message: ({ reason }) => reason,
    explanation:
      "NXDOMAIN says that nothing stands at the name, NODATA that something else does. Either is final for a verifier " +
      "(RFC 6376 §6.1.2: no key for signature), and resolvers remember it for the zone's negative TTL (RFC 2308 §5).",
    fix: "publish the record at <selector>._domainkey.<domain>, on every authoritative server",
  }),
  "DNS-CNAME": kind<PartDetails>({
    severity: "info",
    summary: "the name is an alias of one whose record was not looked at",
    message: ({ part }) => `the name is an alias of ${part}, whose record is not in this text`,
    explanation:
      "Providers of mail services have their customers' selectors point at names of their own, and verifiers follow the " +
      "CNAME. What stands at its end decides; a CNAME that leads to nothing is as good as no record.",
    fix: "look the name up once it is published: dkimctl verify-key DOMAIN SELECTOR",
  }),
  "DNS-CNAME-TXT": kind<PartDetails>({
    severity: "error",
    summary: "a CNAME and a TXT record stand at the same name",
    message: ({ part }) => `beside the CNAME to ${part} stands a TXT record`,
    explanation:
      "A name with a CNAME has no other record (RFC 1034 §3.6.2, RFC 2181 §10.1). Name servers refuse such a zone, or " +
      "serve only one of the two.",
    fix: "keep the CNAME, if somebody else manages the key, or the TXT record, and remove the other",
  }),
  "ED25519-ONLY": kind<PartDetails>({
    severity: "warning",
    summary: "a domain has Ed25519 keys and no RSA key",
    message: ({ part }) => `${part} has Ed25519 keys only`,
    explanation:
      "Verifiers must support Ed25519 (RFC 8463 §5), yet many do not: Debian 12's Mail::DKIM answers \"unsupported " +
      'algorithm", and large receivers are known for the same. To them such mail is unsigned.',
    fix: "publish an RSA key beside it, under a selector of its own, and sign with both",
  }),
};
