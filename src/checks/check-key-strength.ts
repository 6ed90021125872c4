import { checkPublicKeyStrength } from "../keys/key-strength.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { FindingOverrides, Severity } from "./catalogue.ts";
import type { FindingList } from "./finding-list.ts";

export interface KeyPlace extends Pick<FindingOverrides, "position" | "tag"> {
  /** The record's name, when it is known. */
  readonly name?: string | undefined;
}

/** RFC 8301 §3.2, RFC 8032 §5.1.3 and the known ways to break a key, as findings. */
export function checkKeyStrength(key: PublicKey, { name, ...where }: KeyPlace, findings: FindingList): void {
  for (const { code, severity, detail } of checkPublicKeyStrength(key)) {
    const judged = code === "KNOWN-KEY" ? knownKeySeverity(name) : severity;
    if (judged !== undefined) findings.add(code, { detail }, { ...where, severity: judged });
  }
}

/** RFC 2606 §2 and §3, RFC 6761: names at which nobody sends mail. */
const RESERVED_NAME = /(?:^|\.)(?:test|example|invalid|localhost|example\.(?:com|net|org))$/i;

/** An error where mail is signed with it, nothing in a document's own example, and a note where nobody can tell. */
function knownKeySeverity(name: string | undefined): Severity | undefined {
  if (name === undefined) return "info";
  return RESERVED_NAME.test(name.replace(/\.$/, "")) ? undefined : "error";
}
