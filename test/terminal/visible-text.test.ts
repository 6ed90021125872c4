import fc from "fast-check";
import { expect, test } from "vitest";
import { visibleText } from "../../src/terminal/visible-text.ts";

test.each([
  ["plain bücher 日本", "plain bücher 日本"],
  ["a\u001b[2Jb\r\n\t\u0000", "a\\u{1b}[2Jb\\u{d}\\u{a}\\u{9}\\u{0}"],
  ["c1 \u009b31m", "c1 \\u{9b}31m"],
  ["bidi \u202etxt\u2066", "bidi \\u{202e}txt\\u{2066}"],
  ["tag \u{e0041}", "tag \\u{e0041}"],
  ["half \ud800", "half \\u{d800}"],
])("%j", (text, shown) => expect(visibleText(text)).toBe(shown));

test("is one line that sends nothing to the terminal, and stays as it is when shown again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = visibleText(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      expect(visibleText(shown)).toBe(shown);
    }),
  );
});
