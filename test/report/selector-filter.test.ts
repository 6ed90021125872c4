import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { parseSelectorFilter } from "../../src/report/selector-filter.ts";

describe("patterns for selectors", () => {
  test.each<[string[], string, boolean]>([
    [[], "mail", true],
    [["mail"], "mail", true],
    [["mail"], "mail2", false],
    [["MAIL"], "mail", true],
    [["mail?"], "mail2", true],
    [["mail?"], "mail", false],
    [["*"], "a.b", true],
    [["rsa-*"], "rsa-2026.eu", true],
    [["*-rsa"], "rsa-rsa", true],
    [["*a*b*"], "xxaxxbxx", true],
    [["*a*b"], "xxaxxbxx", false],
    [["s1", "s2*"], "s22", true],
    [["s1", "s2*"], "s3", false],
  ])("%j and %s: %s", (patterns, selector, expected) => {
    expect(parseSelectorFilter(patterns)(parseSelector(selector))).toBe(expected);
  });

  test.each(["", "a b", "[ab]", "a\u0000", "{a,b}", "/"])("%j is none", (pattern) => {
    expect(() => parseSelectorFilter([pattern])).toThrow(UsageError);
  });

  test("match what the same regular expression matches", () => {
    const text = fc.stringMatching(/^[ab]{1,8}$/);
    const pattern = fc.stringMatching(/^[ab*?]{1,8}$/);
    fc.assert(
      fc.property(text, pattern, (selector, glob) => {
        const expression = new RegExp(`^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`);
        expect(parseSelectorFilter([glob])(parseSelector(selector))).toBe(expression.test(selector));
      }),
    );
  });

  test("take no longer for a hostile pattern", () => {
    expect(parseSelectorFilter([`${"*a".repeat(5000)}b`])(parseSelector("a".repeat(60)))).toBe(false);
  });
});
