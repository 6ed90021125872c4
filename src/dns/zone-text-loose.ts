import { TxtStringSyntaxError, unescapeTxtString } from "./txt-strings.ts";
import { tokenizeZoneText, type ZoneEntry } from "./zone-text-tokens.ts";

/**
 * Zone text as people paste it: after a word processor, a web page, a form. What a name server would refuse is read
 * as it was meant, and said.
 */

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ quot: '"', amp: "&", lt: "<", gt: ">", apos: "'", nbsp: " ", equals: "=", semi: ";", plus: "+", sol: "/" },
};

/** HTML entities, curly quotes, no-break and invisible characters. @param notes what was undone is added here */
export function undoWebText(text: string, notes: string[]): string {
  const steps: readonly (readonly [string, (text: string) => string])[] = [
    ["a byte order mark was removed", (t) => t.replace(/^(?:\ufeff|\xef\xbb\xbf)/, "")],
    ["HTML entities were undone", undoEntities],
    ["invisible characters were removed", (t) => t.replace(/[\u200b-\u200f\u2060\ufeff\u00ad]/g, "")],
    ["no-break spaces became spaces", (t) => t.replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, " ")],
    ["curly quotes became straight", (t) => t.replace(/[\u201c-\u201f\u2033\u00ab\u00bb]/g, '"')],
  ];
  let result = text;
  for (const [note, step] of steps) {
    const next = step(result);
    if (next !== result) notes.push(note);
    result = next;
  }
  return result;
}

/** `&quot;`, `&#34;`, `&#x22;`; unknown ones stay. */
export function undoEntities(text: string): string {
  return text.replace(
    /&(?:#([0-9]{1,4})|#x([0-9a-f]{1,4})|([a-z]{2,6}));/gi,
    (match, decimal?: string, hexadecimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? match;
      return String.fromCharCode(decimal === undefined ? Number.parseInt(hexadecimal ?? "0", 16) : Number(decimal));
    },
  );
}

/**
 * Quoted strings alone. Each line is a record, as `dig +short` prints them, unless a line goes on with the one before:
 * within parentheses, or when it does not start like a record.
 * @returns undefined when the text is not made of strings
 */
export function readLooseStrings(text: string, notes: string[]): string[] | undefined {
  const { entries, faults } = tokenizeZoneText(text);
  if (faults.length > 0 || entries.length === 0) return undefined;
  const records: string[] = [];
  for (const entry of entries) {
    const record = joinEntry(entry, notes);
    if (record === undefined) return undefined;
    const startsLikeRecord = /^[ \t]*[A-Za-z][A-Za-z0-9_]{0,15}[ \t]*=(?!=*$)/.test(record);
    const last = records.pop();
    if (last === undefined) records.push(record);
    else if (startsLikeRecord && /(?:^|;)[ \t]*(?:p|v)[ \t]*=/.test(last) && /^[ \t]*v[ \t]*=/.test(record))
      records.push(last, record);
    else {
      records.push(last + record);
      notes.push("strings on several lines were joined");
    }
  }
  return records;
}

function joinEntry({ tokens }: ZoneEntry, notes: string[]): string | undefined {
  try {
    const strings = tokens.map(({ text }) => unescapeTxtString(text));
    if (strings.some(({ length }) => length > 255)) {
      notes.push("a string has more than 255 octets: a name server would refuse it, a form may divide it");
    }
    return strings.join("");
  } catch (error) {
    if (error instanceof TxtStringSyntaxError) return undefined;
    throw error;
  }
}
