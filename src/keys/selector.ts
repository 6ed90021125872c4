import { labelFault, MAX_NAME_LENGTH, NameSyntaxError, quoteName } from "./domain-name.ts";

/**
 * A DKIM selector: letter-digit-hyphen labels joined by dots, lower case (RFC 6376 §3.1 `sub-domain *("." sub-domain)`).
 * Made by `parseSelector` alone. Underscores are admitted because they are in the wild; `selectorWarnings` tells.
 */
export type Selector = string & { readonly __brand: "Selector" };

/** Names that stand beside selectors in DNS and are none (RFC 5617 `_adsp`, RFC 6651 `_report`). */
const NOT_SELECTORS = new Set(["_domainkey", "_adsp", "_report"]);

/** What nearly every selector is, in one look: a single letter-digit-hyphen label. */
const PLAIN_SELECTOR = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The selector in `text`, case folded (DNS names compare case-insensitively, RFC 1035 §2.3.3).
 * @throws {NameSyntaxError} empty or overlong label, outer hyphen, `_domainkey`, a letter outside ASCII, anything DNS or a file name must not hold
 */
export function parseSelector(text: string): Selector {
  if (PLAIN_SELECTOR.test(text)) return text as Selector;
  const fail = (reason: string, hint?: string) =>
    new NameSyntaxError(`${quoteName(text)} is not a selector: ${reason}`, { hint });
  if (text === "") throw fail("it is empty");
  const selector = text.toLowerCase();
  const labels = selector.split(".");
  const reserved = labels.find((label) => NOT_SELECTORS.has(label));
  if (reserved !== undefined) {
    throw fail(`"${reserved}" is a name of its own in DNS`, "give only what stands before ._domainkey");
  }
  if (/[^\x00-\x7f]/.test(selector))
    throw fail("it holds a letter outside ASCII", "selectors are letters, digits, hyphens and dots");
  for (const label of labels) {
    const fault = labelFault(label, { allowUnderscore: true });
    if (fault !== undefined) throw fail(`it ${fault}`, "selectors are letters, digits, hyphens and dots");
  }
  if (selector.length > MAX_NAME_LENGTH)
    throw fail(`it has ${selector.length} characters; the limit is ${MAX_NAME_LENGTH}`);
  return selector as Selector;
}

/** What is legal yet unusual about a selector, one sentence each; empty for an ordinary one. */
export function selectorWarnings(selector: Selector): string[] {
  return selector.includes("_")
    ? [`selector ${selector} holds "_", which is outside the grammar of RFC 6376 §3.1; all tested verifiers accept it`]
    : [];
}
