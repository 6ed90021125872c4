/*
 * Perl's literals: scalars, and lists and hashes of them. Whatever would have to be run is no literal.
 */

export type PerlLiteral =
  | string
  | undefined
  | readonly PerlLiteral[]
  | ReadonlyMap<string, { readonly value: PerlLiteral; readonly at: number }>;

/** Deeper structures are no configuration of a signer. */
const MAX_DEPTH = 8;

/**
 * The literal at a position of a program, comments in it passed over: a scalar, `( … )` or `[ … ]` as a list, `{ … }` as
 * a map of which the last of a name counts. @returns `undefined` for what is no literal; `end` is after it
 */
export function readPerlLiteral(
  text: string,
  from: number,
  depth = 0,
): { readonly value: PerlLiteral; readonly end: number } | undefined {
  let at = skipSpace(text, from);
  const close = { "(": ")", "[": "]", "{": "}" }[text[at] ?? ""];
  if (close === undefined) {
    const scalar = readPerlScalar(text.slice(at, at + 4096));
    if (scalar === undefined || scalar === "unterminated") return undefined;
    return { value: scalar.value, end: at + scalar.length };
  }
  if (depth === MAX_DEPTH) return undefined;
  const items: { value: PerlLiteral; at: number }[] = [];
  at = skipSpace(text, at + 1);
  while (text[at] !== close) {
    const item = readPerlLiteral(text, at, depth + 1);
    if (item === undefined) return undefined;
    items.push({ value: item.value, at });
    at = skipSpace(text, item.end);
    const separator = /^(?:,|=>)/.exec(text.slice(at, at + 2))?.[0];
    if (separator === undefined && text[at] !== close) return undefined;
    at = skipSpace(text, at + (separator?.length ?? 0));
  }
  if (close !== "}") return { value: items.map(({ value }) => value), end: at + 1 };
  const map = new Map<string, { value: PerlLiteral; at: number }>();
  for (let i = 0; i < items.length; i += 2) {
    const [name, value] = [items[i], items[i + 1]];
    if (typeof name?.value !== "string") return undefined;
    map.set(name.value, { value: value?.value, at: name.at });
  }
  return { value: map, end: at + 1 };
}

/** The place of what comes next, white space and comments passed over. */
export function skipSpace(text: string, from: number): number {
  // Not one pattern for all of it: where there is much, it would overflow its stack.
  const next = /\S/g;
  for (let at = from; ; ) {
    next.lastIndex = at;
    const found = next.exec(text)?.index ?? text.length;
    if (text[found] !== "#") return found;
    const end = text.indexOf("\n", found);
    if (end === -1) return text.length;
    at = end + 1;
  }
}

/** The scalar at the start of the text: `value` is `undefined` for `undef`. @returns `undefined` for what is no literal */
export function readPerlScalar(
  text: string,
): { value: string | undefined; length: number } | "unterminated" | undefined {
  const word = /^-?[A-Za-z_]\w*(?=\s*=>)|^undef\b|^\d+\b/.exec(text)?.[0];
  if (word !== undefined) return { value: word === "undef" ? undefined : word, length: word.length };
  const single = /^'((?:[^'\\]|\\[\s\S])*)'/.exec(text);
  if (single !== null) return { value: (single[1] ?? "").replace(/\\([\\'])/g, "$1"), length: single[0].length };
  const double = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(text);
  if (double !== null) {
    const content = double[1] ?? "";
    // What Perl would interpolate, or an escape that stands for another character, is not a literal for us.
    const isLiteral = /^(?:[^\\$@]|\\[\\"$@])*$/.test(content);
    if (!isLiteral) return undefined;
    return { value: content.replace(/\\([\\"$@])/g, "$1"), length: double[0].length };
  }
  return /^['"]/.test(text) ? "unterminated" : undefined;
}
