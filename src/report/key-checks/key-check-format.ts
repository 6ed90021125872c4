import type { Finding } from "../../checks/catalogue.ts";
import type { PublicationTest } from "../../checks/published-key.ts";
import { quoteTxtStrings } from "../../dns/txt-strings.ts";
import { type KeyName, keyRecordName } from "../../keys/key-name.ts";
import type { PublicKey } from "../../keys/public-key.ts";

/** One key of a testkeys run, and what came of it. */
export interface TestedKey {
  /** The N of `TESTING#N`, from 1. */
  readonly index: number;
  readonly name: KeyName;
  readonly location: string;
  readonly outcome: TestOutcome;
}

export type TestOutcome =
  | (PublicationTest & {
      readonly kind: "tested";
      readonly publicKey: PublicKey;
      /** About the domain's mail policy, when asked for. Escaped. */
      readonly policyNotes: readonly string[];
    })
  /** The private key could not be read, so nothing was asked. */
  | { readonly kind: "unreadable"; readonly verdict: "error"; readonly code: string; readonly reason: string }
  /** The deadline came first. */
  | { readonly kind: "skipped"; readonly verdict: "skipped"; readonly code: "not-asked"; readonly reason: string };

export type Verdict = TestOutcome["verdict"];

export const VERDICTS = [
  "pass",
  "fail",
  "revoked",
  "temporary",
  "error",
  "skipped",
] as const satisfies readonly Verdict[];

/** How many keys came to which verdict. */
export type Tally = Readonly<Record<Verdict, number>>;

export interface RunSummary {
  readonly tally: Tally;
  /** Keys that pass, with a warning. */
  readonly warned: number;
  /** Files of the store that are no key of any domain. */
  readonly unnamed: number;
}

/** One way to print the checks of a run as they come in; each part ends with a newline or is empty. */
export interface KeyCheckFormat {
  begin?(): string;
  check(tested: TestedKey): string;
  end?(summary: RunSummary): string;
}

/** `3 keys: 2 pass, 1 fail`. */
export function describeTally(tally: Tally): string {
  const total = totalOf(tally);
  const parts = VERDICTS.filter((verdict) => tally[verdict] > 0).map((verdict) => `${tally[verdict]} ${verdict}`);
  return `${total} ${total === 1 ? "key" : "keys"}: ${parts.join(", ")}`;
}

/** How many keys were counted. */
export function totalOf(tally: Tally): number {
  return VERDICTS.reduce((sum, verdict) => sum + tally[verdict], 0);
}

/** `fail: no record (NXDOMAIN)`, or the verdict alone. */
export function describeResult({ verdict, reason }: TestOutcome): string {
  return reason === "" ? verdict : `${verdict}: ${reason}`;
}

/** The findings that are worth a person's time beside the result itself, which tells the first of them for some codes. */
function furtherFindings(outcome: TestOutcome): Finding[] {
  if (outcome.kind !== "tested") return [];
  const told = outcome.code === "bad-record" ? "error" : outcome.code === "warning" ? "warning" : undefined;
  const first = outcome.findings.findIndex(({ severity }) => severity === told);
  return outcome.findings.filter(
    ({ severity, code }, index) =>
      severity !== "info" && code !== "KEY-MISMATCH" && code !== "DNS-CNAME-PASTED" && index !== first,
  );
}

/** Whose key it is instead, where ours was found, what each server says: lines for a person, escaped. */
export function describeDetails(outcome: TestOutcome): string[] {
  if (outcome.kind !== "tested") return [];
  return [
    ...outcome.notes,
    ...outcome.foundAt.map(({ name, mistake }) => `this very key is published at ${name}: ${mistake}`),
    ...furtherFindings(outcome).map(({ severity, code, message }) => `${severity}: ${message} (${code})`),
    ...outcome.policyNotes,
  ];
}

/** Whether a key that passes has something that a person should look at. */
export function isWarned(outcome: TestOutcome): boolean {
  return (
    outcome.kind === "tested" &&
    outcome.verdict === "pass" &&
    outcome.findings.some(({ severity }) => severity === "warning")
  );
}

/** The record to publish as one line of zone text, for a key that fails for what is published. */
export function recordToPublish({ name, outcome }: TestedKey, ttlSeconds: number): string | undefined {
  if (outcome.kind !== "tested" || outcome.verdict !== "fail") return undefined;
  if (outcome.expected === undefined || outcome.code.startsWith("dnssec-") || outcome.code === "not-signed")
    return undefined;
  const data = quoteTxtStrings(outcome.expected, " ");
  return `${keyRecordName(name)}. ${ttlSeconds} IN TXT ${data}`;
}
