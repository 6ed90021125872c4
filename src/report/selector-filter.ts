import { UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import type { Selector } from "../keys/selector.ts";

/**
 * Which selectors a listing is about: `*` is any text, dots included, `?` one character; case does not matter. A selector is
 * chosen when any of the patterns matches the whole of it; no pattern chooses every selector.
 * @throws {UsageError} a pattern that no selector can match
 */
export function parseSelectorFilter(patterns: readonly string[]): (selector: Selector) => boolean {
  const folded = patterns.map((pattern) => {
    if (!/^[A-Za-z0-9._*?-]+$/.test(pattern)) {
      throw new UsageError(`${quoteName(pattern)} is not a pattern for selectors`, {
        hint: "give letters, digits, dots and hyphens, * for any text, ? for one character",
      });
    }
    return pattern.toLowerCase();
  });
  if (folded.length === 0) return () => true;
  return (selector) => folded.some((pattern) => matchesGlob(selector, pattern));
}

/** In time proportional to the product of the lengths, whatever the pattern: only the last `*` is ever tried again. */
function matchesGlob(text: string, pattern: string): boolean {
  let [position, at] = [0, 0];
  let star = -1;
  let resume = 0;
  while (position < text.length) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at++;
      resume = position;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[position])) {
      at++;
      position++;
    } else if (star !== -1) {
      at = star + 1;
      position = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
