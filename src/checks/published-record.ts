import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { type TxtLookup, toTxtAnswer } from "../dns/resolver.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import type { PublicKey } from "../keys/public-key.ts";
import { buildProbeMessage, probeSignOptions } from "../signing/probe-message.ts";
import { SigningError, signMessage } from "../signing/sign.ts";
import { verifyMessage } from "../signing/verify.ts";
import { describeRecord } from "./authoritative-check.ts";
import type { Finding } from "./catalogue.ts";
import { type CheckPolicy, countedFindings, firstOfSeverity } from "./check-policy.ts";
import { type CheckRecordOptions, checkRecord, isOwnKey } from "./check-record.ts";
import { checkRecordInPool } from "./check-record-in-pool.ts";
import { checkRrset } from "./check-rrset.ts";

/** The name of a key, and what is known about the key that should be published there. */
export interface NameToJudge {
  readonly name: KeyName;
  /** Without it any usable key is as good. */
  readonly publicKey: PublicKey | undefined;
  /** Without them those of the record are not compared. */
  readonly tags: RecordTags | undefined;
  /** Without it nothing can be signed: then the published key is compared, and the record checked. */
  readonly privateKey?: PrivateKey | undefined;
}

/** A key that should be published. */
export interface KeyToProve extends NameToJudge {
  readonly publicKey: PublicKey;
  readonly tags: RecordTags;
}

/** What the TXT records at a key's name are worth to it. */
export interface PublishedRecordResult {
  readonly verdict: "pass" | "revoked" | "fail";
  readonly code: "pass" | "revoked" | "several-records" | "other-key" | "bad-record" | "not-verified" | "not-signed";
  readonly reason: string;
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  readonly otherKey?: PublicKey | undefined;
  /** Of the probe message; absent where none was signed or needed. */
  readonly probe?: "pass" | "fail";
}

/** @param published the records of `lookup`, each joined; at least one */
export async function judgePublishedRecord(
  key: NameToJudge,
  published: readonly string[],
  lookup: TxtLookup,
  policy: CheckPolicy,
  now: Date,
): Promise<PublishedRecordResult> {
  const options = { name: keyRecordName(key.name), privateKey: key.privateKey, expectedKey: key.publicKey };
  if (published.length > 1) {
    const { findings } = checkRrset(published, options);
    const result = { findings, notes: describeRecords(published, key.publicKey) };
    const isCounted = countedFindings(findings, policy).length > 0;
    if (!isCounted && isAmong(published, key)) return { ...result, ...(await proveByProbe(key, lookup, now)) };
    const reason = `${published.length} TXT records at the name: a verifier may take any of them`;
    return { ...result, verdict: "fail", code: "several-records", reason };
  }
  const [text = ""] = published;
  const own = await proveOwnRecord(key, text, lookup, { ...options, policy, now });
  if (own?.proof.verdict === "pass") return { findings: own.findings, notes: [], ...own.proof };
  const { state, findings: all, publicKey } = await checkRecordInPool(text, options);
  const findings = countedFindings(all, policy);
  const result = { findings, notes: [] };
  if (state === "revoked") return { ...result, verdict: "revoked", code: "revoked", reason: "p= is empty" };
  if (findings.some(({ code }) => code === "KEY-MISMATCH")) {
    const reason = "the published key is another key";
    return { ...result, verdict: "fail", code: "other-key", reason, otherKey: publicKey };
  }
  const error = firstOfSeverity(findings, "error");
  if (error !== undefined) return { ...result, verdict: "fail", code: "bad-record", reason: error };
  return { ...result, ...(own?.proof ?? (await proveByProbe(key, lookup, now))) };
}

interface OwnRecordOptions extends CheckRecordOptions {
  readonly policy: CheckPolicy;
  readonly now: Date;
}

/**
 * A record that holds our own RSA key, and is good when a probe verifies: then the probe has shown what otherwise costs
 * more arithmetic than all else. `undefined` for any other record, which is to be checked before anything is signed.
 */
async function proveOwnRecord(
  key: NameToJudge,
  text: string,
  lookup: TxtLookup,
  { policy, now, ...options }: OwnRecordOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly proof: Proof } | undefined> {
  if (key.privateKey?.type !== "rsa") return undefined;
  // Of any other key the rest is asked about in the thread pool.
  const { publicKey, findings: all } = checkRecord(text, { ...options, isComposite: true, hasSigned: true });
  const findings = countedFindings(all, policy);
  const isGood = firstOfSeverity(findings, "error") === undefined;
  if (!isGood || publicKey === undefined || !isOwnKey(publicKey, key.privateKey)) return undefined;
  return { findings, proof: await proveByProbe(key, lookup, now) };
}

function isAmong(published: readonly string[], { publicKey }: NameToJudge): boolean {
  if (publicKey === undefined) return false;
  return published.some((text) => describeRecord(text, publicKey) === "our key");
}

/** Several records by number, so that one can be told from the other. */
function describeRecords(published: readonly string[], expectedKey: PublicKey | undefined): string[] {
  return published.map((text, index) => {
    const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
    return `record ${index + 1} of ${published.length}: ${describeRecord(text, expectedKey)}: "${escapeDnsText(shown)}"`;
  });
}

const MAX_SHOWN = 60;

type Proof = Pick<PublishedRecordResult, "verdict" | "code" | "reason" | "probe">;

/** Signs a probe with the private key and verifies it as a receiver would, with the answer of the DNS. */
async function proveByProbe({ name, privateKey }: NameToJudge, lookup: TxtLookup, now: Date): Promise<Proof> {
  if (privateKey === undefined) return { verdict: "pass", code: "pass", reason: "" };
  let message: Uint8Array;
  try {
    ({ message } = await signMessage(buildProbeMessage(name, now), { privateKey, ...probeSignOptions(name, now) }));
  } catch (error) {
    if (!(error instanceof SigningError)) throw error;
    return { verdict: "fail", code: "not-signed", probe: "fail", reason: `this key cannot sign: ${error.message}` };
  }
  const { signatures } = await verifyMessage(message, { lookup: async () => toTxtAnswer(lookup) }, { now });
  const [signature] = signatures;
  if (signature?.result === "pass") return { verdict: "pass", code: "pass", reason: "", probe: "pass" };
  const { result, reason } = signature ?? { result: "none", reason: undefined };
  const detail = reason === undefined ? "" : `: ${reason}`;
  return { verdict: "fail", code: "not-verified", probe: "fail", reason: `a receiver would say ${result}${detail}` };
}
