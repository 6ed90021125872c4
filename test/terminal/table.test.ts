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

test("no rows are no text", () => {
  expect(renderTable(["A"], [])).toBe("");
});
