import { NameSyntaxError } from "../keys/domain-name.ts";
import { domainWarnings } from "../keys/domain-warnings.ts";
import { parseKeyName } from "../keys/key-name.ts";
import type { Finding } from "./catalogue.ts";
import { FindingList, quotePart } from "./finding-list.ts";

const RESERVED_SELECTORS = new Set(["_adsp", "_report", "_domainkey"]);

/**
 * Whether a key record can stand at this name: `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1, §3.1), with or
 * without trailing dot. Any text.
 */
export function checkRecordName(name: string): Finding[] {
  const findings = new FindingList();
  const [selector = "", domain, ...more] = name.replace(/\.$/, "").split(/\._domainkey\./i);
  if (domain === undefined || more.length > 0) {
    const reason = `${quotePart(name)} is not <selector>._domainkey.<domain>`;
    findings.add("NAME-SYNTAX", { reason });
    return findings.toArray();
  }
  if (RESERVED_SELECTORS.has(selector.toLowerCase())) {
    findings.add("NAME-RESERVED", { part: quotePart(selector) });
    return findings.toArray();
  }
  try {
    const key = parseKeyName(domain, selector);
    if (key.selector.includes("_")) findings.add("NAME-UNDERSCORE", { part: quotePart(selector) });
    for (const reason of domainWarnings(key.domain)) findings.add("NAME-SYNTAX", { reason }, { severity: "warning" });
    if (/^(.+\..+)\.\1$/.test(key.domain)) findings.add("NAME-DOUBLED", { part: quotePart(name) });
  } catch (error) {
    if (!(error instanceof NameSyntaxError)) throw error;
    findings.add("NAME-SYNTAX", { reason: error.message });
  }
  return findings.toArray();
}
