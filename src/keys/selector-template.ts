import { UsageError } from "../errors.ts";
import { quoteName } from "./domain-name.ts";
import type { PrivateKey } from "./private-key.ts";
import { parseSelector, type Selector } from "./selector.ts";

/** How selectors are named when none is given, such as `{algorithm}-{yyyymmdd}`. Made by `parseSelectorTemplate`. */
export type SelectorTemplate = string & { readonly __brand: "SelectorTemplate" };

const PLACEHOLDERS = ["algorithm", "yyyymmdd", "yyyy", "mm", "n", "random"] as const;

export const DEFAULT_SELECTOR_TEMPLATE = "{algorithm}-{yyyymmdd}" as SelectorTemplate;

/** @throws {UsageError} an unknown placeholder, or what it makes cannot be a selector */
export function parseSelectorTemplate(text: string): SelectorTemplate {
  for (const [whole, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (!(PLACEHOLDERS as readonly string[]).includes(name ?? "")) {
      throw new UsageError(`${quoteName(whole)} in the selector ${quoteName(text)} is not known`, {
        hint: `known are ${PLACEHOLDERS.map((placeholder) => `{${placeholder}}`).join(", ")}`,
      });
    }
  }
  const template = text as SelectorTemplate;
  expand(template, { algorithm: "ed25519", now: new Date(0), n: 1, random: "00000000" });
  return template;
}

/**
 * Endless: the selectors to try for a new key, best first. With `{n}` it counts from 1, with `{random}` each is new,
 * else `-2`, `-3`, … is appended when the first is taken.
 * @param now its date in UTC is used
 * @param random eight random hex digits at each call
 */
export function* selectorCandidates(
  template: SelectorTemplate,
  { algorithm, now, random }: { algorithm: PrivateKey["type"]; now: Date; random: () => string },
): Generator<Selector> {
  const counts = /\{(n|random)\}/.test(template);
  for (let n = 1; ; n++) {
    const selector = expand(template, { algorithm, now, n, random: random() });
    yield counts || n === 1 ? selector : parseSelector(`${selector}-${n}`);
  }
}

function expand(
  template: SelectorTemplate,
  { algorithm, now, n, random }: { algorithm: string; now: Date; n: number; random: string },
): Selector {
  const yyyymmdd = now.toISOString().slice(0, 10).replaceAll("-", "");
  const values: Record<(typeof PLACEHOLDERS)[number], string> = {
    algorithm,
    yyyymmdd,
    yyyy: yyyymmdd.slice(0, 4),
    mm: yyyymmdd.slice(4, 6),
    n: String(n),
    random,
  };
  return parseSelector(template.replace(/\{([a-z]+)\}/g, (_, name: keyof typeof values) => values[name]));
}
