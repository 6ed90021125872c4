import type { DomainName } from "../../keys/domain-name.ts";

/**
 * `$ORIGIN` lines for the formats whose owner names are relative, as their models print them: empty for the first
 * domain, whose zone the file is for, and again whenever the domain changes. Without it, records of two domains that
 * share a selector would become two records at one name, which verifiers refuse (RFC 6376 §3.6.2.2).
 */
export function originLines(): (domain: DomainName) => string {
  let origin: DomainName | undefined;
  return (domain) => {
    const line = origin === undefined || origin === domain ? "" : `$ORIGIN ${domain}.\n`;
    origin = domain;
    return line;
  };
}
