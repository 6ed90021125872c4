import { scanTagList, trimFws } from "../dns/tag-list.ts";
import type { PrivateKey, RsaPrivateKey } from "../keys/private-key.ts";
import { type PublicKey, samePublicKey } from "../keys/public-key.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";
import { type Finding, type Severity, worstSeverity } from "./catalogue.ts";
import { checkKeyData } from "./check-key-data.ts";
import { checkKeyPair } from "./check-key-pair.ts";
import { checkKeyStrength } from "./check-key-strength.ts";
import { checkRecordTags, place } from "./check-record-tags.ts";
import { checkTagList } from "./check-tag-list.ts";
import { FindingList } from "./finding-list.ts";
import { findPublishedSecret } from "./published-secret.ts";

/**
 * Whether a strict verifier can use a key record, and everything that is worth saying about it.
 * @see RFC 6376 §3.6.1 and §6.1.2, RFC 8301 §3, RFC 8463 §4
 */
export interface RecordReport {
  /**
   * - usable: a conforming verifier verifies with it
   * - revoked: nothing is wrong, and p= is empty
   * - unusable: at least one error
   * - undefined: several records stand at one name (`checkRrset`)
   */
  readonly state: "usable" | "revoked" | "unusable" | "undefined";
  /** The worst of the findings. */
  readonly severity: Severity | "ok";
  readonly findings: readonly Finding[];
  /** Absent when p= holds no key of the type that k= names. It may still be a weak or wrong one: see the findings. */
  readonly publicKey?: PublicKey;
  /** Length of an RSA modulus. */
  readonly bits?: number;
}

export interface CheckRecordOptions {
  /**
   * Where the record stands or shall stand, such as `s1._domainkey.example.com`: a key whose private half is public
   * is an error there, unless the name is one of documents and tests (RFC 2606).
   */
  readonly name?: string | undefined;
  /** The signer's key: the record must hold its public half. */
  readonly privateKey?: PrivateKey | undefined;
  /** Default true; see `KeyStrengthOptions`. */
  readonly arithmetic?: boolean | undefined;
  /** Default false; see `KeyStrengthOptions`. Of the private key's own modulus it is known. */
  readonly isComposite?: boolean;
  /** Default false; see `KeyStrengthOptions`. For who proves `privateKey` by a signature; holds for its own modulus only. */
  readonly hasSigned?: boolean;
  /** Keys that are not to be used, beside those known here. */
  readonly blockList?: BlockList | undefined;
  /** The same where only the public half is at hand; not needed beside `privateKey`. */
  readonly expectedKey?: PublicKey | undefined;
}

/**
 * @param text the strings of one TXT record, joined. Any text: octets as latin1, or characters from a file or JSON
 */
export function checkRecord(
  text: string,
  {
    name,
    privateKey,
    expectedKey,
    arithmetic,
    isComposite = false,
    hasSigned = false,
    blockList,
  }: CheckRecordOptions = {},
): RecordReport {
  const findings = new FindingList();
  const scan = scanTagList(text);
  checkTagList(text, scan, findings);
  let publicKey: PublicKey | undefined;
  const keyTag = scan.tags.find((tag) => tag.name === "p");
  if (scan.tags.length > 0) {
    checkRecordTags(scan.tags, findings);
    if (keyTag === undefined) findings.add("P-MISSING", {}, { tag: "p" });
    else {
      const keyType = scan.tags.find((tag) => tag.name === "k")?.value ?? "rsa";
      const data = checkKeyData(keyTag, trimFws(keyType), findings);
      publicKey = data.publicKey;
      if (publicKey !== undefined) {
        const own = isOwnKey(publicKey, privateKey) ? privateKey : undefined;
        const strength = { arithmetic, isComposite, factors: own, hasSigned: hasSigned && own !== undefined };
        checkKeyStrength(publicKey, { ...place(keyTag), name, blockList, ...strength }, findings);
      }
      const publicHalf = privateKey?.publicKey ?? expectedKey;
      if (publicHalf !== undefined) checkKeyPair(data, { publicKey: publicHalf, privateKey }, place(keyTag), findings);
    }
  }
  if (keyTag === undefined) {
    // A private key pasted without tags, or under another name, is burnt all the same.
    const candidates = [...scan.tags.map(({ value }) => value).filter((value) => value.length > 40), text];
    const form = firstDefined(candidates.slice(-MAX_SECRET_CANDIDATES), findPublishedSecret);
    if (form !== undefined) findings.add("P-PRIVATE", { form }, { critical: true });
  }
  const list = findings.toArray();
  const severity = worstSeverity(list);
  return {
    state: severity === "error" ? "unusable" : findings.has("P-EMPTY") ? "revoked" : "usable",
    severity,
    findings: list,
    ...(publicKey !== undefined && { publicKey }),
    ...(publicKey?.type === "rsa" && { bits: publicKey.modulusBits }),
  };
}

/** The modulus of a private key was multiplied from its primes when it was read. */
export function isOwnKey(publicKey: PublicKey, privateKey: PrivateKey | undefined): privateKey is RsaPrivateKey {
  return privateKey?.type === "rsa" && samePublicKey(publicKey, privateKey.publicKey);
}

/** Each costs a decoding, some a curve operation. */
const MAX_SECRET_CANDIDATES = 8;

function firstDefined<From, To>(values: readonly From[], find: (value: From) => To | undefined): To | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
