import { scanZoneText, type ZoneRecord } from "../dns/zone-text.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";
import { type Finding, makeFinding } from "./catalogue.ts";
import { checkRecordName } from "./check-record-name.ts";
import { checkRrset, type RrsetReport } from "./check-rrset.ts";
import { quotePart } from "./finding-list.ts";

/** One name of a zone that is, or was meant to be, that of a key. */
export interface ZoneNameReport {
  /** Fully qualified, without trailing dot. */
  readonly name: string;
  /** Where it first stands in the text, from 1. */
  readonly line: number;
  readonly texts: readonly string[];
  readonly target: string | undefined;
  /** About the name itself; what is wrong with the records stands in `rrset`. */
  readonly findings: readonly Finding[];
  /** Absent for an alias whose target is not in the text. */
  readonly rrset: RrsetReport | undefined;
}

export interface ZoneReport {
  /** In the order of the text. */
  readonly names: readonly ZoneNameReport[];
  /** About the text as a whole, and about domains. */
  readonly findings: readonly Finding[];
}

/** A zone with more faults than this is some other file. */
const MAX_FAULTS = 20;

/**
 * The DKIM names of a zone file before it is published: each `_domainkey` name, and key records elsewhere. An alias
 * whose target is in the text is judged by it.
 */
export function checkZone(text: string, origin: string, blockList?: BlockList): ZoneReport {
  const { records, faults } = scanZoneText(text, { origin });
  const byName = groupByName(records);
  const names = [...byName.values()].filter(isAboutKeys).map((entry) => checkName(entry, byName, blockList));
  const shown = faults.slice(0, MAX_FAULTS).map(({ message }) => makeFinding("ZONE-SYNTAX", { reason: message }));
  return { names, findings: [...shown, ...checkDomains(names)] };
}

interface NameEntry {
  readonly name: string;
  readonly line: number;
  readonly texts: string[];
  target: string | undefined;
}

function groupByName(records: readonly ZoneRecord[]): Map<string, NameEntry> {
  const byName = new Map<string, NameEntry>();
  for (const { name, line, type, strings, target } of records) {
    if (type !== "TXT" && type !== "CNAME") continue;
    const key = name.toLowerCase();
    const entry = byName.get(key) ?? { name, line, texts: [], target: undefined };
    if (strings !== undefined) entry.texts.push(strings.join(""));
    if (target !== undefined) entry.target = target;
    byName.set(key, entry);
  }
  return byName;
}

const KEY_TEXT = /^[ \t"]*v[ \t]*=[ \t]*DKIM1/i;

/** `_domainkey` itself, `_adsp` and `_report` have records of their own kind (RFC 4870, RFC 5617, RFC 6651). */
function isAboutKeys({ name, texts }: NameEntry): boolean {
  if (texts.some((text) => KEY_TEXT.test(text))) return true;
  return /\._domainkey(?:\.|$)/i.test(name) && !/^_(?:adsp|report)\./i.test(name);
}

function checkName(
  entry: NameEntry,
  byName: ReadonlyMap<string, NameEntry>,
  blockList: BlockList | undefined,
): ZoneNameReport {
  const { name, line, target } = entry;
  const findings = checkRecordName(name);
  const aliased = target === undefined ? undefined : byName.get(target.toLowerCase());
  const texts = entry.texts.length > 0 ? entry.texts : (aliased?.texts ?? []);
  if (target !== undefined) {
    if (entry.texts.length > 0) findings.push(makeFinding("DNS-CNAME-TXT", { part: quotePart(target) }));
    else if (texts.length === 0) findings.push(makeFinding("DNS-CNAME", { part: quotePart(target) }));
  }
  return {
    name,
    line,
    texts,
    target,
    findings,
    rrset: texts.length === 0 ? undefined : checkRrset(texts, { name, blockList }),
  };
}

function checkDomains(names: readonly ZoneNameReport[]): Finding[] {
  const types = new Map<string, Set<string>>();
  for (const { name, rrset, target } of names) {
    const domain = name.toLowerCase().split("._domainkey.")[1];
    if (domain === undefined || (rrset === undefined && target === undefined)) continue;
    const ofDomain = types.get(domain) ?? new Set();
    // What an alias leads to elsewhere is not known: no alarm then.
    ofDomain.add(
      rrset === undefined ? "unknown" : rrset.state === "usable" ? (rrset.publicKey?.type ?? "none") : "none",
    );
    types.set(domain, ofDomain);
  }
  return [...types]
    .filter(([, set]) => set.has("ed25519") && !set.has("rsa") && !set.has("unknown"))
    .map(([domain]) => makeFinding("ED25519-ONLY", { part: quotePart(domain) }));
}
