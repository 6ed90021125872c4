import type { Finding, Severity } from "../../checks/catalogue.ts";
import type { RecordReport } from "../../checks/check-record.ts";
import type { KeyName } from "../../keys/key-name.ts";
import type { PublicKey } from "../../keys/public-key.ts";

/** One thing that verify-key looked at, and everything it has to say about it. */
export interface KeyReport {
  readonly kind: "private-key" | "public-key" | "record" | "nothing";
  /** Where it was read: a path, a record's name, `--record`, `standard input`. Escaped. */
  readonly source: string;
  /** What it is, as a noun: `RSA private key, 2048 bits, PKCS#8 in PEM`. */
  readonly description: string;
  /** Absent when nobody said which key it is. */
  readonly name: KeyName | undefined;
  readonly state: RecordReport["state"];
  readonly severity: Severity | "ok";
  readonly findings: readonly Finding[];
  readonly publicKey: PublicKey | undefined;
  /** The records looked at, each joined; latin1, unescaped. */
  readonly records: readonly string[];
  /** The record as it should be published, when that is known and is not what is there. */
  readonly publish: string | undefined;
}

/** The worst first; what is equally bad stays in order. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  const order = { error: 0, warning: 1, info: 2 };
  return findings.toSorted((a, b) => order[a.severity] - order[b.severity]);
}
