import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  joinTxtStrings,
  quoteTxtString,
  quoteTxtStrings,
  splitTxtStrings,
  unescapeTxtString,
} from "../../src/dns/txt-strings.ts";

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

describe("TXT strings (RFC 1035 §3.3)", () => {
  test.each<[string, string, number, string[]]>([
    ["an empty text is one empty string", "", 255, [""]],
    ["255 octets fit", "x".repeat(255), 255, ["x".repeat(255)]],
    ["256 do not", "x".repeat(256), 255, ["x".repeat(255), "x"]],
    ["shorter strings on request", "abcde", 2, ["ab", "cd", "e"]],
  ])("%s", (_title, text, max, strings) => {
    expect(splitTxtStrings(text, max)).toEqual(strings);
    expect(joinTxtStrings(strings)).toBe(text);
  });

  test("what is no octet is refused", () => {
    expect(() => splitTxtStrings("v=DKIM1; n=€")).toThrow(expect.objectContaining({ code: "DKIM_TXT_STRING_SYNTAX" }));
    expect(() => quoteTxtString("x".repeat(256))).toThrow(expect.objectContaining({ code: "DKIM_TXT_STRING_SYNTAX" }));
  });
});

describe("master-file character-strings (RFC 1035 §5.1)", () => {
  test.each([
    ["plain; with semicolon", `"plain; with semicolon"`],
    [`a"b\\c`, `"a\\"b\\\\c"`],
    ["\0\t\x7f\xff", `"\\000\\009\\127\\255"`],
  ])("%j is written %s", (text, quoted) => {
    expect(quoteTxtString(text)).toBe(quoted);
  });

  test.each([
    ["\\X is X", 'a\\;b\\"c\\\\', 'a;b"c\\'],
    ["\\DDD is decimal", "\\059\\0611", ";=1"],
    ["an escaped line break stands for itself", "a\\\nb", "a\nb"],
  ])("%s", (_title, escaped, text) => {
    expect(unescapeTxtString(escaped)).toBe(text);
  });

  test.each(["a\\", "\\1", "\\12x", "\\256", "\\999"])("%j is refused", (escaped) => {
    expect(() => unescapeTxtString(escaped)).toThrow(expect.objectContaining({ code: "DKIM_TXT_STRING_SYNTAX" }));
  });

  test("the strings of a text are those of its pieces, plain or not", () => {
    const text = fc.oneof(octets, fc.base64String({ maxLength: 600 }));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 255 }), fc.constantFrom("", " ", "\n  "), (text, max, separator) => {
        const strings = splitTxtStrings(text, max).map(quoteTxtString).join(separator);
        expect(quoteTxtStrings(text, separator, max)).toBe(strings);
      }),
    );
    expect(() => quoteTxtStrings("a", " ", 256)).toThrow(RangeError);
    expect(() => quoteTxtStrings("v=DKIM1; n=€", " ")).toThrow(
      expect.objectContaining({ code: "DKIM_TXT_STRING_SYNTAX" }),
    );
  });

  test("any octets come back", () => {
    fc.assert(
      fc.property(octets, (text) => {
        const strings = splitTxtStrings(text).map(quoteTxtString);
        expect(joinTxtStrings(strings.map((string) => unescapeTxtString(string.slice(1, -1))))).toBe(text);
      }),
    );
  });
});
