import { sign as cryptoSign, hash, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { UsageError } from "../errors.ts";
import { parseDomainName, quoteName } from "../keys/domain-name.ts";
import { type KeyName, parseKeyName } from "../keys/key-name.ts";
import { MIN_RSA_BITS } from "../keys/key-strength.ts";
import { type PrivateKey, toPrivateKeyObject } from "../keys/private-key.ts";
import { BodyHasher } from "./body-hash.ts";
import { type Canonicalization, withCrlf } from "./canonicalization.ts";
import { firstAtOnce } from "./first-at-once.ts";
import { headerHashInput, SignedFieldPicker } from "./header-hash.ts";
import { type HeaderField, type MessageLimits, parseMessage } from "./message.ts";
import { completeSignatureField, formatSignatureField } from "./signature-field.ts";
import type { SigningIdentity } from "./signature-header.ts";

export interface SignOptions extends MessageLimits {
  readonly privateKey: PrivateKey;
  /** d=; U-labels are turned into A-labels. */
  readonly domain: string;
  /** s= */
  readonly selector: string;
  /** c=, header and body; default `relaxed/relaxed`. */
  readonly canonicalization?: `${Canonicalization}/${Canonicalization}`;
  /** Fields to sign where present, each as often as it occurs; default `DEFAULT_SIGNED_HEADERS`. From is always signed. */
  readonly headers?: readonly string[];
  /** Fields named once more than they occur, so that none can be added; default From. From always is. */
  readonly oversign?: readonly string[];
  /** i=: `local@domain` or `@domain`, the domain being that of d= or below it; left out by default. */
  readonly identity?: string;
  /** t=; left out by default. */
  readonly signedAt?: Date;
  /** x=; left out by default. */
  readonly expiresAt?: Date;
  /** l=: how many octets of the canonical body to sign. Anybody may append to such a message: do not use it in earnest. */
  readonly bodyLength?: number;
}

export interface SignedMessage {
  /** The DKIM-Signature field, folded, with its CRLF. */
  readonly header: string;
  /** `header` and the message, all line ends CRLF. */
  readonly message: Uint8Array;
}

/** A message or options that must not be signed. */
export class SigningError extends UsageError {
  override readonly code = "DKIM_SIGNING";
}

/** RFC 6376 §5.4.1, and what identifies and describes the content. */
const DEFAULT_SIGNED_HEADERS: readonly string[] = [
  ...["from", "reply-to", "sender", "subject", "date", "to", "cc", "message-id", "in-reply-to", "references"],
  ...["resent-from", "resent-sender", "resent-to", "resent-cc", "resent-date", "resent-message-id"],
  ...["mime-version", "content-type", "content-transfer-encoding", "content-id", "content-description"],
  ...["list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-post"],
  ...["list-owner", "list-archive"],
];

/** Relays add and change these (RFC 6376 §5.4.1). */
const NEVER_SIGNED = new Set(["return-path", "received"]);
const HEADER_NAME = /^[\x21-\x39\x3c-\x7e]+$/;

/**
 * Signs a message (RFC 6376 §5, RFC 8463 §3) with SHA-256 and the key's algorithm.
 * @param raw with CRLF or LF line ends; signed, and returned, with CRLF (RFC 6376 §5.3)
 * @throws {SigningError} no From field, lines that are no header field, an RSA key under 1024 bits, options that contradict each other
 * @throws {NameSyntaxError} domain or selector
 * @throws {MessageLimitError}
 */
export async function signMessage(raw: Uint8Array, options: SignOptions): Promise<SignedMessage> {
  const { privateKey, canonicalization = "relaxed/relaxed" } = options;
  const name = parseKeyName(options.domain, options.selector);
  if (privateKey.type === "rsa" && privateKey.publicKey.modulusBits < MIN_RSA_BITS) {
    throw new SigningError(`an RSA key of ${privateKey.publicKey.modulusBits} bits must not sign (RFC 8301 §3.2)`, {
      hint: "make a new key of 2048 bits",
    });
  }
  const [headerCanonicalization, bodyCanonicalization] = canonicalizations(canonicalization);
  const { fields, body } = parseMessage(raw, options);
  checkFields(fields);
  const signedHeaders = chooseSignedHeaders(fields, options);
  const bodyHasher = new BodyHasher(body);
  const { bodyLength } = options;
  const bodyOctets = bodyHasher.length(bodyCanonicalization);
  if (bodyLength !== undefined && !(Number.isInteger(bodyLength) && bodyLength >= 0 && bodyLength <= bodyOctets)) {
    throw new SigningError(`cannot sign ${bodyLength} octets of a body that has ${bodyOctets}`);
  }
  const unsignedField = formatSignatureField({
    algorithm: privateKey.type === "rsa" ? "rsa-sha256" : "ed25519-sha256",
    headerCanonicalization,
    bodyCanonicalization,
    domain: name.domain,
    selector: name.selector,
    signedHeaders,
    bodyHash: bodyHasher.hash(bodyCanonicalization, bodyLength),
    bodyLength,
    ...readTimes(options),
    ...(options.identity !== undefined && { identity: readIdentity(options.identity, name) }),
  });
  const signedFields = new SignedFieldPicker(fields).pick(signedHeaders);
  const ownField = { name: "dkim-signature", text: unsignedField };
  const signature = await signOctets(headerHashInput(signedFields, ownField, headerCanonicalization), privateKey);
  const header = `${completeSignatureField(unsignedField, signature)}\r\n`;
  return { header, message: Buffer.concat([Buffer.from(header, "latin1"), withCrlf(raw)]) };
}

/** Ed25519 signs the SHA-256 of what RSA signs (RFC 8463 §3). Many keys sign on all cores. */
async function signOctets(octets: Uint8Array, privateKey: PrivateKey): Promise<Uint8Array> {
  const key = toPrivateKeyObject(privateKey);
  return privateKey.type === "rsa"
    ? signAsync("sha256", octets, key)
    : signAsync(null, hash("sha256", octets, "buffer"), key);
}

const signAsync = firstAtOnce(
  (algorithm: string | null, octets: Uint8Array, key: KeyObject): Uint8Array => cryptoSign(algorithm, octets, key),
  () => promisify<string | null, Uint8Array, KeyObject, Buffer>(cryptoSign),
);

function canonicalizations(text: `${Canonicalization}/${Canonicalization}`): [Canonicalization, Canonicalization] {
  const [header, body] = text.split("/");
  const known = (word: string | undefined) => word === "simple" || word === "relaxed";
  if (!known(header) || !known(body)) throw new SigningError(`no such canonicalization: ${quoteName(text)}`);
  return [header, body];
}

/** Signing what others may read differently would vouch for what was never meant (RFC 6376 §5.3, §8.15). */
function checkFields(fields: readonly HeaderField[]): void {
  const stray = fields.find(({ name }) => name === "");
  if (stray !== undefined) {
    throw new SigningError(`the header holds a line that is no header field: ${quoteName(stray.text)}`, {
      hint: 'remove it; in a file from an mbox that is the first line, which starts with "From "',
    });
  }
  if (!fields.some(({ name }) => name === "from")) throw new SigningError("the message has no From field");
}

/** h=: each field as often as it occurs, and once more where it is oversigned. */
function chooseSignedHeaders(fields: readonly HeaderField[], options: SignOptions): readonly string[] {
  const { headers = DEFAULT_SIGNED_HEADERS, oversign = [] } = options;
  const oversigned = new Set(["from", ...oversign.map(signableName)]);
  const wanted = new Set(["from", ...headers.map(signableName), ...oversigned]);
  const counts = new Map<string, number>();
  for (const { name } of fields) counts.set(name, (counts.get(name) ?? 0) + 1);
  const signed: string[] = [];
  for (const name of wanted) {
    const times = (counts.get(name) ?? 0) + (oversigned.has(name) ? 1 : 0);
    for (let i = 0; i < times; i++) signed.push(name);
  }
  return signed;
}

function signableName(text: string): string {
  const name = text.toLowerCase();
  if (!HEADER_NAME.test(name)) throw new SigningError(`${quoteName(text)} is no header field name`);
  if (NEVER_SIGNED.has(name)) throw new SigningError(`${quoteName(text)} changes on the way and must not be signed`);
  return name;
}

function readTimes({ signedAt, expiresAt }: SignOptions) {
  const seconds = (moment: Date | undefined) => moment && Math.floor(moment.getTime() / 1000);
  const times = { signedAt: seconds(signedAt), expiresAt: seconds(expiresAt) };
  for (const time of Object.values(times)) {
    if (time !== undefined && !(time >= 0)) throw new SigningError("a time lies before 1970 or is no time");
  }
  if (times.signedAt !== undefined && times.expiresAt !== undefined && times.expiresAt <= times.signedAt) {
    throw new SigningError("the signature would expire before it is made");
  }
  return times;
}

function readIdentity(text: string, { domain: signingDomain }: KeyName): SigningIdentity {
  const at = text.lastIndexOf("@");
  if (at === -1) throw new SigningError(`the identity ${quoteName(text)} has no "@"`);
  const domain = parseDomainName(text.slice(at + 1));
  if (domain !== signingDomain && !domain.endsWith(`.${signingDomain}`)) {
    throw new SigningError(`the identity's domain ${domain} is neither ${signingDomain} nor below it`);
  }
  return { localPart: text.slice(0, at), domain };
}
