import type { WildcardAnswer } from "../dns/key-lookup.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { AuthoritativeCheck } from "./authoritative-check.ts";
import { type Finding, makeFinding } from "./catalogue.ts";
import { differingTags } from "./differing-tags.ts";
import type { NameToJudge } from "./published-record.ts";

export interface Surroundings {
  /** The records at the name, each joined. */
  readonly published: readonly string[];
  readonly wildcard?: WildcardAnswer | undefined;
  readonly authoritative: AuthoritativeCheck | undefined;
}

/** What is worth a warning though the published key may be the right one. */
export function findSurroundings(key: NameToJudge, { published, wildcard, authoritative }: Surroundings): Finding[] {
  const findings: Finding[] = [];
  if (wildcard === "wildcard") {
    const reason = `a wildcard answers: any selector beside ${keyRecordName(key.name)} has the same record`;
    findings.push(makeFinding("DNS-WILDCARD", { reason }));
  }
  if (authoritative?.serialsDiffer) {
    const serials = authoritative.servers.flatMap(({ serial }) => (serial === null ? [] : [serial]));
    const reason = `the SOA serials of the zone's servers differ: ${[...new Set(serials)].sort((a, b) => a - b).join(", ")}`;
    findings.push(makeFinding("DNS-SERIALS-DIFFER", { reason }));
  }
  const { tags } = key;
  const differing = published.length === 1 && tags !== undefined ? differingTags(published[0] ?? "", { tags }) : [];
  if (differing.length > 0) {
    const reason = `the published record has other tags than the expected one: ${differing.join(", ")}`;
    findings.push(makeFinding("DNS-TAGS-DIFFER", { reason }));
  }
  return findings;
}
