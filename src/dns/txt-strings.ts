import { DkimctlError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";

/**
 * The character-strings of a TXT record (RFC 1035 §3.3) and their master-file spelling (§5.1).
 * Text is one UTF-16 unit per octet (latin1), as `TxtAnswer` has it.
 */

/** RFC 1035 §3.3: a length octet comes first. */
export const MAX_STRING_OCTETS = 255;

/** Text that is not one TXT string, or not its master-file spelling. */
export class TxtStringSyntaxError extends DkimctlError {
  override readonly code = "DKIM_TXT_STRING_SYNTAX";
}

/**
 * The record's text in strings of at most `maxOctets` octets; an empty text is one empty string, as TXT needs one.
 * @throws {TxtStringSyntaxError} a character that is no octet
 */
export function splitTxtStrings(text: string, maxOctets: number = MAX_STRING_OCTETS): string[] {
  requireStringLength(maxOctets);
  requireOctets(text);
  if (text === "") return [""];
  const strings: string[] = [];
  for (let start = 0; start < text.length; start += maxOctets) strings.push(text.slice(start, start + maxOctets));
  return strings;
}

/** RFC 6376 §3.6.2.2: with nothing between them. */
export function joinTxtStrings(strings: readonly string[]): string {
  return strings.join("");
}

/** What stands in a quoted string as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * One string in quotes, as every master-file reader takes it: `\"`, `\\`, and `\DDD` for what is not printable.
 * @throws {TxtStringSyntaxError} a character that is no octet, or more than 255 of them
 */
export function quoteTxtString(octets: string): string {
  // Nearly every string of a key record is plain: one look instead of three.
  if (octets.length <= MAX_STRING_OCTETS && PLAIN.test(octets)) return `"${octets}"`;
  requireOctets(octets);
  if (octets.length > MAX_STRING_OCTETS) {
    throw new TxtStringSyntaxError(`a TXT string has ${octets.length} octets; the limit is ${MAX_STRING_OCTETS}`, {
      hint: "split the record into several strings",
    });
  }
  const escaped = octets.replace(/["\\]|[^\x20-\x7e]/g, (char) =>
    char === '"' || char === "\\" ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}

/**
 * The octets that a master-file character-string spells, given without its quotes.
 * @throws {TxtStringSyntaxError} a backslash at the end, `\DDD` with fewer than three digits or above 255
 */
export function unescapeTxtString(escaped: string): string {
  if (!escaped.includes("\\")) return escaped;
  return escaped.replace(/\\(?:([0-9]{3})|([\s\S]?))/g, (sequence, decimal: string | undefined, char = "") => {
    if (decimal !== undefined && Number(decimal) <= 255) return String.fromCharCode(Number(decimal));
    if (decimal !== undefined || char === "" || /[0-9]/.test(char)) {
      throw new TxtStringSyntaxError(`${quoteName(sequence)} is no escape of master files (RFC 1035 §5.1)`, {
        hint: `write \\DDD with three decimal digits, at most 255, or \\\\ for a backslash`,
      });
    }
    return char;
  });
}

/**
 * The text as the quoted strings of a TXT record, of `maxOctets` octets each but the last, with `separator` between.
 * @throws {TxtStringSyntaxError} a character that is no octet
 */
export function quoteTxtStrings(text: string, separator: string, maxOctets: number = MAX_STRING_OCTETS): string {
  // Nearly every key record is plain: one look for all of its strings.
  if (PLAIN.test(text)) return quotePlainStrings(text, separator, maxOctets);
  return splitTxtStrings(text, maxOctets).map(quoteTxtString).join(separator);
}

/** `quoteTxtStrings` of a text in which nothing needs an escape, such as base64. */
export function quotePlainStrings(text: string, separator: string, maxOctets: number = MAX_STRING_OCTETS): string {
  requireStringLength(maxOctets);
  const between = `"${separator}"`;
  let strings = text.slice(0, maxOctets);
  for (let start = maxOctets; start < text.length; start += maxOctets) {
    strings += between + text.slice(start, start + maxOctets);
  }
  return `"${strings}"`;
}

function requireStringLength(maxOctets: number): void {
  if (Number.isInteger(maxOctets) && maxOctets >= 1 && maxOctets <= MAX_STRING_OCTETS) return;
  throw new RangeError(`a TXT string holds 1 to ${MAX_STRING_OCTETS} octets, not ${maxOctets}`);
}

function requireOctets(text: string): void {
  const bad = /[^\x00-\xff]/u.exec(text);
  if (bad !== null) {
    throw new TxtStringSyntaxError(`a TXT record holds octets, and ${quoteName(bad[0])} is none`, {
      hint: "use US-ASCII only; a note (n=) is encoded as =XX",
    });
  }
}
