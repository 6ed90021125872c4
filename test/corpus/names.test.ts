import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NameSyntaxError } from "../../src/keys/domain-name.ts";
import { domainWarnings } from "../../src/keys/domain-warnings.ts";
import { keyFileName, parseKeyFileName, parseKeyName } from "../../src/keys/key-name.ts";
import { selectorWarnings } from "../../src/keys/selector.ts";
import { readCorpus } from "../helpers/corpus.ts";

interface NameCase {
  readonly selector: string;
  readonly domain: string;
  readonly expect: "valid" | "warning" | "invalid";
  readonly why: string;
}

const cases = readCorpus<NameCase>("names.jsonl");
const exceptions = JSON.parse(readFileSync(join(import.meta.dirname, "names-exceptions.json"), "utf8")) as Record<
  string,
  string
>;

function verdict({ selector, domain }: NameCase): NameCase["expect"] {
  try {
    const name = parseKeyName(domain, selector);
    expect(parseKeyFileName(keyFileName(name))).toEqual(name);
    return domainWarnings(name.domain).length + selectorWarnings(name.selector).length > 0 ? "warning" : "valid";
  } catch (error) {
    if (error instanceof NameSyntaxError) return "invalid";
    throw error;
  }
}

describe("the corpus's names", () => {
  test.each(cases)("$selector | $domain: $why", (row) => {
    const id = `${row.selector}|${row.domain}`;
    if (exceptions[id] === undefined) expect(verdict(row)).toBe(row.expect);
    else expect(verdict(row), "the exception is no longer needed").not.toBe(row.expect);
  });
});
