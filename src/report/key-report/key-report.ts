import type { Finding, Severity } from "../../checks/catalogue.ts";
import type { RecordReport } from "../../checks/check-record.ts";
import type { PublicationTest } from "../../checks/published-key.ts";
import type { RecordToPublish } from "../../checks/record-to-publish.ts";
import type { RecordInput } from "../../dns/record-input.ts";
import type { PublicKey } from "../../keys/public-key.ts";

/** One thing that verify-key looked at, and everything it has to say about it. */
export interface KeyReport {
  /**
   * - alias: a CNAME whose target was not looked up
   * - zone: a zone file as a whole; its names have reports of their own
   * - nothing: neither a key nor a record
   */
  readonly kind: "private-key" | "public-key" | "record" | "alias" | "zone" | "nothing";
  /** Where it was read: a path, a record's name, `--record`, `standard input`. Escaped. */
  readonly source: string;
  /** What it is, as a noun: `RSA private key, 2048 bits, PKCS#8 in PEM`. */
  readonly description: string;
  /** What the text was taken for, when it was pasted text. */
  readonly input: Pick<RecordInput, "form" | "notes"> | undefined;
  /** The record's name as it was found, unescaped, without trailing dot. Absent when nobody said which it is. */
  readonly name: string | undefined;
  /** The CNAMEs that led to the record, each the name that the one before points to; unescaped. */
  readonly aliases: readonly string[];
  readonly state: RecordReport["state"];
  readonly severity: Severity | "ok";
  readonly findings: readonly ReportFinding[];
  readonly publicKey: PublicKey | undefined;
  /** The records looked at, each joined; latin1 or characters, unescaped. */
  readonly records: readonly string[];
  /** The record as it should be published, when that is known and is not what is there. */
  readonly publish: RecordToPublish | undefined;
  /** What the DNS said of a selector, when it was asked thoroughly. */
  readonly publication?: PublicationTest | undefined;
}

/** A finding, and which of several records it is about, from 0; absent when it is about all, or about none. */
export type ReportFinding = Finding & { readonly record?: number };

/** The worst first; what is equally bad stays in order. */
export function bySeverity(findings: readonly ReportFinding[]): ReportFinding[] {
  const order = { error: 0, warning: 1, info: 2 };
  return findings.toSorted((a, b) => order[a.severity] - order[b.severity]);
}

/**
 * The records as they may be shown: when one publishes a private key, no report spreads it further.
 * Redacted text has other offsets: positions are of no use then.
 */
export function shownRecords({ records, findings }: Pick<KeyReport, "records" | "findings">): {
  readonly texts: readonly string[];
  readonly isRedacted: boolean;
} {
  const isRedacted = findings.some(({ critical }) => critical);
  return { texts: isRedacted ? records.map(redact) : records, isRedacted };
}

/** The tags before p=, as far as they are too short to be a key themselves. */
function redact(text: string): string {
  const before = /^[\s\S]{0,60}?\bp[ \t]*=/.exec(text)?.[0] ?? "";
  return `${/[A-Za-z0-9+/_-]{16}/.test(before) ? "" : before}...`;
}
