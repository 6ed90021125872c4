import { domainToASCII } from "node:url";
import type { DomainName } from "./domain-name.ts";
import { isPublicSuffix } from "./public-suffix.ts";

/** What is legal yet unusual about a signing domain, one sentence each; empty for an ordinary one. */
export function domainWarnings(domain: DomainName): string[] {
  const warnings: string[] = [];
  if (!domain.includes(".")) {
    warnings.push(`${domain} has a single label: no receiver outside this network can look it up`);
  } else if (isPublicSuffix(domain)) {
    // RFC 6376 §6.1.1 names "co.uk"; the Public Suffix List knows the others.
    warnings.push(`${domain} is a public suffix, under which others register: verifiers may ignore its signatures`);
  }
  for (const label of domain.split(".")) {
    if (label.startsWith("xn--") && domainToASCII(label) !== label) {
      warnings.push(`${label} starts with xn-- but is not a valid internationalized label (IDNA)`);
    }
  }
  return warnings;
}
