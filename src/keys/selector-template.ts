import { NameSyntaxError, quoteName } from "./domain-name.ts";
import { parseSelector, type Selector } from "./selector.ts";

/** A pattern from which selectors are made, such as `{algorithm}-{yyyymmdd}`. Made by `parseSelectorTemplate` alone. */
export type SelectorTemplate = string & { readonly __brand: "SelectorTemplate" };

export interface SelectorTemplateValues {
  readonly algorithm: "rsa" | "ed25519";
  /** The day is that of UTC, so that two machines agree. */
  readonly date: Date;
}

const PLACEHOLDERS: Record<string, (values: SelectorTemplateValues) => string> = {
  algorithm: ({ algorithm }) => algorithm,
  yyyymmdd: ({ date }) => date.toISOString().slice(0, 10).replaceAll("-", ""),
  yyyy: ({ date }) => date.toISOString().slice(0, 4),
  mm: ({ date }) => date.toISOString().slice(5, 7),
  dd: ({ date }) => date.toISOString().slice(8, 10),
};

export const DEFAULT_SELECTOR_TEMPLATE = "{algorithm}-{yyyymmdd}" as SelectorTemplate;

/** @throws {NameSyntaxError} an unknown placeholder, or a text that makes no selector */
export function parseSelectorTemplate(text: string): SelectorTemplate {
  for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (name === undefined || !Object.hasOwn(PLACEHOLDERS, name)) {
      throw new NameSyntaxError(`${quoteName(`{${name}}`)} in the selector ${quoteName(text)} is not known`, {
        hint: `known are ${Object.keys(PLACEHOLDERS)
          .map((known) => `{${known}}`)
          .join(", ")}`,
      });
    }
  }
  const template = text as SelectorTemplate;
  fillSelectorTemplate(template, { algorithm: "ed25519", date: new Date(0) });
  return template;
}

export function fillSelectorTemplate(template: SelectorTemplate, values: SelectorTemplateValues): Selector {
  return parseSelector(template.replace(/\{([^{}]*)\}/g, (all, name: string) => PLACEHOLDERS[name]?.(values) ?? all));
}
