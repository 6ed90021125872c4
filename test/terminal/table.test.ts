import { expect, test } from "vitest";
import { renderTable } from "../../src/terminal/table.ts";

test("columns are as wide as their content, and nothing trails", () => {
  expect(
    renderTable(
      ["A", "LONGER"],
      [
        ["xyz", "1"],
        ["x", ""],
      ],
    ),
  ).toBe("A    LONGER\nxyz  1\nx\n");
});

test("wide characters take two columns", () => {
  expect(
    renderTable(
      ["NAME", "N"],
      [
        ["例え", "1"],
        ["abcd", "2"],
      ],
    ),
  ).toBe("NAME  N\n例え  1\nabcd  2\n");
});

test("a table of many parts is laid out as one", () => {
  // The widest cells stand in different parts, and one of them has wide characters.
  const rows = Array.from({ length: 1000 }, (_, index) => [
    index === 3 ? "例".repeat(9) : `d${index}`,
    "x".repeat(index % 40),
    index === 999 ? "the last" : "",
  ]);
  const widthOf = (text: string) => text.length + (text.match(/例/g)?.length ?? 0);
  const line = ([a = "", b = "", c = ""]: readonly string[]) =>
    `${a}${" ".repeat(18 - widthOf(a))}  ${b.padEnd(39)}  ${c}`.trimEnd();
  const expected = [["DOMAIN", "SELECTOR", "END"], ...rows].map(line);
  expect(renderTable(["DOMAIN", "SELECTOR", "END"], rows).split("\n")).toEqual([...expected, ""]);
});

test("no rows are no text", () => {
  expect(renderTable(["A"], [])).toBe("");
});
