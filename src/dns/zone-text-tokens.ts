/**
 * The words of master-file text (RFC 1035 §5.1): quotes, comments, parentheses that join lines. Escapes stay as they
 * are, since names and strings read them differently. One pass; never throws.
 */
export interface ZoneToken {
  /** Without quotes, escapes kept. */
  readonly text: string;
  readonly isQuoted: boolean;
  readonly line: number;
  /** Where it begins in the whole text; of a quoted string, its quote. */
  readonly start: number;
}

/** One record or directive, its lines joined. */
export interface ZoneEntry {
  readonly tokens: readonly ZoneToken[];
  /** The first line starts with white space: the record has the name of the one before. */
  readonly startsWithSpace: boolean;
  readonly line: number;
}

export interface ZoneTokens {
  readonly entries: readonly ZoneEntry[];
  readonly faults: readonly { readonly message: string; readonly line: number }[];
}

/**
 * In order: white space, comment, line end, parenthesis, quoted string, opening quote without end, bare word. Together
 * they match at every place. A quoted string ends with its line, as name servers have it.
 */
const TOKEN =
  /([ \t\f\v]+)|(;[^\r\n]*)|(\r\n|\r|\n)|([()])|"((?:[^"\\\r\n]|\\[^\r\n])*)"|(")|((?:[^\s;()"\\]|\\[^\r\n]|\\(?=[\r\n]|$)|[^\S \t\f\v\r\n])+)/gy;

/** Zone text as words (RFC 1035 §5.1), unescaped later; what cannot be divided into words is a fault, and left out. */
export function tokenizeZoneText(text: string): ZoneTokens {
  const entries: ZoneEntry[] = [];
  const faults: { message: string; line: number }[] = [];
  let line = 1;
  let depth = 0;
  let tokens: ZoneToken[] = [];
  let startsWithSpace = false;
  let entryLine = 1;
  let isLineStart = true;
  // What follows an unclosed quote cannot be divided into words with certainty: such an entry is left out.
  let isBroken = false;
  const endEntry = () => {
    if (tokens.length > 0 && !isBroken) entries.push({ tokens, startsWithSpace, line: entryLine });
    tokens = [];
    isBroken = false;
    isLineStart = true;
  };
  TOKEN.lastIndex = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [, space, comment, newline, parenthesis, quoted, openQuote, word] = match;
    if (comment !== undefined) continue;
    if (newline !== undefined) {
      if (depth === 0) endEntry();
      line += 1;
      continue;
    }
    if (isLineStart) {
      startsWithSpace = space !== undefined;
      entryLine = line;
      isLineStart = false;
    }
    if (space !== undefined) continue;
    if (parenthesis === "(") depth += 1;
    else if (parenthesis === ")") {
      if (depth === 0) faults.push({ message: `")" without "("`, line });
      else depth -= 1;
    } else if (openQuote !== undefined) {
      faults.push({ message: "a quote is not closed on its line", line });
      isBroken = true;
    } else tokens.push({ text: quoted ?? word ?? "", isQuoted: quoted !== undefined, line, start: match.index });
  }
  if (depth > 0) faults.push({ message: `"(" is not closed`, line: entryLine });
  endEntry();
  return { entries, faults };
}
