import { expect, test } from "vitest";
import { renderTable } from "../../src/terminal/table.ts";

test("columns are as wide as their content, two spaces apart, without trailing blanks", () => {
  expect(
    renderTable(
      ["A", "LONGER"],
      [
        ["wide cell", "x"],
        ["y", ""],
      ],
    ),
  ).toBe("A          LONGER\nwide cell  x\ny\n");
});

test("no rows are no text", () => expect(renderTable(["A"], [])).toBe(""));
