import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { excerptRecord } from "../../../src/report/key-report/record-excerpt.ts";

describe("the place of a fault", () => {
  const long = `v=DKIM1; k=rsa; p=${"A".repeat(100)}!${"B".repeat(100)}; n=end`;
  test.each<[string, string, [number, number], number, string, string]>([
    ["at the start", "V=DKIM1; p=", [0, 1], 80, "V=DKIM1; p=", "^"],
    ["inside", "v=DKIM2; p=", [2, 5], 80, "v=DKIM2; p=", "  ^~~~~"],
    ["at the end", "v=DKIM1; p=; ", [12, 1], 80, "v=DKIM1; p=; ", "            ^"],
    ["past the end", "p=", [2, 0], 80, "p=", "  ^"],
    ["behind escaped text", "n=\u001b\\é; x", [7, 1], 80, "n=\\027\\\\\\233; x", "              ^"],
    ["escaped itself", "a\u0000b", [1, 1], 80, "a\\000b", " ^~~~"],
    ["more than an octet", "a\u202eb", [2, 1], 80, "a\\u{202e}b", "         ^"],
    ["cut on both sides", long, [118, 1], 40, `...${"A".repeat(21)}!${"B".repeat(12)}...`, `${" ".repeat(24)}^`],
    ["cut at the end", long, [0, 7], 40, `${long.slice(0, 37)}...`, "^~~~~~~"],
    ["cut at the front", long, [long.length - 3, 3], 40, `...${long.slice(-37)}`, `${" ".repeat(37)}^~~`],
    [
      "longer than the line",
      long,
      [18, 201],
      40,
      `... k=rsa; p=${"A".repeat(24)}...`,
      `${" ".repeat(13)}^${"~".repeat(26)}`,
    ],
  ])("%s", (_title, text, [offset, length], columns, line, marker) => {
    expect(excerptRecord(text, { offset, length }, columns)).toEqual({ line, marker });
  });

  test("fits, is plain, and points into the line", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.nat(310),
        fc.nat(310),
        fc.integer({ min: 20, max: 100 }),
        (text, offset, length, columns) => {
          const { line, marker } = excerptRecord(text, { offset, length }, columns);
          expect(line).toMatch(/^[\x20-\x7e]*$/);
          expect(line.length).toBeLessThanOrEqual(columns);
          expect(marker).toMatch(/^ *\^~*$/);
          expect(marker.length).toBeLessThanOrEqual(Math.max(line.length, marker.indexOf("^") + 1));
          expect(marker.indexOf("^")).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  test("the marker stands below the fault, wherever the window is", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.integer({ min: 20, max: 100 }), (before, after, columns) => {
        const text = `${"a".repeat(before)}!${"b".repeat(after)}`;
        const { line, marker } = excerptRecord(text, { offset: before, length: 1 }, columns);
        expect(line[marker.length - 1]).toBe("!");
      }),
    );
  });
});
