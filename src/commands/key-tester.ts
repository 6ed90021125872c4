import type { CheckPolicy } from "../checks/check-policy.ts";
import { checkPublishedKey, type PublishedKeyCheck, type PublishedKeyEvidence } from "../checks/published-key.ts";
import { DkimctlError } from "../errors.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { TestedKey, TestOutcome } from "../report/key-checks/key-check-format.ts";
import type { EvidenceGatherer } from "./key-evidence.ts";
import type { KeySource, LoadedKey, SourceEntry } from "./key-source.ts";
import type { MailPolicyLookup } from "./mail-policy-lookup.ts";
import type { Notices } from "./notices.ts";

export interface TestTools {
  readonly source: KeySource;
  readonly evidence: EvidenceGatherer;
  readonly policy: CheckPolicy;
  /** Notes on DMARC are wanted. */
  readonly mailPolicy: MailPolicyLookup | undefined;
  readonly deadline: Deadline | undefined;
  readonly notices: Notices;
  readonly now: () => Date;
}

export interface Deadline {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Without a name it is a file that is no key of any domain. */
export type TestResult = Omit<TestedKey, "index"> | { readonly name: undefined; readonly error: DkimctlError };

/** The test of one key, from its file to what came of it. */
export function createTest(tools: TestTools): (entry: SourceEntry) => Promise<TestResult> {
  return async ({ name, location, load }) => {
    if (name !== undefined && tools.deadline?.signal.aborted) {
      return { name, location, outcome: skipped(tools.deadline) };
    }
    const key = await load();
    if (name === undefined) return { name, error: asError(key) };
    if (key instanceof DkimctlError) return { name, location, outcome: unreadable(key) };
    for (const warning of key.warnings) tools.notices.warn(warning);
    return { name, location, outcome: await testKey(key, tools) };
  };
}

async function testKey(key: LoadedKey, { source, evidence, policy, mailPolicy, now }: TestTools): Promise<TestOutcome> {
  const found = await evidence.gather(key.name);
  const check = await checkPublishedKey(key, found, policy, now());
  const { otherKey } = check;
  const owner = otherKey && (await source.findOwner(otherKey));
  const notes = owner === undefined ? [] : [`the published key is that of ${keyRecordName(owner)}`];
  return {
    kind: "tested",
    ...check,
    notes: [...check.notes, ...notes],
    publicKey: key.publicKey,
    lookup: found.lookup,
    dnssec: found.dnssec,
    foundAt: await findElsewhere(key, check, found, { source, evidence, policy }),
    policyNotes: (await mailPolicy?.notes(key.name.domain)) ?? [],
  };
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

async function findElsewhere(
  key: LoadedKey,
  { verdict, code }: PublishedKeyCheck,
  found: PublishedKeyEvidence,
  { source, evidence, policy }: Pick<TestTools, "source" | "evidence" | "policy">,
) {
  if (verdict !== "fail" || policy.expect !== "pass" || !MISPLACED.includes(code)) return [];
  return evidence.findElsewhere(key, found, await source.selectorsOf(key.name.domain));
}

function asError(key: LoadedKey | DkimctlError): DkimctlError {
  if (key instanceof DkimctlError) return key;
  throw new Error("a key without a name was read");
}

function unreadable({ code, message, hint }: DkimctlError): TestOutcome {
  return { kind: "unreadable", verdict: "error", code, reason: hint === undefined ? message : `${message} (${hint})` };
}

function skipped({ seconds }: Deadline): TestOutcome {
  const reason = `not asked: the deadline of ${seconds} s was over`;
  return { kind: "skipped", verdict: "skipped", code: "not-asked", reason };
}
