import { UsageError } from "../errors.ts";
import { type DomainName, parseDomainName, quoteName } from "../keys/domain-name.ts";

/**
 * Which domains a listing is about, in amavisd's words: `example.com` is that domain, `.example.com` that domain and
 * all below it, `.` every domain. A domain is chosen when any of the filters chooses it; no filter chooses every domain.
 * Case, U-labels and a trailing dot are read as in any domain name; amavisd matches nothing for a trailing dot.
 * @throws {UsageError} empty text, a wildcard (amavisd silently matches nothing for either), or no domain name
 */
export function parseDomainFilter(texts: readonly string[]): (domain: DomainName) => boolean {
  const exact = new Set<string>();
  const parents = new Set<string>();
  let chooseAll = texts.length === 0;
  for (const text of texts) {
    if (text === ".") chooseAll = true;
    else if (text.startsWith(".")) parents.add(parseFilteredName(text, text.slice(1)));
    else exact.add(parseFilteredName(text, text));
  }
  if (chooseAll) return () => true;
  return (domain) => exact.has(domain) || hasAncestor(domain, parents);
}

function parseFilteredName(filter: string, name: string): DomainName {
  if (filter === "")
    throw new UsageError(`"" is not a domain filter: it is empty`, { hint: `use "." for all domains` });
  if (name.includes("*")) {
    const below = name.replace(/^(?:\*\.?)+/, "");
    const instead =
      below === "" || below.includes("*")
        ? `"." for all domains`
        : `${quoteName(`.${below}`)} for a domain and all below it`;
    throw new UsageError(`${quoteName(filter)} is not a domain filter: it holds a wildcard`, {
      hint: `use ${instead}`,
    });
  }
  return parseDomainName(name);
}

/** Whether the domain or one above it is in `names`: as many look-ups as it has labels, however many filters there are. */
function hasAncestor(domain: DomainName, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  for (let start = 0; start !== -1; ) {
    if (names.has(domain.slice(start))) return true;
    const dot = domain.indexOf(".", start);
    start = dot === -1 ? -1 : dot + 1;
  }
  return false;
}
