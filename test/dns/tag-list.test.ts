import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_TAG_LIST_LENGTH, parseTagList, scanTagList, TagListSyntaxError } from "../../src/dns/tag-list.ts";

describe("tag-lists (RFC 6376 §3.2)", () => {
  test.each<[string, string, Record<string, string>]>([
    ["tag-spec, one", "v=1", { v: "1" }],
    ["white space around name and value is dropped", " v = 1 ;\ta\t=\tb c\t", { v: "1", a: "b c" }],
    ["final semicolon", "v=1;", { v: "1" }],
    ["white space after the final semicolon, outside the grammar", "v=1; ", { v: "1" }],
    ["empty value is not an absent tag", "v=1; x=", { v: "1", x: "" }],
    ["equals signs in a value", "b=AA==", { b: "AA==" }],
    ["folded (§2.8)", "v=1;\r\n\tb=AA\r\n BB", { v: "1", b: "AA\r\n BB" }],
    ["names are case-sensitive: no duplicate", "p=1; P=2", { p: "1", P: "2" }],
    ["digits and underscores in names", "a1_=x", { a1_: "x" }],
  ])("%s", (_title, text, tags) => {
    expect(Object.fromEntries(parseTagList(text))).toEqual(tags);
  });

  test.each<[string, string, number]>([
    ["empty", "", 0],
    ["white space only", " \t", 0],
    ["a piece without =", "v=1; t; p=x", 5],
    ["no name", "v=1; =x", 5],
    ["a name that starts with a digit", "1a=x", 0],
    ["a name with a hyphen", "x-y=x", 0],
    ["a name with an inner space", "a b=x", 0],
    ["duplicate", "v=1; p=a; p=a", 10],
    ["nothing between two semicolons", "v=1;; p=a", 4],
    ["leading semicolon", ";v=1", 0],
    ["bare LF (§2.8)", "v=1;\np=a", 4],
    ["bare CR", "v=1;\r p=a", 4],
    ["CRLF that is not followed by white space", "v=1;\r\np=a", 4],
    ["NUL", "v=1; n=\0", 7],
    ["8-bit", "v=1; n=é", 7],
    ["DEL", "v=1; n=\x7f", 7],
    ["longer than the limit", `v=${"1".repeat(MAX_TAG_LIST_LENGTH)}`, 0],
  ])("refuses %s", (_title, text, offset) => {
    expect(() => parseTagList(text)).toThrow(expect.objectContaining({ code: "DKIM_TAG_LIST_SYNTAX", offset }));
  });

  test("the scan goes on after a fault and tells each with its place", () => {
    const { tags, faults } = scanTagList(" v=DKIM1;; x ; 1=2;v=3; \r\n p = a b\r\nc; é ; ");
    expect(tags).toEqual([
      { name: "v", value: "DKIM1", nameOffset: 1, valueOffset: 3 },
      { name: "v", value: "3", nameOffset: 19, valueOffset: 21 },
      { name: "p", value: " a b\r\nc", nameOffset: 27, valueOffset: 30 },
    ]);
    expect(faults).toEqual([
      { kind: "empty-spec", offset: 9, length: 1 },
      { kind: "no-equals", offset: 11, length: 1 },
      { kind: "bad-name", offset: 15, length: 1 },
      { kind: "duplicate", offset: 19, length: 3 },
      { kind: "no-equals", offset: 39, length: 1 },
      { kind: "trailing-space", offset: 42, length: 1 },
      { kind: "bad-character", offset: 39, length: 1 },
      { kind: "bad-newline", offset: 34, length: 2 },
    ]);
  });

  test("any text is scanned, and parsed exactly when it has no fault but trailing space", () => {
    const alphabet = fc.constantFrom("v", "p", "=", ";", " ", "\t", "\r", "\n", "1", "_", "-", "é", "\0", "\ufeff");
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: alphabet }), fc.string({ unit: "binary" })), (text) => {
        const { tags, faults } = scanTagList(text);
        for (const tag of tags) expect(text.startsWith(tag.name, tag.nameOffset)).toBe(true);
        for (const tag of tags) expect(text.startsWith(tag.value, tag.valueOffset)).toBe(true);
        for (const { offset, length } of faults) expect(offset + length).toBeLessThanOrEqual(text.length);
        const isSound = tags.length > 0 && faults.every(({ kind }) => kind === "trailing-space");
        if (isSound) expect(parseTagList(text).size).toBe(tags.length);
        else expect(() => parseTagList(text)).toThrow(TagListSyntaxError);
      }),
      { numRuns: 500 },
    );
  });
});
