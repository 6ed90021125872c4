import { checkPublicKeyStrength, type KeyStrengthOptions, type KeyWeakness } from "../keys/key-strength.ts";
import { type PublicKey, publicKeyFingerprint } from "../keys/public-key.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";
import type { FindingOverrides, Severity } from "./catalogue.ts";
import type { FindingList } from "./finding-list.ts";

export interface KeyPlace extends Pick<FindingOverrides, "position" | "tag">, KeyStrengthOptions {
  /** The record's name, when it is known. */
  readonly name?: string | undefined;
  /** The private key is at hand, to sign with: nobody would do that in a document's example. */
  readonly isSigning?: boolean;
  /** Further keys whose private half is known. */
  readonly blockList?: BlockList | undefined;
}

/** RFC 8301 §3.2, RFC 8032 §5.1.3 and the known ways to break a key, as findings. */
export function checkKeyStrength(
  key: PublicKey,
  { name, isSigning = false, arithmetic = true, blockList, ...where }: KeyPlace,
  findings: FindingList,
): void {
  const list = blockList?.find(key);
  if (list !== undefined) findings.add("KEY-BLOCKLISTED", { list }, where);
  for (const { code, severity, detail } of weaknessesOf(key, arithmetic)) {
    const judged = code === "KNOWN-KEY" ? knownKeySeverity(name, isSigning) : severity;
    if (judged !== undefined) findings.add(code, { detail }, { ...where, severity: judged });
  }
}

/** Providers have thousands of domains point at one key, and a report looks at a key more than once. */
const MAX_REMEMBERED = 4096;
const remembered = new Map<string, readonly KeyWeakness[]>();

/** Deterministic, so what was found once holds: a millisecond or two saved for each key that is seen again. */
function weaknessesOf(key: PublicKey, arithmetic: boolean): readonly KeyWeakness[] {
  if (key.type !== "rsa" || !arithmetic) return checkPublicKeyStrength(key, { arithmetic });
  const fingerprint = publicKeyFingerprint(key);
  const known = remembered.get(fingerprint);
  if (known !== undefined) return known;
  const found = checkPublicKeyStrength(key);
  const [oldest] = remembered.keys();
  if (oldest !== undefined && remembered.size >= MAX_REMEMBERED) remembered.delete(oldest);
  remembered.set(fingerprint, found);
  return found;
}

/** RFC 2606 §2 and §3, RFC 6761: names at which nobody sends mail. */
const RESERVED_NAME = /(?:^|\.)(?:test|example|invalid|localhost|example\.(?:com|net|org))$/i;

/** An error where mail is signed with it, nothing in a document's own example, and a note where nobody can tell. */
function knownKeySeverity(name: string | undefined, isSigning: boolean): Severity | undefined {
  if (name === undefined) return isSigning ? "error" : "info";
  return RESERVED_NAME.test(name.replace(/\.$/, "")) ? undefined : "error";
}
