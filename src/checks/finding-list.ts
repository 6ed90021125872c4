import { quoteName } from "../keys/domain-name.ts";
import {
  type Finding,
  type FindingCode,
  type FindingDetails,
  type FindingOverrides,
  makeFinding,
} from "./catalogue.ts";

/** More of one sort say nothing new, and hostile text could hold a hundred thousand. */
const MAX_FINDINGS_PER_CODE = 10;

/** Findings in the order they are made; those of one code are counted past a limit. */
export class FindingList {
  readonly #findings: Finding[] = [];
  readonly #counts = new Map<FindingCode, number>();

  add<Code extends FindingCode>(code: Code, details: FindingDetails<Code>, overrides: FindingOverrides = {}): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= MAX_FINDINGS_PER_CODE) this.#findings.push(makeFinding(code, details, overrides));
  }

  has(code: FindingCode): boolean {
    return this.#counts.has(code);
  }

  toArray(): Finding[] {
    return this.#findings.map((finding, index) => {
      const hidden = (this.#counts.get(finding.code) ?? 0) - MAX_FINDINGS_PER_CODE;
      const isLast = !this.#findings.some((other, later) => later > index && other.code === finding.code);
      return hidden > 0 && isLast ? { ...finding, message: `${finding.message} (and ${hidden} more)` } : finding;
    });
  }
}

/** A part of a record for a message: quoted, escaped, short, and never so much of a key that it would be one. */
export function quotePart(text: string): string {
  return quoteName(text.replace(/([A-Za-z0-9+/_-]{8})[A-Za-z0-9+/_-]{16,}={0,2}/g, "$1..."));
}

/** The first of some and the number of the others: `a and of 2 more`, to stand behind `of`. */
export function firstAndMore<Member>([first, ...more]: readonly Member[], nameOf: (member: Member) => string): string {
  return `${first === undefined ? "" : nameOf(first)}${more.length > 0 ? ` and of ${more.length} more` : ""}`;
}
