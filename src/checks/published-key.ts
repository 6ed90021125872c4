import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { formatKeyRecord, keyRecordFor, parseKeyRecord } from "../dns/key-record.ts";
import { failureReason, isTemporary, type TxtLookup, toTxtAnswer } from "../dns/resolver.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { buildProbeMessage, probeSignOptions } from "../signing/probe-message.ts";
import { SigningError, signMessage } from "../signing/sign.ts";
import { verifyMessage } from "../signing/verify.ts";
import type { Finding } from "./catalogue.ts";
import { checkRecord } from "./check-record.ts";
import { checkRrset } from "./check-rrset.ts";

/** Whether the world can verify what a key signs. */
export interface PublishedKeyCheck {
  /**
   * - pass: a probe that the key signed verifies with the published record, which holds this very key
   * - revoked: the record says that the key is no longer in use (an empty p=)
   * - temporary: the DNS did not answer the question; later it may
   * - fail: everything else
   */
  readonly verdict: "pass" | "revoked" | "temporary" | "fail";
  /** What in particular: stable, for scripts. */
  readonly code: PublishedKeyCode;
  /** One line, escaped; empty for pass. */
  readonly reason: string;
  /** About the published record, or records. */
  readonly findings: readonly Finding[];
  /** The TXT records found, each joined; latin1, unescaped. */
  readonly published: readonly string[];
  /** What should be published. */
  readonly expected: string;
  /** The key that is published, when it is another one. */
  readonly otherKey?: PublicKey | undefined;
}

export type PublishedKeyCode =
  | "pass"
  | "revoked"
  | "no-name"
  | "no-data"
  | "cname-to-nothing"
  | "several-records"
  | "other-key"
  | "bad-record"
  | "not-verified"
  | "not-signed"
  | "temporary-dns";

export interface KeyToProve {
  readonly name: KeyName;
  readonly privateKey: PrivateKey;
  readonly tags: RecordTags;
}

/**
 * Signs a probe with the private key and verifies it as a receiver would, with the answer of the DNS; then compares the
 * published key with ours, octet for octet.
 * @param lookup the answer for `keyRecordName(name)`
 */
export async function checkPublishedKey(key: KeyToProve, lookup: TxtLookup, now: Date): Promise<PublishedKeyCheck> {
  const expected = formatKeyRecord(keyRecordFor(key.privateKey.publicKey, key.tags));
  const none = { findings: [], published: [], expected };
  if (isTemporary(lookup)) {
    return { ...none, verdict: "temporary", code: "temporary-dns", reason: failureReason(lookup) };
  }
  if (lookup.status !== "found") return { ...none, verdict: "fail", ...noRecord(lookup) };
  const published = lookup.records.map(({ strings }) => strings.join(""));
  const { privateKey } = key;
  if (published.length > 1) {
    const { findings } = checkRrset(published, { privateKey });
    const reason = `${published.length} TXT records at the name: a verifier may take any of them`;
    return { ...none, verdict: "fail", code: "several-records", reason, findings, published };
  }
  const { state, findings, publicKey } = checkRecord(published[0] ?? "", { privateKey });
  const result = { ...none, findings, published };
  if (state === "revoked") return { ...result, verdict: "revoked", code: "revoked", reason: "p= is empty" };
  if (findings.some(({ code }) => code === "KEY-MISMATCH")) {
    return {
      ...result,
      verdict: "fail",
      code: "other-key",
      reason: "the published key is another key",
      otherKey: publicKey,
    };
  }
  const error = findings.find(({ severity }) => severity === "error");
  if (error !== undefined) {
    const others = findings.filter(({ severity }) => severity === "error").length - 1;
    const more = others === 0 ? "" : `, and ${others} more`;
    return { ...result, verdict: "fail", code: "bad-record", reason: `${error.message} (${error.code}${more})` };
  }
  return { ...result, ...(await proveByProbe(key, lookup, now)) };
}

type Outcome = Pick<PublishedKeyCheck, "verdict" | "code" | "reason">;

async function proveByProbe({ name, privateKey }: KeyToProve, lookup: TxtLookup, now: Date): Promise<Outcome> {
  let message: Uint8Array;
  try {
    ({ message } = await signMessage(buildProbeMessage(name, now), { privateKey, ...probeSignOptions(name, now) }));
  } catch (error) {
    if (!(error instanceof SigningError)) throw error;
    return { verdict: "fail", code: "not-signed", reason: `this key cannot sign: ${error.message}` };
  }
  const { signatures } = await verifyMessage(message, { lookup: async () => toTxtAnswer(lookup) }, { now });
  const [signature] = signatures;
  if (signature?.result === "pass") return { verdict: "pass", code: "pass", reason: "" };
  const { result, reason } = signature ?? { result: "none", reason: undefined };
  return {
    verdict: "fail",
    code: "not-verified",
    reason: `a receiver would say ${result}${reason === undefined ? "" : `: ${reason}`}`,
  };
}

function noRecord(lookup: TxtLookup): Pick<PublishedKeyCheck, "code" | "reason"> {
  if (lookup.status === "cname-to-nothing") {
    const what = lookup.missing === "name" ? "which does not exist" : "which has no TXT record";
    return {
      code: "cname-to-nothing",
      reason: `no record (a CNAME leads to ${escapeDnsText(lookup.target)}, ${what})`,
    };
  }
  if (lookup.status === "no-data") {
    return { code: "no-data", reason: "no record (NODATA: the name exists, without a TXT record)" };
  }
  return { code: "no-name", reason: "no record (NXDOMAIN)" };
}

/** Tags in which the published record differs from the one we would print; verifiers obey the published ones. */
export function differingTags(published: string, expected: string): string[] {
  const ours = parseKeyRecord(expected);
  let theirs: ReturnType<typeof parseKeyRecord>;
  try {
    theirs = parseKeyRecord(published);
  } catch {
    return [];
  }
  const lists = { h: "hashAlgorithms", s: "serviceTypes", t: "flags" } as const;
  const differs = (a: readonly string[] = [], b: readonly string[] = []) =>
    [...a].sort().join() !== [...b].sort().join();
  return Object.entries(lists).flatMap(([tag, field]) => (differs(ours[field], theirs[field]) ? [`${tag}=`] : []));
}
