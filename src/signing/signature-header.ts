import { domainToASCII } from "node:url";
import { scanBase64 } from "../dns/base64-value.ts";
import { splitColonList } from "../dns/key-record.ts";
import { removeFws, scanTagList, trimFws } from "../dns/tag-list.ts";
import { DkimctlError } from "../errors.ts";
import { type DomainName, parseDomainName, quoteName } from "../keys/domain-name.ts";
import { parseKeyName } from "../keys/key-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import type { Canonicalization } from "./canonicalization.ts";

/**
 * The value of a DKIM-Signature field (RFC 6376 §3.5): everything that can be judged without message and key.
 * "Meticulously validate" (§6.1.1): whatever is outside the grammar is refused, never guessed at.
 */
export interface DkimSignature {
  readonly algorithm: SignatureAlgorithm;
  /** b=, decoded. */
  readonly signature: Uint8Array;
  /** bh=, decoded. */
  readonly bodyHash: Uint8Array;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** d= */
  readonly domain: DomainName;
  /** s= */
  readonly selector: Selector;
  /** h=, lower case, in order, repeats kept. */
  readonly signedHeaders: readonly string[];
  /** i=, decoded; `@<d>` when absent. */
  readonly identity: SigningIdentity;
  /** l=, in octets of the canonical body; `undefined` when the whole body is signed. */
  readonly bodyLength: number | undefined;
  /** t= and x=, in seconds since 1970. */
  readonly signedAt: number | undefined;
  readonly expiresAt: number | undefined;
}

export interface SigningIdentity {
  /** May be empty (RFC 6376 §3.5, i=). */
  readonly localPart: string;
  /** `domain` of the signature or below it. */
  readonly domain: DomainName;
}

/** The registered algorithms. `rsa-sha1` is known in order to be refused (RFC 8301 §3.1). */
export type SignatureAlgorithm = "rsa-sha256" | "ed25519-sha256" | "rsa-sha1";

/** A DKIM-Signature that is not one: RFC 6376 §6.1.1 PERMFAIL. */
export class SignatureSyntaxError extends DkimctlError {
  override readonly code = "DKIM_SIGNATURE_SYNTAX";
}

const ALGORITHMS: readonly string[] = ["rsa-sha256", "ed25519-sha256", "rsa-sha1"] satisfies SignatureAlgorithm[];
const REQUIRED_TAGS = ["v", "a", "b", "bh", "d", "h", "s"];
/** The tags in which mail with UTF-8 header fields may hold UTF-8 (RFC 8616 §4). */
const UTF8_TAGS = new Set(["d", "i", "s"]);
/** RFC 6376 §3.5, hdr-name: RFC 5322 §2.2 ftext without ";". */
const HEADER_NAME = /^[\x21-\x39\x3c-\x7e]+$/;

/**
 * @param value what follows the colon of the field, octets as latin1
 * @throws {SignatureSyntaxError} the first fault, in the order of RFC 6376 §6.1.1
 */
export function parseSignatureValue(value: string): DkimSignature {
  const tags = readTags(value);
  const version = tags.get("v");
  // Without v= the field is from before RFC 4871: its other tags had other rules.
  if (version === undefined) throw fault("v= is missing");
  if (version !== "1") throw fault(`v= must be 1, not ${quoteName(version)}`);
  for (const name of REQUIRED_TAGS) if (!tags.has(name)) throw fault(`${name}= is missing`);
  const tag = (name: string) => tags.get(name) ?? "";

  const domain = readName(tag("d"), "d", parseDomainName);
  const selector = readName(tag("s"), "s", parseSelector);
  if (tag("d").endsWith(".")) throw fault(`d= ends with a dot`);
  nameFault(() => parseKeyName(domain, selector));
  const signedHeaders = readHeaderNames(tag("h"));
  const [headerCanonicalization, bodyCanonicalization] = readCanonicalizations(tags.get("c") ?? "simple/simple");
  checkQueryMethods(tags.get("q") ?? "dns/txt");
  const signedAt = readNumber(tags, "t", 12);
  const expiresAt = readNumber(tags, "x", 12);
  if (signedAt !== undefined && expiresAt !== undefined && expiresAt <= signedAt) {
    throw fault("x= is not later than t=");
  }
  return {
    algorithm: readAlgorithm(tag("a")),
    signature: readBase64(tag("b"), "b"),
    bodyHash: readBase64(tag("bh"), "bh"),
    headerCanonicalization,
    bodyCanonicalization,
    domain,
    selector,
    signedHeaders,
    identity: readIdentity(tags.get("i"), domain),
    bodyLength: readNumber(tags, "l", 76),
    signedAt,
    expiresAt,
  };
}

/**
 * The tags of a value that need not be correct, as it is good for a report only: white space at the ends removed, the
 * first of several of one name.
 */
export function scanSignatureTags(value: string): ReadonlyMap<string, string> {
  return new Map(
    scanTagList(value)
      .tags.toReversed()
      .map(({ name, value }) => [name, trimFws(value)]),
  );
}

/** The whole field with the value of b= removed, white space around it included: what is hashed last (RFC 6376 §3.7). */
export function withoutSignatureData(fieldText: string): string {
  const valueStart = fieldText.indexOf(":") + 1;
  const tag = scanTagList(fieldText.slice(valueStart)).tags.find(({ name }) => name === "b");
  if (tag === undefined) return fieldText;
  const start = valueStart + tag.valueOffset;
  return fieldText.slice(0, start) + fieldText.slice(start + tag.value.length);
}

/** i= with its local part as dkim-quoted-printable (RFC 6376 §2.11). */
export function formatIdentity({ localPart, domain }: SigningIdentity): string {
  const octets = Buffer.from(localPart, "utf8").toString("latin1");
  const encoded = octets.replace(
    /[^\x21-\x3a\x3c\x3e-\x7e]/g,
    (c) => `=${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return `${encoded}@${domain}`;
}

/** RFC 6376 §3.2, and RFC 8616 §4 for UTF-8 in names. */
function readTags(value: string): ReadonlyMap<string, string> {
  const text = /[\x80-\xff]/.test(value) ? decodeUtf8(value) : value;
  const { tags, faults } = scanTagList(text);
  const utf8Ranges = tags
    .filter(({ name }) => UTF8_TAGS.has(name))
    .map(({ valueOffset, value }) => [valueOffset, valueOffset + value.length] as const);
  const bad = faults.find(({ kind, offset, length }) => {
    if (kind === "trailing-space") return false;
    if (kind !== "bad-character" || !/^[^\0-\x9f]+$/.test(text.slice(offset, offset + length))) return true;
    return !utf8Ranges.some(([start, end]) => start <= offset && offset + length <= end);
  });
  if (bad !== undefined) {
    const part = quoteName(text.slice(bad.offset, bad.offset + bad.length));
    throw fault(bad.kind === "duplicate" ? `the tag of ${part} stands twice` : `not a tag list at ${part}`);
  }
  return new Map(tags.map(({ name, value }) => [name, trimFws(value)]));
}

function decodeUtf8(latin1: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    throw fault("it holds octets that are neither US-ASCII nor UTF-8");
  }
}

function readAlgorithm(text: string): SignatureAlgorithm {
  if (!isAlgorithm(text)) throw fault(`a= names no known algorithm: ${quoteName(text)}`);
  return text;
}

function isAlgorithm(text: string): text is SignatureAlgorithm {
  return ALGORITHMS.includes(text);
}

function readBase64(text: string, tag: string): Uint8Array {
  if (text === "") throw fault(`${tag}= is empty`);
  const { octets } = scanBase64(text);
  if (octets === undefined) throw fault(`${tag}= is not base64`);
  return octets;
}

function readName<T>(text: string, tag: string, parse: (text: string) => T): T {
  if (text === "") throw fault(`${tag}= is empty`);
  const ascii = /[^\x00-\x7f]/.test(text) ? domainToASCII(text) : text;
  if (ascii === "") throw fault(`${tag}= is no domain name: ${quoteName(text)}`);
  return nameFault(() => parse(ascii));
}

/** Whatever the parsers of names throw is one more fault of the signature. */
function nameFault<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DkimctlError) throw new SignatureSyntaxError(error.message, { cause: error });
    throw error;
  }
}

function readHeaderNames(text: string): readonly string[] {
  const names = splitColonList(text).map((name) => name.toLowerCase());
  const bad = names.find((name) => !HEADER_NAME.test(name));
  if (bad !== undefined) throw fault(`h= holds ${quoteName(bad)}, which is no field name`);
  if (!names.includes("from")) throw fault("h= does not name the From field");
  return names;
}

function readCanonicalizations(text: string): [Canonicalization, Canonicalization] {
  const [header = "", body = "simple", ...rest] = text.split("/");
  if (!isCanonicalization(header) || !isCanonicalization(body) || rest.length > 0) {
    throw fault(`c= names no known canonicalization: ${quoteName(text)}`);
  }
  return [header, body];
}

function isCanonicalization(text: string): text is Canonicalization {
  return text === "simple" || text === "relaxed";
}

/** Unknown methods are skipped (RFC 6376 §3.5, q=), but one must be left. */
function checkQueryMethods(text: string): void {
  if (!splitColonList(text).includes("dns/txt")) throw fault(`q= does not offer dns/txt: ${quoteName(text)}`);
}

function readNumber(tags: ReadonlyMap<string, string>, tag: string, maxDigits: number): number | undefined {
  const text = tags.get(tag);
  if (text === undefined) return undefined;
  if (!/^[0-9]+$/.test(text) || text.length > maxDigits) {
    throw fault(`${tag}= is no number of at most ${maxDigits} digits: ${quoteName(text)}`);
  }
  return Number(text);
}

function readIdentity(text: string | undefined, signingDomain: DomainName): SigningIdentity {
  if (text === undefined) return { localPart: "", domain: signingDomain };
  const decoded = decodeQuotedPrintable(removeFws(text));
  const at = decoded.lastIndexOf("@");
  if (at === -1) throw fault(`i= has no "@": ${quoteName(text)}`);
  const domain = readName(decoded.slice(at + 1), "i", parseDomainName);
  if (domain !== signingDomain && !domain.endsWith(`.${signingDomain}`)) {
    throw fault(`the domain of i= (${domain}) is neither that of d= (${signingDomain}) nor below it`);
  }
  return { localPart: decoded.slice(0, at), domain };
}

/** RFC 6376 §2.11; "=" stands only before two upper-case hexadecimal digits. */
function decodeQuotedPrintable(text: string): string {
  if (/=(?![0-9A-F]{2})/.test(text)) throw fault(`i= is not quoted-printable: ${quoteName(text)}`);
  if (!text.includes("=")) return text;
  // Encoded octets are UTF-8 together with what stands between them.
  const octets = Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, "latin1").toString("utf8");
}

function fault(reason: string): SignatureSyntaxError {
  return new SignatureSyntaxError(reason);
}
