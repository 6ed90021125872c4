import { DNS_FINDINGS } from "./catalogue/dns-findings.ts";
import type { FindingKind, Severity } from "./catalogue/finding-kind.ts";
import { KEY_DATA_FINDINGS } from "./catalogue/key-data-findings.ts";
import { KEY_STRENGTH_FINDINGS } from "./catalogue/key-strength-findings.ts";
import { PRIVATE_KEY_FINDINGS } from "./catalogue/private-key-findings.ts";
import { PUBLICATION_FINDINGS } from "./catalogue/publication-findings.ts";
import { RECORD_TAG_FINDINGS } from "./catalogue/record-tag-findings.ts";
import { STORE_FINDINGS } from "./catalogue/store-findings.ts";
import { TAG_LIST_FINDINGS } from "./catalogue/tag-list-findings.ts";

export type { FindingKind, Severity } from "./catalogue/finding-kind.ts";

/**
 * Every finding there is: the one place for its code, severity, sentence, explanation and fix. Reports, `--explain`,
 * the man page and the corrected record all read it. Codes are public: never rename, only add.
 */
export const FINDING_CATALOGUE = {
  ...TAG_LIST_FINDINGS,
  ...RECORD_TAG_FINDINGS,
  ...KEY_DATA_FINDINGS,
  ...KEY_STRENGTH_FINDINGS,
  ...PRIVATE_KEY_FINDINGS,
  ...DNS_FINDINGS,
  ...STORE_FINDINGS,
  ...PUBLICATION_FINDINGS,
};

export type FindingCode = keyof typeof FINDING_CATALOGUE;
export type FindingDetails<Code extends FindingCode> =
  (typeof FINDING_CATALOGUE)[Code] extends FindingKind<infer Details> ? Details : never;

/** One thing that is wrong, unwise or worth knowing about one record or key. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** One sentence: lower case, no full stop, text from outside quoted and escaped. */
  readonly message: string;
  /** The next step. */
  readonly fix: string;
  /** Where in the record's text, in UTF-16 units. */
  readonly position?: FindingPosition;
  /** The tag it is about. */
  readonly tag?: string;
  /** A key is burnt: act within minutes. */
  readonly critical?: boolean;
}

export interface FindingPosition {
  readonly offset: number;
  readonly length: number;
}

/** What a single case may say otherwise than the catalogue. */
export type FindingOverrides = Partial<Pick<Finding, "severity" | "fix" | "position" | "tag" | "critical">>;

/** A finding as the catalogue has it, with the details of this case. */
export function makeFinding<Code extends FindingCode>(
  code: Code,
  details: FindingDetails<Code>,
  overrides: FindingOverrides = {},
): Finding {
  // Each entry's details are checked by the signature; the union of all entries cannot be called without this.
  const { severity, message, fix } = FINDING_CATALOGUE[code] as unknown as FindingKind<FindingDetails<Code>>;
  return { code, severity, message: message(details), fix, ...overrides };
}

const SEVERITY_ORDER = ["ok", "info", "warning", "error"] as const;

/** The worst of the findings, `ok` when there is none. */
export function worstSeverity(findings: readonly { readonly severity: Severity }[]): Severity | "ok" {
  const worst = findings.reduce((rank, { severity }) => Math.max(rank, SEVERITY_ORDER.indexOf(severity)), 0);
  return SEVERITY_ORDER[worst] ?? "ok";
}

/** @returns undefined when there is no such code; case does not matter */
export function findFindingKind(code: string): (FindingKind<never> & { readonly code: FindingCode }) | undefined {
  const known = Object.keys(FINDING_CATALOGUE).find((key) => key === code.toUpperCase()) as FindingCode | undefined;
  return known && { code: known, ...FINDING_CATALOGUE[known] };
}
