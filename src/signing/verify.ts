import { verify as cryptoVerify, hash, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { TxtAnswer } from "../dns/resolver.ts";
import { DkimctlError } from "../errors.ts";
import { parseDomainName, quoteName } from "../keys/domain-name.ts";
import { keyRecordName } from "../keys/key-name.ts";
import { type PublicKey, PublicKeyError, toPublicKeyObject } from "../keys/public-key.ts";
import { parseSelector } from "../keys/selector.ts";
import { BodyHasher } from "./body-hash.ts";
import { firstAtOnce } from "./first-at-once.ts";
import { headerHashInput, SignedFieldPicker } from "./header-hash.ts";
import { type HeaderField, type MessageLimits, parseMessage } from "./message.ts";
import {
  type DkimSignature,
  parseSignatureValue,
  SignatureSyntaxError,
  scanSignatureTags,
} from "./signature-header.ts";
import { judgeKeyRecord } from "./verification-key.ts";

/**
 * Verifying a message as RFC 6376 §6, RFC 8301 and RFC 8463 read when they are taken at their word: rsa-sha1 and RSA keys
 * under 1024 bits never pass, and every tag of key and signature that restricts is enforced.
 */

/** The words of RFC 8601 §2.7.1 for one signature. */
export type SignatureResultWord = "pass" | "fail" | "policy" | "neutral" | "temperror" | "permerror";

export interface SignatureResult {
  readonly result: SignatureResultWord;
  /** One sentence, values from the message escaped; `undefined` for pass. */
  readonly reason: string | undefined;
  /** d=, folded to lower case and A-labels; `undefined` when the signature has none that is valid. */
  readonly domain: string | undefined;
  /** s=, as `domain`. */
  readonly selector: string | undefined;
  /** a=, also an unknown one; `undefined` when absent or no word. */
  readonly algorithm: string | undefined;
  /** i=, decoded: `local@domain`. This and what follows is `undefined` when the signature's syntax is wrong. */
  readonly identity: string | undefined;
  /** h=, lower case. */
  readonly signedHeaders: readonly string[] | undefined;
  /** l=: the octets of the canonical body that are signed; whatever follows anybody may have added. */
  readonly bodyLength: number | undefined;
  /** The first eight characters of b=, which tell signatures apart (RFC 6008). */
  readonly signatureStart: string | undefined;
  /** The key's t=y; changes nothing (RFC 6376 §3.6.1). */
  readonly testing: boolean;
}

/** Where verification gets its keys. */
export interface KeyLookup {
  /** @param name the query name, without trailing dot. A rejection counts as a temporary failure. */
  lookup(name: string): Promise<TxtAnswer>;
}

export interface VerifyOptions extends MessageLimits {
  /** The moment that x= and t= are compared with. */
  readonly now: Date;
  /** Signatures examined; those after them are `policy`. Default 16. */
  readonly maxSignatures?: number;
  /** How far t= may lie in the future before the signature is `policy`; default 3600. */
  readonly clockSkewSeconds?: number;
}

export interface MessageVerification {
  /** One per DKIM-Signature field, in the message's order; empty for an unsigned message. */
  readonly signatures: readonly SignatureResult[];
}

/** One TXT RRset beyond this many records is not worth trying in full. */
const MAX_KEY_RECORDS = 10;

/**
 * Verifies every DKIM-Signature of a message.
 * @param raw the message with CRLF or LF line ends
 * @throws {MessageLimitError} the message is larger than the limits
 */
export async function verifyMessage(
  raw: Uint8Array,
  resolver: KeyLookup,
  options: VerifyOptions,
): Promise<MessageVerification> {
  const { fields, body } = parseMessage(raw, options);
  const { maxSignatures = 16 } = options;
  const lookup = rememberAnswers(resolver);
  const bodyHasher = new BodyHasher(body);
  const picker = new SignedFieldPicker(fields);
  const signatureFields = fields.filter(({ name }) => name === "dkim-signature");
  const signatures = signatureFields.map(async (field, index) => {
    const value = field.text.slice(field.text.indexOf(":") + 1);
    if (index >= maxSignatures) {
      return describe(value, undefined, { result: "policy", reason: `more than ${maxSignatures} signatures` });
    }
    let signature: DkimSignature;
    try {
      signature = parseSignatureValue(value);
    } catch (error) {
      if (!(error instanceof SignatureSyntaxError)) throw error;
      return describe(value, undefined, { result: "permerror", reason: `signature syntax error: ${error.message}` });
    }
    const verdict = await verifySignature({ signature, field, picker, bodyHasher, lookup, options });
    return describe(value, signature, verdict);
  });
  return { signatures: await Promise.all(signatures) };
}

/**
 * One word for the whole message: `pass` when one signature passes (RFC 6376 §6.1), `none` without signatures. Otherwise
 * the most telling one: what may pass later first, then what was cryptographically examined.
 */
export function summarizeResults(signatures: readonly Pick<SignatureResult, "result">[]): SignatureResultWord | "none" {
  const order = ["pass", "temperror", "policy", "fail", "neutral", "permerror"] as const;
  return order.find((word) => signatures.some(({ result }) => result === word)) ?? "none";
}

interface Verdict {
  readonly result: SignatureResultWord;
  readonly reason?: string;
  readonly testing?: boolean;
}

interface SignatureToVerify {
  readonly signature: DkimSignature;
  readonly field: HeaderField;
  readonly picker: SignedFieldPicker;
  readonly bodyHasher: BodyHasher;
  readonly lookup: (name: string) => Promise<TxtAnswer>;
  readonly options: VerifyOptions;
}

async function verifySignature(input: SignatureToVerify): Promise<Verdict> {
  const { signature, lookup, options } = input;
  const nowSeconds = options.now.getTime() / 1000;
  // Written so that an invalid Date expires a signature rather than keeping it.
  if (signature.expiresAt !== undefined && !(signature.expiresAt >= nowSeconds)) {
    return { result: "permerror", reason: `signature expired (x=${signature.expiresAt})` };
  }
  const recordName = keyRecordName(signature);
  const answer = await lookup(recordName);
  if (answer.status === "temporary-failure") {
    return { result: "temperror", reason: `key unavailable: ${quoteName(answer.reason)}` };
  }
  if (answer.status !== "found" || answer.records.length === 0) {
    const why = answer.status === "no-name" ? "the name does not exist" : "the name has no TXT record";
    return { result: "permerror", reason: `no key for signature at ${recordName}: ${why}` };
  }
  const verdict = await tryKeyRecords(answer.records.slice(0, MAX_KEY_RECORDS), input);
  const { clockSkewSeconds = 3600 } = options;
  if (verdict.result === "pass" && (signature.signedAt ?? 0) > nowSeconds + clockSkewSeconds) {
    return { ...verdict, result: "policy", reason: `signed in the future (t=${signature.signedAt})` };
  }
  return verdict;
}

/** Cycles through several records (RFC 6376 §6.1.2 step 4): one that verifies suffices, else the nearest miss is told. */
async function tryKeyRecords(records: readonly string[], input: SignatureToVerify): Promise<Verdict> {
  const misses: (Verdict & { readonly distance: number })[] = [];
  for (const record of records) {
    const key = judgeKeyRecord(record, input.signature);
    const keyObject = key.usable ? loadKey(key.publicKey) : undefined;
    if (!key.usable) misses.push({ result: "permerror", reason: key.reason, distance: key.unrelated ? 2 : 1 });
    else if (keyObject === undefined) {
      misses.push({ result: "permerror", reason: "key syntax error: OpenSSL does not load p=", distance: 1 });
    } else {
      const reason = bodyFault(input) ?? (await signatureFault(keyObject, input));
      if (reason === undefined) return { result: "pass", testing: key.testing };
      misses.push({ result: "fail", reason, testing: key.testing, distance: 0 });
    }
  }
  return misses.reduce((best, miss) => (miss.distance < best.distance ? miss : best));
}

function loadKey(publicKey: PublicKey): KeyObject | undefined {
  try {
    return toPublicKeyObject(publicKey);
  } catch (error) {
    if (error instanceof PublicKeyError) return undefined;
    throw error;
  }
}

/** RFC 6376 §3.7 body hash; `undefined` when it matches. */
function bodyFault({ signature, bodyHasher }: SignatureToVerify): string | undefined {
  const { bodyCanonicalization, bodyLength } = signature;
  const octets = bodyHasher.length(bodyCanonicalization);
  if (bodyLength !== undefined && bodyLength > octets) return `l=${bodyLength} exceeds the body's ${octets} octets`;
  const hash = bodyHasher.hash(bodyCanonicalization, bodyLength);
  return hash.equals(signature.bodyHash) ? undefined : "body hash did not verify";
}

/** RFC 6376 §3.7 header hash. Ed25519 signs the SHA-256 of what RSA signs (RFC 8463 §3). */
async function signatureFault(
  key: KeyObject,
  { signature, field, picker }: SignatureToVerify,
): Promise<string | undefined> {
  const signedFields = picker.pick(signature.signedHeaders, field);
  const header = headerHashInput(signedFields, field, signature.headerCanonicalization);
  const isRsa = signature.algorithm === "rsa-sha256";
  const data = isRsa ? header : hash("sha256", header, "buffer");
  const verified = await verifyAsync(isRsa ? "sha256" : null, data, key, signature.signature);
  return verified ? undefined : "signature did not verify";
}

/** Many signatures are verified on all cores. */
const verifyAsync = firstAtOnce(
  (algorithm: string | null, octets: Uint8Array, key: KeyObject, signature: Uint8Array): boolean =>
    cryptoVerify(algorithm, octets, key, signature),
  () => promisify<string | null, Uint8Array, KeyObject, Uint8Array, boolean>(cryptoVerify),
);

/** Several signatures by one key ask once. */
function rememberAnswers(resolver: KeyLookup): (name: string) => Promise<TxtAnswer> {
  const answers = new Map<string, Promise<TxtAnswer>>();
  return (name) => {
    const answer = answers.get(name) ?? lookUp(resolver, name);
    answers.set(name, answer);
    return answer;
  };
}

async function lookUp(resolver: KeyLookup, name: string): Promise<TxtAnswer> {
  try {
    return await resolver.lookup(name);
  } catch (error) {
    return { status: "temporary-failure", reason: error instanceof Error ? error.message : "the lookup was aborted" };
  }
}

function describe(value: string, signature: DkimSignature | undefined, verdict: Verdict): SignatureResult {
  const tags: ReadonlyMap<string, string> = signature === undefined ? scanSignatureTags(value) : new Map();
  const algorithm = signature?.algorithm ?? tags.get("a") ?? "";
  return {
    result: verdict.result,
    reason: verdict.reason,
    domain: signature?.domain ?? validName(tags.get("d"), parseDomainName),
    selector: signature?.selector ?? validName(tags.get("s"), parseSelector),
    algorithm: /^[A-Za-z0-9-]{1,40}$/.test(algorithm) ? algorithm : undefined,
    identity: signature && `${signature.identity.localPart}@${signature.identity.domain}`,
    signedHeaders: signature?.signedHeaders,
    bodyLength: signature?.bodyLength,
    signatureStart: signature && Buffer.from(signature.signature).toString("base64").slice(0, 8),
    testing: verdict.testing ?? false,
  };
}

function validName(text: string | undefined, parse: (text: string) => string): string | undefined {
  try {
    return text === undefined ? undefined : parse(text);
  } catch (error) {
    if (error instanceof DkimctlError) return undefined;
    throw error;
  }
}
