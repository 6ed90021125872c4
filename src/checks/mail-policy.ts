import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { scanTagList } from "../dns/tag-list.ts";
import type { DomainName } from "../keys/domain-name.ts";

/** The DMARC record that holds for a domain, and where it stands. */
export interface FoundPolicy {
  readonly domain: string;
  /** One TXT record, joined; latin1. */
  readonly text: string;
}

/**
 * What the DMARC record means for signatures of a domain, and whether the historic ADSP is still there: for information.
 * @param policies every DMARC record of the nearest name that has one
 * @see RFC 7489 §3.1.1 (alignment), RFC 5617 (ADSP, historic since 2013)
 */
export function describeMailPolicy(domain: DomainName, policies: readonly FoundPolicy[], hasAdsp: boolean): string[] {
  const adsp = hasAdsp
    ? [`info: ADSP is published at _adsp._domainkey.${domain}; it is historic, and DMARC has taken its place`]
    : [];
  return [`info: ${describeDmarc(domain, policies)}`, ...adsp];
}

/** Whether a TXT record is a DMARC record: others may stand beside it (RFC 7489 §6.6.3). */
export function isDmarcRecord(text: string): boolean {
  return /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text);
}

function describeDmarc(domain: DomainName, policies: readonly FoundPolicy[]): string {
  const [policy] = policies;
  if (policy === undefined)
    return `no DMARC record holds for ${domain}: a valid signature has no bearing on its From field`;
  const place = `_dmarc.${policy.domain}`;
  if (policies.length > 1) return `${place} has ${policies.length} DMARC records: receivers ignore them all`;
  const { tags } = scanTagList(policy.text);
  const value = (name: string) => tags.find((tag) => tag.name === name)?.value.trim();
  const request = (policy.domain === domain ? undefined : value("sp")) ?? value("p") ?? "none";
  const strict = value("adkim") === "s";
  const whose = strict
    ? `d=${domain} speaks for mail from exactly ${domain} (adkim=s)`
    : `d=${domain} speaks for mail from all domains of its organization (adkim=r)`;
  return `${place} asks for "${escapeDnsText(request.slice(0, 40))}"; ${whose}`;
}
