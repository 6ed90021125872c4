import { quotePlainStrings, quoteTxtStrings } from "../../dns/txt-strings.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { visibleText } from "../../terminal/visible-text.ts";
import type { RecordToPrint } from "./record-format.ts";

/** Base64 of amavisd's lines, which are those of a PEM file (RFC 7468 §2). */
const KEY_STRING_OCTETS = 64;

const SEPARATOR = "\n  ";

/** What differs between the two formats that print as `amavisd showkeys` does. */
export interface AmavisLayout {
  readonly record: RecordToPrint;
  readonly bits: number;
  /** All tags but p=, as `name=value`. */
  readonly tags: readonly string[];
  /** The base64 of p=. */
  readonly key: string;
}

/**
 * A comment that says which key it is, then owner, TTL, TXT without class, and the strings one to a line: first the
 * tags up to `p=`, then the key in 64s. A blank line ends it.
 */
export function renderAmavisLayout({ record, bits, tags, key }: AmavisLayout): string {
  const { selector, domain } = record.name;
  // A line break in a file's name would end the comment, and the rest of the name would be zone data.
  const file = record.location === undefined ? "" : `, ${visibleText(record.location)}`;
  const keyStrings = quotePlainStrings(key, SEPARATOR, KEY_STRING_OCTETS);
  return (
    `; key#${record.index} ${bits} bits, s=${selector}, d=${domain}${file}\n` +
    `${keyRecordName(record.name)}.${headOf(tags, record.ttlSeconds)}${keyStrings})\n\n`
  );
}

let latest: { readonly tags: readonly string[]; readonly ttlSeconds: number; readonly head: string } | undefined;

/** From the owner's name to the strings of the key. */
function headOf(tags: readonly string[], ttlSeconds: number): string {
  // Most records of a listing have the same array (`recordTagTexts`).
  if (latest?.tags !== tags || latest.ttlSeconds !== ttlSeconds) {
    const strings = quoteTxtStrings(`${tags.join("; ")}; p=`, SEPARATOR);
    latest = { tags, ttlSeconds, head: `\t${ttlSeconds} TXT (${SEPARATOR}${strings}${SEPARATOR}` };
  }
  return latest.head;
}
