import type { Finding, FindingCode } from "./catalogue.ts";

/** What somebody who gates on a check wants it to mean. */
export interface CheckPolicy {
  /** The least severity that fails a key. */
  readonly failOn: "error" | "warning";
  /** As if they had not been found. */
  readonly ignore: ReadonlySet<FindingCode>;
  /** `revoked`: an empty p= is what should be there, and a key that still works is the failure. */
  readonly expect: "pass" | "revoked";
  /** An answer that no validating resolver vouches for is a failure. */
  readonly requireDnssec: boolean;
}

export const DEFAULT_POLICY: CheckPolicy = {
  failOn: "error",
  ignore: new Set(),
  expect: "pass",
  requireDnssec: false,
};

/** The findings that count, in their order. */
export function countedFindings(findings: readonly Finding[], { ignore }: CheckPolicy): Finding[] {
  return findings.filter(({ code }) => !ignore.has(code));
}

/** The first of the worst, and how many more there are of its severity: one line for a result. */
export function firstOfSeverity(findings: readonly Finding[], severity: Finding["severity"]): string | undefined {
  const [first, ...others] = findings.filter((finding) => finding.severity === severity);
  if (first === undefined) return undefined;
  return `${first.message} (${first.code}${others.length === 0 ? "" : `, and ${others.length} more`})`;
}
