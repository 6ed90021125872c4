import {
  checkPublicKeyStrength,
  hasCompositeModulus,
  type KeyStrengthOptions,
  type KeyWeakness,
} from "../keys/key-strength.ts";
import { type PublicKey, publicKeyFingerprint, type RsaPublicKey } from "../keys/public-key.ts";
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
  { name, isSigning = false, arithmetic, isComposite, factors, hasSigned, blockList, ...where }: KeyPlace,
  findings: FindingList,
): void {
  const list = blockList?.find(key);
  if (list !== undefined) findings.add("KEY-BLOCKLISTED", { list }, where);
  for (const { code, severity, detail } of weaknessesOf(key, { arithmetic, isComposite, factors, hasSigned })) {
    const judged = code === "KNOWN-KEY" ? knownKeySeverity(name, isSigning) : severity;
    if (judged !== undefined) findings.add(code, { detail }, { ...where, severity: judged });
  }
}

/** Providers have thousands of domains point at one key, and a report looks at a key more than once. */
const MAX_REMEMBERED = 4096;
const remembered = new Map<string, Remembered>();

/** Deterministic, so what was found once holds. */
interface Remembered {
  isComposite?: Promise<boolean>;
  /** What is found when the modulus is a product. */
  ofComposite?: readonly KeyWeakness[];
  all?: readonly KeyWeakness[];
}

function weaknessesOf(key: PublicKey, options: KeyStrengthOptions): readonly KeyWeakness[] {
  // Of a key that signs, whatever is left costs little more than to remember it.
  if (key.type !== "rsa" || options.arithmetic === false || options.hasSigned)
    return checkPublicKeyStrength(key, options);
  const known = whatIsKnown(key);
  if (options.isComposite || options.factors !== undefined) {
    known.ofComposite ??= checkPublicKeyStrength(key, options);
    return known.ofComposite;
  }
  known.all ??= checkPublicKeyStrength(key);
  return known.all;
}

/** Whether the modulus is a product: asked in the thread pool, once for each key. */
export function isComposite(key: RsaPublicKey): Promise<boolean> {
  const known = whatIsKnown(key);
  known.isComposite ??= hasCompositeModulus(key);
  return known.isComposite;
}

function whatIsKnown(key: RsaPublicKey): Remembered {
  const fingerprint = publicKeyFingerprint(key);
  const known = remembered.get(fingerprint);
  if (known !== undefined) return known;
  const [oldest] = remembered.keys();
  if (oldest !== undefined && remembered.size >= MAX_REMEMBERED) remembered.delete(oldest);
  const nothing: Remembered = {};
  remembered.set(fingerprint, nothing);
  return nothing;
}

/** RFC 2606 §2 and §3, RFC 6761: names at which nobody sends mail. */
const RESERVED_NAME = /(?:^|\.)(?:test|example|invalid|localhost|example\.(?:com|net|org))$/i;

/** An error where mail is signed with it, nothing in a document's own example, and a note where nobody can tell. */
function knownKeySeverity(name: string | undefined, isSigning: boolean): Severity | undefined {
  if (name === undefined) return isSigning ? "error" : "info";
  return RESERVED_NAME.test(name.replace(/\.$/, "")) ? undefined : "error";
}
