import type { CheckPolicy } from "../checks/check-policy.ts";
import {
  checkPublishedKey,
  type PublicationTest,
  type PublishedKeyCheck,
  type PublishedKeyEvidence,
} from "../checks/published-key.ts";
import type { NameToJudge } from "../checks/published-record.ts";
import type { TxtLookup } from "../dns/resolver.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { EvidenceGatherer } from "./key-evidence.ts";
import type { KeySource } from "./key-source.ts";

export interface PublicationTools {
  /** Where the other keys are that the published one may be. */
  readonly source: Pick<KeySource, "findOwner" | "selectorsOf">;
  readonly evidence: EvidenceGatherer;
  readonly policy: CheckPolicy;
  readonly now: () => Date;
}

/** Asks the DNS about one name and judges the answers; when they are wrong, also where the right one went. */
export async function testPublication(
  key: NameToJudge,
  { source, evidence, policy, now }: PublicationTools,
): Promise<PublicationTest> {
  const found = await evidence.gather(key.name);
  const check = await checkPublishedKey(key, found, policy, now());
  const { otherKey } = check;
  const owner = otherKey && (await source.findOwner(otherKey));
  const notes = owner === undefined ? [] : [`the published key is that of ${keyRecordName(owner)}`];
  const foundAt = isMisplaced(check, policy)
    ? await evidence.findElsewhere(key, found, await source.selectorsOf(key.name.domain))
    : [];
  return {
    ...{ ...check, notes: [...check.notes, ...notes], lookup: found.lookup, dnssec: found.dnssec },
    ...{ aliases: aliasesOf(found, check.answer ?? found.lookup), foundAt },
  };
}

/** Through zones whose servers were asked one after the other, then within the last answer. */
function aliasesOf({ survey }: PublishedKeyEvidence, answer: TxtLookup | undefined): string[] {
  const zones = survey?.steps.slice(1).map(({ name }) => name) ?? [];
  return [...new Set([...zones, ...(answer?.cnames ?? []).map(({ to }) => to)])];
}

/** Failures that a record at a wrong name explains. */
const MISPLACED: readonly PublishedKeyCheck["code"][] = [
  "no-name",
  "no-data",
  "cname-to-nothing",
  "cname-pasted",
  "other-key",
  "bad-record",
];

function isMisplaced({ verdict, code }: PublishedKeyCheck, { expect }: CheckPolicy): boolean {
  return verdict === "fail" && expect === "pass" && MISPLACED.includes(code);
}
