import { DkimctlError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";

/**
 * RFC 6376 §3.2: `tag-spec *( ";" tag-spec ) [";"]`, the form of key records and of DKIM-Signature values.
 * One pass, linear in the text. `scanTagList` never throws and tells every fault with its place; `parseTagList` is for
 * whoever needs the tags and refuses what a conforming parser refuses.
 */

/** One `name=value`. Offsets count UTF-16 units from the start of the text. */
export interface Tag {
  readonly name: string;
  /** Everything between "=" and the next ";", folding white space included. */
  readonly value: string;
  readonly nameOffset: number;
  readonly valueOffset: number;
}

export interface TagListFault {
  /**
   * - `no-equals`: a piece without "="
   * - `bad-name`: a name that is not ALPHA *(ALPHA / DIGIT / "_")
   * - `duplicate`: a name that stood before; the whole list is invalid (§3.2)
   * - `empty-spec`: nothing between two ";", or before the first
   * - `bad-newline`: a CR or LF that is not a CRLF followed by a space or tab (§2.8)
   * - `bad-character`: outside printable US-ASCII and folding white space
   * - `trailing-space`: white space after the final ";"; outside the grammar, accepted by every tested verifier
   */
  readonly kind:
    | "no-equals"
    | "bad-name"
    | "duplicate"
    | "empty-spec"
    | "bad-newline"
    | "bad-character"
    | "trailing-space";
  readonly offset: number;
  readonly length: number;
}

export interface TagListScan {
  /** In order, duplicates included; pieces that are no tag left out. */
  readonly tags: readonly Tag[];
  /** In order of kind as a reader meets them: pieces first, then characters. */
  readonly faults: readonly TagListFault[];
}

/** Text that is not a tag-list (RFC 6376 §3.2). */
export class TagListSyntaxError extends DkimctlError {
  override readonly code = "DKIM_TAG_LIST_SYNTAX";
  /** Where, in UTF-16 units. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Longer lists are refused unread by `parseTagList`: no key or signature comes near it, an attacker does. */
export const MAX_TAG_LIST_LENGTH = 65_536;

const TAG_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/** Without the white space at both ends that FWS may be made of, stray CR and LF included. */
export function trimFws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isFws(text.charCodeAt(start))) start++;
  while (end > start && isFws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Without any white space, as base64 values are read (RFC 6376 §3.2, `base64string`). */
export function removeFws(text: string): string {
  return text.replace(/[ \t\r\n]+/g, "");
}

/** The tags of a tag-list and every fault in it (RFC 6376 §3.2): a faulty list yields the tags that can be told. */
export function scanTagList(text: string): TagListScan {
  const tags: Tag[] = [];
  const faults: TagListFault[] = [];
  const names = new Set<string>();
  for (let start = 0; start <= text.length; ) {
    const semicolon = text.indexOf(";", start);
    const end = semicolon === -1 ? text.length : semicolon;
    scanSpec(text, start, end, { tags, faults, names, isLast: semicolon === -1 });
    start = end + 1;
  }
  scanCharacters(text, faults);
  return { tags, faults };
}

interface ScanState {
  readonly tags: Tag[];
  readonly faults: TagListFault[];
  readonly names: Set<string>;
  readonly isLast: boolean;
}

function scanSpec(text: string, start: number, end: number, { tags, faults, names, isLast }: ScanState): void {
  const spec = text.slice(start, end);
  const trimmed = trimFws(spec);
  if (trimmed === "") {
    if (!isLast) faults.push({ kind: "empty-spec", offset: start, length: spec.length + 1 });
    else if (start > 0 && spec !== "") faults.push({ kind: "trailing-space", offset: start, length: spec.length });
    return;
  }
  const trimmedOffset = start + spec.indexOf(trimmed);
  const equals = spec.indexOf("=");
  if (equals === -1) {
    faults.push({ kind: "no-equals", offset: trimmedOffset, length: trimmed.length });
    return;
  }
  const name = trimFws(spec.slice(0, equals));
  if (!TAG_NAME.test(name)) {
    faults.push({ kind: "bad-name", offset: trimmedOffset, length: name.length });
    return;
  }
  if (names.has(name)) faults.push({ kind: "duplicate", offset: trimmedOffset, length: trimmed.length });
  names.add(name);
  const valueOffset = start + equals + 1;
  tags.push({ name, value: text.slice(valueOffset, end), nameOffset: trimmedOffset, valueOffset });
}

/** Neighbouring bad characters make one fault. */
function scanCharacters(text: string, faults: TagListFault[]): void {
  if (!/[^\t\x20-\x7e]/.test(text)) return;
  for (const { index, 0: run } of text.matchAll(/[^\t\r\n\x20-\x7e]+/g)) {
    faults.push({ kind: "bad-character", offset: index, length: run.length });
  }
  if (!hasBadNewline(text)) return;
  for (const { index, 0: run } of text.matchAll(/(?:\r(?!\n[ \t])|(?<!\r)\n|(?<=\r)\n(?![ \t]))+/g)) {
    faults.push({ kind: "bad-newline", offset: index, length: run.length });
  }
}

/** What the pattern above finds, without the places: signatures are folded, and nearly all of them well. */
function hasBadNewline(text: string): boolean {
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    if (text[at - 1] !== "\r" || (text[at + 1] !== " " && text[at + 1] !== "\t")) return true;
  }
  for (let at = text.indexOf("\r"); at !== -1; at = text.indexOf("\r", at + 1)) if (text[at + 1] !== "\n") return true;
  return false;
}

/**
 * The tags in order, values without white space at their ends.
 * White space after the final ";" is let pass, as all tested verifiers do.
 * @throws {TagListSyntaxError} at the first fault, or longer than `MAX_TAG_LIST_LENGTH`
 */
export function parseTagList(text: string): ReadonlyMap<string, string> {
  if (text.length > MAX_TAG_LIST_LENGTH) {
    throw new TagListSyntaxError(`the tag list has ${text.length} characters; the limit is ${MAX_TAG_LIST_LENGTH}`, 0);
  }
  const { tags, faults } = scanTagList(text);
  const fault = faults.find(({ kind }) => kind !== "trailing-space");
  if (fault !== undefined) throw new TagListSyntaxError(describeFault(text, fault), fault.offset);
  if (tags.length === 0) throw new TagListSyntaxError("the tag list is empty", 0);
  return new Map(tags.map(({ name, value }) => [name, trimFws(value)]));
}

function describeFault(text: string, { kind, offset, length }: TagListFault): string {
  const part = quoteName(text.slice(offset, offset + length));
  switch (kind) {
    case "no-equals":
      return `${part} has no "=" (RFC 6376 §3.2)`;
    case "bad-name":
      return `${part} is not a tag name (RFC 6376 §3.2)`;
    case "duplicate":
      return `the tag of ${part} stands twice (RFC 6376 §3.2)`;
    case "empty-spec":
      return `nothing stands before the ";" at offset ${offset + length - 1} (RFC 6376 §3.2)`;
    case "bad-newline":
      return `a line break at offset ${offset} is not followed by white space (RFC 6376 §2.8)`;
    case "bad-character":
      return `${part} is not printable US-ASCII (RFC 6376 §3.2)`;
    case "trailing-space":
      return `white space follows the final ";"`;
  }
}

function isFws(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
