import { UsageError } from "../errors.ts";

/** How a folder of key files is laid out: a path with `{domain}` and `{selector}` in it. */
export interface FilePattern {
  /** How many folders deep the files are: 1 for files in the folder itself. */
  readonly depth: number;
  /** Domain and selector of a path relative to the folder; `undefined` when it is not of this layout. */
  match(path: string): { readonly domain: string; readonly selector: string } | undefined;
}

/**
 * The pattern in text such as `{domain}/{selector}.private`. Where no `/` divides the two, the selector has no dots.
 * @throws {UsageError} not each of the two once
 */
export function parseFilePattern(text: string): FilePattern {
  const names = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name);
  if (names.length !== 2 || !names.includes("domain") || !names.includes("selector")) {
    throw new UsageError(`${JSON.stringify(text)} does not name {domain} and {selector}, once each`, {
      hint: "such as {domain}/{selector}.private or {domain}.{selector}.pem",
    });
  }
  const source = text
    .replace(/^\.\//, "")
    .split(/(\{domain\}|\{selector\})/)
    .map((part) => {
      if (part === "{domain}") return "(?<domain>[^/]+)";
      if (part === "{selector}") return "(?<selector>[^/.]+)";
      return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    });
  const pattern = new RegExp(`^${source.join("")}$`);
  return {
    depth: text.replace(/^\.\//, "").split("/").length,
    match(path) {
      const { domain, selector } = pattern.exec(path)?.groups ?? {};
      return domain === undefined || selector === undefined ? undefined : { domain, selector };
    },
  };
}
