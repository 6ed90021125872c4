import { worstSeverity } from "../../checks/catalogue.ts";
import type { RecordReport } from "../../checks/check-record.ts";
import { checkRecordName } from "../../checks/check-record-name.ts";
import { checkRrset } from "../../checks/check-rrset.ts";
import type { ZoneNameReport, ZoneReport } from "../../checks/check-zone.ts";
import { type RecordsAsFound, recordToPublish } from "../../checks/record-to-publish.ts";
import type { BlockList } from "../../keys/weak-keys/block-list.ts";
import { describePublicKey } from "./describe-key.ts";
import type { KeyReport, ReportFinding } from "./key-report.ts";

export interface FoundRecords extends RecordsAsFound {
  /** Escaped. */
  readonly source: string;
  readonly input?: KeyReport["input"];
  readonly aliases?: readonly string[];
  /** What else is known about the name. */
  readonly findings?: readonly ReportFinding[];
}

/** All that is to be said about the TXT records of one name. */
export function makeRecordReport(found: FoundRecords): KeyReport {
  const { source, texts, name, privateKey, blockList, input, aliases = [] } = found;
  const isFullName = name !== undefined && !isRelativeName(name);
  const report = checkRrset(texts, { name, privateKey, blockList });
  const own = report.records.flatMap(({ findings }, record) => findings.map((finding) => ({ ...finding, record })));
  const findings: ReportFinding[] = [
    ...(isFullName ? checkRecordName(name) : []),
    ...(found.findings ?? []),
    ...report.findings,
    ...(texts.length > 1 ? own : []),
  ];
  return {
    ...{ kind: "record", source, input, name, aliases, findings, publicKey: report.publicKey, records: texts },
    state: report.state,
    severity: worstSeverity(texts.length > 1 ? findings.filter(({ record }) => record === undefined) : findings),
    description: describeRecords(report, texts.length),
    publish: recordToPublish(found),
  };
}

/** `s1._domainkey`, or a host of one label: the zone that it belongs to was not told. */
function isRelativeName(name: string): boolean {
  return /(?:^|\.)_domainkey$/i.test(name) || /\._domainkey\.[^.]+$/i.test(name) || !name.includes(".");
}

/** A CNAME alone: nothing but its name can be judged. */
export function makeAliasReport(
  found: Pick<FoundRecords, "source" | "name" | "input" | "findings"> & { readonly target: string },
): KeyReport {
  const { source, name, input, target, findings = [] } = found;
  return {
    ...{ kind: "alias", source, input, name, findings, aliases: [target], description: "an alias (CNAME)" },
    ...{ state: "undefined", severity: worstSeverity(findings), publicKey: undefined, records: [], publish: undefined },
  };
}

/** A zone as a whole, and then each of its names of keys. @param source escaped */
export function makeZoneReports({ names, findings }: ZoneReport, source: string, blockList?: BlockList): KeyReport[] {
  const severity = worstSeverity(findings);
  const count = `${names.length} ${names.length === 1 ? "name" : "names"} of DKIM keys`;
  return [
    {
      ...{ kind: "zone", source, input: undefined, name: undefined, aliases: [], findings, severity },
      ...{ description: `zone text with ${count}`, state: severity === "error" ? "unusable" : "usable" },
      ...{ publicKey: undefined, records: [], publish: undefined },
    },
    ...names.map((entry) => makeZoneNameReport(entry, `${source}:${entry.line}`, blockList)),
  ];
}

function makeZoneNameReport(
  { name, texts, target, findings, rrset }: ZoneNameReport,
  source: string,
  blockList: BlockList | undefined,
): KeyReport {
  if (rrset === undefined) return makeAliasReport({ source, name, findings, target: target ?? "" });
  const aliases = target === undefined ? [] : [target];
  const own = findings.filter(({ code }) => code.startsWith("DNS-CNAME"));
  return makeRecordReport({ source, name, texts, aliases, findings: own, blockList });
}

function describeRecords({ publicKey, state }: RecordReport, count: number): string {
  if (count > 1) return `${count} TXT records`;
  if (publicKey !== undefined) return `key record, ${describePublicKey(publicKey)}`;
  return state === "revoked" ? "key record of a revoked key" : "not a usable key record";
}
