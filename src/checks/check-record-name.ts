import { NameSyntaxError } from "../keys/domain-name.ts";
import { domainWarnings } from "../keys/domain-warnings.ts";
import { parseKeyName } from "../keys/key-name.ts";
import type { Finding } from "./catalogue.ts";
import { FindingList, quotePart } from "./finding-list.ts";

const RESERVED_SELECTORS = new Set(["_adsp", "_report", "_domainkey"]);

/** The zone's name appended to a name that had it already, or all that follows the selector appended to the whole. */
const DOUBLED_NAME = /^(.+\._domainkey\.(.+\..+))(?:\._domainkey)?\.\2$/i;

/** Two names of 253 characters; longer text is no name, and the pattern is not linear. */
const MAX_DOUBLED_LENGTH = 506;

/**
 * Whether a key record can stand at this name: `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1, §3.1), with or
 * without trailing dot. Any text.
 */
export function checkRecordName(name: string): Finding[] {
  const findings = new FindingList();
  const bare = name.replace(/\.$/, "");
  if (correctedRecordName(bare) !== undefined) findings.add("NAME-DOUBLED", { part: quotePart(name) });
  const [selector = "", domain, ...more] = (correctedRecordName(bare) ?? bare).split(/\._domainkey\./i);
  if (domain === undefined || more.length > 0) {
    const reason = `${quotePart(name)} is not <selector>._domainkey.<domain>`;
    findings.add("NAME-SYNTAX", { reason });
    return findings.toArray();
  }
  if (RESERVED_SELECTORS.has(selector.toLowerCase())) {
    findings.add("NAME-RESERVED", { part: quotePart(selector) });
    return findings.toArray();
  }
  const isWildcard = selector.startsWith("*");
  if (isWildcard) {
    findings.add("DNS-WILDCARD", { reason: `${quotePart(name)} answers for every selector that does not exist` });
  }
  try {
    const key = parseKeyName(domain, isWildcard ? selector.replace(/^\*\.?/, "") || "any" : selector);
    if (key.selector.includes("_")) findings.add("NAME-UNDERSCORE", { part: quotePart(selector) });
    for (const reason of domainWarnings(key.domain)) findings.add("NAME-SYNTAX", { reason }, { severity: "warning" });
  } catch (error) {
    if (!(error instanceof NameSyntaxError)) throw error;
    findings.add("NAME-SYNTAX", { reason: error.message });
  }
  return findings.toArray();
}

/** The name that was meant when the domain stands in it twice; `undefined` when it does not. No trailing dot. */
export function correctedRecordName(name: string): string | undefined {
  return name.length > MAX_DOUBLED_LENGTH ? undefined : DOUBLED_NAME.exec(name)?.[1];
}
