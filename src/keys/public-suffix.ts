import { getDomain, getPublicSuffix } from "tldts-icann";
import type { DomainName } from "./domain-name.ts";

/** Whether the domain is one under which others register, such as `co.uk`, by the ICANN part of the Public Suffix List. */
export function isPublicSuffix(domain: DomainName): boolean {
  return getPublicSuffix(domain, { validateHostname: false }) === domain;
}

/**
 * The domain that somebody registered: the public suffix and one label, where a zone begins unless it was cut further
 * down. The domain itself when it is a public suffix or a single label.
 */
export function registeredDomain(domain: DomainName): DomainName {
  // What is left of a DomainName after whole labels were taken off is one too.
  return (getDomain(domain, { validateHostname: false }) as DomainName | null) ?? domain;
}
