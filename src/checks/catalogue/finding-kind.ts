export type Severity = "error" | "warning" | "info";

/**
 * What is told about one sort of finding.
 * - error: a conforming verifier must, or a tested verifier does, refuse the record
 * - warning: works somewhere, but breaks a SHOULD or is misread by some verifier
 * - info: advice
 */
export interface FindingKind<Details> {
  /** Where nothing about the case makes it better or worse. */
  readonly severity: Severity;
  /** The finding in general, for lists: lower case, no full stop. */
  readonly summary: string;
  /** This one case, in one sentence: lower case, no full stop. Every text from outside arrives quoted. */
  readonly message: (details: Details) => string;
  /** What it means, who refuses it, by which section of which RFC. */
  readonly explanation: string;
  /** The next step: lower case, no full stop. */
  readonly fix: string;
}

/** Most cases differ in one quoted part of the record. */
export interface PartDetails {
  /** Quoted and shortened. */
  readonly part: string;
}

/** Lets the compiler infer the details of each entry. */
export function kind<Details = Record<never, never>>(
  entry: Omit<FindingKind<Details>, "message"> & Partial<Pick<FindingKind<Details>, "message">>,
): FindingKind<Details> {
  return { ...entry, message: entry.message ?? (() => entry.summary) };
}
