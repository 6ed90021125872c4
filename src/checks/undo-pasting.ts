import { undoEntities } from "../dns/zone-text-loose.ts";

/**
 * The record's text without what came with it when it was pasted: quotes, parentheses and the owner of a zone file,
 * backslashes, line breaks, byte order marks, no-break spaces, HTML and the like.
 * @param changes what was done is added here
 */
export function undoPasting(text: string, changes: string[]): string {
  let result = text;
  for (const { pattern, replacement, change } of STEPS) {
    const next =
      typeof replacement === "string" ? result.replace(pattern, replacement) : result.replace(pattern, replacement);
    if (next !== result) changes.push(change);
    result = next;
  }
  return result;
}

interface Step {
  readonly pattern: RegExp;
  readonly replacement: string | ((match: string, ...groups: string[]) => string);
  readonly change: string;
}

/** In this order: each sees what the ones before left. */
const STEPS: readonly Step[] = [
  { pattern: /^(?:\ufeff|\xef\xbb\xbf)/, replacement: "", change: "the byte order mark is removed" },
  { pattern: /^[\s\S]*&[\s\S]*$/, replacement: (all) => undoEntities(all), change: "HTML entities are undone" },
  {
    pattern: /[\u200b-\u200f\u2060\ufeff\u00ad]|\xe2\x80\x8b|\xc2\xad/g,
    replacement: "",
    change: "invisible characters are removed",
  },
  {
    pattern: /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]|\xc2\xa0/g,
    replacement: " ",
    change: "no-break spaces become spaces",
  },
  { pattern: /[\u201c-\u201f\u2033\u00ab\u00bb]/g, replacement: '"', change: "curly quotes become straight" },
  {
    pattern:
      /^[ \t\r\n]*(?:[A-Za-z0-9_.@*-]+[ \t]+)?(?:[0-9]+[ \t]+)?(?:IN[ \t]+)?(?:[0-9]+[ \t]+)?TXT[ \t]+(?=[("v])/i,
    replacement: "",
    change: "the name and type of a zone file are removed",
  },
  { pattern: /"[ \t\r\n]*"/g, replacement: "", change: "the divisions between strings are removed" },
  {
    pattern: /^[ \t\r\n]*\([ \t\r\n]*(?=["v])|(?<=")[ \t\r\n]*\)[ \t\r\n]*(?:;[^"]*)?$/g,
    replacement: "",
    change: "parentheses are removed",
  },
  { pattern: /^[ \t\r\n]*"|(?<!\\)"[ \t\r\n]*$/g, replacement: "", change: "the quotes around the record are removed" },
  { pattern: /\\([;"=+/])|\\059/g, replacement: (_match, char = ";") => char, change: "backslashes are removed" },
  { pattern: /[\r\n]+[ \t]*/g, replacement: " ", change: "line breaks are removed" },
  {
    pattern: /^[ \t]*v=DKIM1[:,][\s\S]*$/,
    replacement: (all) => all.replace(/[:,](?=[ \t]{0,9}[a-z][ \t]{0,9}=)/g, ";"),
    change: "tags are divided by semicolons",
  },
];
