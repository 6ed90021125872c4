import { domainToASCII, domainToUnicode } from "node:url";
import { type DkimctlErrorOptions, UsageError } from "../errors.ts";

/**
 * A domain name as DNS and key records hold it: A-labels only, lower case, no trailing dot, each label 1..63 characters,
 * the whole at most 253. Made by `parseDomainName` alone, so a value of this type is safe in a path, a query and an argv.
 */
export type DomainName = string & { readonly __brand: "DomainName" };

/** Text that cannot be a domain name or selector (RFC 1035 §2.3.4, RFC 1123 §2.1, RFC 6376 §3.1). */
export class NameSyntaxError extends UsageError {
  override readonly code = "DKIM_NAME_SYNTAX";
}

/** RFC 1035 §2.3.4: 255 octets on the wire are 253 characters as text. */
export const MAX_NAME_LENGTH = 253;

/**
 * The value as it may be shown in a message: its length is bounded, and what cannot be seen or moves what is seen is
 * escaped: controls, bidi and zero-width characters, odd spaces, unassigned ones.
 */
export function quoteName(text: string): string {
  // Not made before it is needed: gathering these characters takes half a millisecond.
  const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text).replace(unseen, (character) => {
    const digits = (character.codePointAt(0) ?? 0).toString(16);
    return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, "0")}`;
  });
}

/**
 * What is wrong with one label of a domain or selector, or `undefined` when it is a letter-digit-hyphen label.
 * `allowUnderscore` admits `_` anywhere: outside the grammar, but in the wild.
 */
export function labelFault(label: string, { allowUnderscore = false } = {}): string | undefined {
  if (label === "") return "has an empty label";
  if (label.length > 63) return `has a label of ${label.length} characters; the limit is 63 (RFC 1035 §2.3.4)`;
  if (label.startsWith("-") || label.endsWith("-")) return `has a label that starts or ends with a hyphen`;
  const bad = (allowUnderscore ? /[^a-z0-9_-]/ : /[^a-z0-9-]/).exec(label);
  if (bad !== null) return `holds the character ${quoteName(String.fromCodePoint(label.codePointAt(bad.index) ?? 0))}`;
  return undefined;
}

/**
 * The signing domain in `text`: U-labels become A-labels (UTS 46 non-transitional, so `faß` is not `fass`), case is
 * folded, one trailing dot is dropped. An `xn--` label that is not valid punycode is kept: DNS can hold it
 * (`domainWarnings` tells).
 * @throws {NameSyntaxError} an address, a URL, an empty or overlong label, a character DNS host names cannot hold
 */
export function parseDomainName(text: string): DomainName {
  const fail = (reason: string, options?: DkimctlErrorOptions) =>
    new NameSyntaxError(`${quoteName(text)} is not a domain name: ${reason}`, options);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    throw fail("it is a URL", { hint: "give the bare domain, such as example.com" });
  if (text.includes("@")) throw fail("it is a mail address", { hint: `give the part after the "@"` });
  let name = text.normalize("NFC");
  if (/[^\x00-\x7f]/.test(name)) {
    // UTS 46 maps some characters to others that end labels or hosts; those must not be smuggled in.
    if (/[\s/?#:%[\]\\^|<>@]/.test(name)) throw fail("it holds a space or a character that domains cannot hold");
    if (name.split(/[.\u3002\uff0e\uff61]/).some((label) => /^xn--/i.test(label) && /[^\x00-\x7f]/.test(label))) {
      throw fail("a label mixes the xn-- form with letters outside ASCII", { hint: "give the label in one form only" });
    }
    const ascii = domainToASCII(name);
    if (ascii === "") throw fail("it cannot be turned into A-labels (IDNA)");
    name = ascii;
  }
  name = name.toLowerCase();
  if (name.endsWith(".")) name = name.slice(0, -1);
  if (name === "") throw fail("it is empty");
  const labels = name.split(".");
  if (labels.includes("_domainkey")) {
    throw fail(`"_domainkey" is part of the record's name, not of the domain`, {
      hint: "give selector and domain apart: <selector>._domainkey.<domain>",
    });
  }
  for (const label of labels) {
    const fault = labelFault(label);
    if (fault !== undefined) throw fail(`it ${fault}`);
  }
  if (/^[0-9]+$/.test(labels.at(-1) ?? "")) throw fail("it is an IP address, or its last label is a number");
  if (name.length > MAX_NAME_LENGTH) {
    throw fail(`it has ${name.length} characters; the limit is ${MAX_NAME_LENGTH} (RFC 1035 §2.3.4)`);
  }
  return name as DomainName;
}

/** The domain with U-labels, for people; the same text when it has none, or when a label is not valid IDNA. */
export function displayDomainName(domain: DomainName): string {
  if (!/(^|\.)xn--/.test(domain)) return domain;
  const unicode = domainToUnicode(domain);
  // A name that does not come back as itself would mislead: show what DNS holds.
  return unicode !== "" && domainToASCII(unicode) === domain ? unicode : domain;
}
