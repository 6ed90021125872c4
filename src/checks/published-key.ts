import type { ZoneSurvey } from "../dns/authoritative.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { type DnssecState, pastedCnameTarget, type WildcardAnswer, type WrongName } from "../dns/key-lookup.ts";
import { formatKeyRecord, keyRecordFor } from "../dns/key-record.ts";
import { failureReason, isTemporary, type TxtLookup } from "../dns/resolver.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { type AuthoritativeCheck, checkAuthoritative } from "./authoritative-check.ts";
import { type Finding, makeFinding } from "./catalogue.ts";
import { type CheckPolicy, countedFindings, firstOfSeverity } from "./check-policy.ts";
import { describeAbsence, withinReach } from "./publication-reach.ts";
import { judgePublishedRecord, type NameToJudge } from "./published-record.ts";
import { findSurroundings } from "./surrounding-findings.ts";

/** Whether the world can verify what a key signs. */
export interface PublishedKeyCheck {
  readonly verdict: PublishedVerdict;
  /** What in particular: stable, for scripts. */
  readonly code: PublishedKeyCode;
  /** One line, escaped; empty for pass. */
  readonly reason: string;
  /** About the published record, or records. */
  readonly findings: readonly Finding[];
  /** The TXT records found, each joined; latin1, unescaped. */
  readonly published: readonly string[];
  /** What should be published, when that is known. */
  readonly expected: string | undefined;
  /** One line more: each of several records, what resolvers still see. Escaped. */
  readonly notes: readonly string[];
  /** The key that is published, when it is another one. */
  readonly otherKey?: PublicKey | undefined;
  /** Of a message that the key signed; absent when none was, or the record was bad already. */
  readonly probe?: "pass" | "fail";
  /** What each authoritative server says, when they were asked. */
  readonly authoritative?: AuthoritativeCheck | undefined;
  /** The answer that was judged: of the servers when they agree, else of the resolvers. */
  readonly answer: TxtLookup | undefined;
}

/** The check of one name together with what was seen on the way. */
export interface PublicationTest extends PublishedKeyCheck {
  /** What the resolvers answered; `undefined` when they were not asked. */
  readonly lookup: TxtLookup | undefined;
  readonly dnssec: DnssecState | undefined;
  /** The CNAMEs that led to the record, each the name that the one before points to; unescaped. */
  readonly aliases: readonly string[];
  /** Wrong names at which the key stands. */
  readonly foundAt: readonly WrongName[];
}

/**
 * - pass: a probe that the key signed verifies with the published record, which holds this very key
 * - revoked: the record says that the key is no longer in use (an empty p=)
 * - temporary: the DNS did not answer the question; later it may
 * - fail: everything else
 */
export type PublishedVerdict = "pass" | "revoked" | "temporary" | "fail";

/** The manual page has a paragraph for each. */
export const PUBLISHED_KEY_CODES = [
  "pass",
  "revoked",
  "not-revoked",
  "no-name",
  "no-data",
  "cname-to-nothing",
  "cname-pasted",
  "several-records",
  "other-key",
  "bad-record",
  "warning",
  "not-verified",
  "not-signed",
  "servers-disagree",
  "dnssec-bogus",
  "dnssec-insecure",
  "dnssec-untrusted",
  "not-yet",
  "server-silent",
  "zone-unknown",
  "temporary-dns",
] as const;
export type PublishedKeyCode = (typeof PUBLISHED_KEY_CODES)[number];

/** What was asked of the DNS about one key. */
export interface PublishedKeyEvidence {
  /** By the resolvers; `undefined` when only the authoritative servers were asked. */
  readonly lookup: TxtLookup | undefined;
  readonly dnssec?: DnssecState | undefined;
  readonly survey?: ZoneSurvey | undefined;
  readonly wildcard?: WildcardAnswer | undefined;
}

type Judged = Pick<PublishedKeyCheck, "verdict" | "code" | "reason" | "otherKey" | "probe"> & {
  readonly notes?: readonly string[];
  readonly findings?: readonly Finding[];
};

/**
 * Proves one key against what the DNS holds: by a probe message where the private key is at hand, else by comparing the
 * published key with the expected one, octet for octet; where no key is known, judges the record by itself. With a survey, what all authoritative servers agree on is judged.
 */
export async function checkPublishedKey(
  key: NameToJudge,
  evidence: PublishedKeyEvidence,
  policy: CheckPolicy,
  now: Date,
): Promise<PublishedKeyCheck> {
  const authoritative = evidence.survey && checkAuthoritative(evidence.survey, key.publicKey);
  const lookup = answerToJudge(authoritative, evidence.lookup);
  const published = lookup?.status === "found" ? lookup.records.map(({ strings }) => strings.join("")) : [];
  const judged = await judge(key, { ...evidence, authoritative, judgedLookup: lookup, published }, policy, now);
  return {
    ...{ notes: [], findings: [], ...judged, published, expected: expectedRecord(key, policy) },
    ...{ authoritative, answer: lookup },
  };
}

function expectedRecord({ publicKey, tags }: NameToJudge, { expect }: CheckPolicy): string | undefined {
  if (publicKey === undefined) return undefined;
  const record = keyRecordFor(publicKey, tags);
  return formatKeyRecord(expect === "revoked" ? { keyType: record.keyType, publicKey: undefined } : record);
}

function answerToJudge(check: AuthoritativeCheck | undefined, resolved: TxtLookup | undefined): TxtLookup | undefined {
  return check?.state === "agree" || check?.state === "silent"
    ? check.lookup
    : check === undefined
      ? resolved
      : undefined;
}

interface Gathered extends PublishedKeyEvidence {
  readonly authoritative: AuthoritativeCheck | undefined;
  readonly judgedLookup: TxtLookup | undefined;
  readonly published: readonly string[];
}

async function judge(key: NameToJudge, gathered: Gathered, policy: CheckPolicy, now: Date): Promise<Judged> {
  const { authoritative, judgedLookup, dnssec } = gathered;
  if (authoritative?.state === "disagree") {
    return { verdict: "fail", code: "servers-disagree", reason: authoritative.reason };
  }
  if (dnssec === "bogus" && gathered.lookup !== undefined) {
    const reason = `DNSSEC validation fails: ${failureReason(gathered.lookup)}; unvalidated, the name does resolve`;
    return { verdict: "fail", code: "dnssec-bogus", reason };
  }
  if (authoritative?.state === "unknown") {
    return { verdict: "temporary", code: "zone-unknown", reason: authoritative.reason };
  }
  if (judgedLookup === undefined || isTemporary(judgedLookup)) {
    const reason = judgedLookup === undefined ? "nothing was asked" : failureReason(judgedLookup);
    return { verdict: "temporary", code: "temporary-dns", reason };
  }
  if (judgedLookup.status !== "found") {
    return { verdict: "fail", ...describeAbsence(judgedLookup, authoritative) };
  }
  const judged = await judgeRecords(key, gathered, judgedLookup, policy, now);
  return judged.verdict === "pass" ? { ...judged, ...withinReach(gathered, policy) } : judged;
}

/** The published records by themselves, then by what the policy makes of them. */
async function judgeRecords(
  key: NameToJudge,
  gathered: Gathered,
  lookup: TxtLookup,
  policy: CheckPolicy,
  now: Date,
): Promise<Judged> {
  const around = findSurroundings(key, gathered);
  const pasted = policy.ignore.has("DNS-CNAME-PASTED") ? undefined : pastedCnameTarget(lookup);
  if (pasted !== undefined) {
    const reason = `the TXT record holds only a host name, ${escapeDnsText(pasted)}: it is the target of a CNAME record`;
    const findings = countedFindings([makeFinding("DNS-CNAME-PASTED", { reason }), ...around], policy);
    return { verdict: "fail", code: "cname-pasted", reason, findings };
  }
  const judged = await judgePublishedRecord(key, gathered.published, lookup, policy, now);
  const findings = [...judged.findings, ...countedFindings(around, policy)];
  if (policy.expect === "revoked") return { ...judged, ...expectRevoked(judged), findings };
  const warning = policy.failOn === "warning" ? firstOfSeverity(findings, "warning") : undefined;
  if (judged.verdict === "pass" && warning !== undefined) {
    return { ...judged, verdict: "fail", code: "warning", reason: warning, findings };
  }
  return { ...judged, findings };
}

function expectRevoked({ verdict, code, reason }: Judged): Judged {
  if (verdict === "revoked") return { verdict: "pass", code: "revoked", reason: "" };
  if (verdict === "pass") return { verdict: "fail", code: "not-revoked", reason: "the key is still published" };
  return { verdict: "fail", code, reason: `not revoked: ${reason}` };
}
