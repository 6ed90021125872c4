import Table from "cli-table3";

/**
 * Rows under a head, without lines: columns as wide as their content and two spaces apart.
 * Cells must already be escaped. Ends with a line end; empty text for no rows.
 * @param head ASCII
 */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const parts: (readonly string[])[][] = [];
  for (let at = 0; at < rows.length; at += PART_ROWS) parts.push(layOut(head, rows.slice(at, at + PART_ROWS)));
  const widthsOf = ([titles = []]: readonly (readonly string[])[]) => titles.map((title) => title.length);
  const widths = head.map(() => 0);
  for (const part of parts) {
    for (const [column, width] of widthsOf(part).entries()) widths[column] = Math.max(widths[column] ?? 0, width);
  }
  const lines = parts.flatMap((part, index) => {
    const missing = widthsOf(part).map((width, column) => " ".repeat((widths[column] ?? 0) - width));
    const [, ...own] = part;
    return (index === 0 ? part : own).map((cells) =>
      cells
        .map((cell, column) => `${cell}${missing[column]}`)
        .join(GAP)
        .trimEnd(),
    );
  });
  return `${lines.join("\n")}\n`;
}

const GAP = "  ";

/**
 * The library compares each row with all before it: 32,000 rows of seven cells took two minutes of CPU time at once, and take
 * four seconds in such parts.
 */
const PART_ROWS = 32;

/** No cell holds it, for it would have been escaped. */
const BETWEEN_CELLS = "\0";

/** The lines of a table, the head first, as cells that are filled up to the widths of their columns. */
function layOut(head: readonly string[], rows: readonly (readonly string[])[]): string[][] {
  const none = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: BETWEEN_CELLS,
  };
  const table = new Table({
    head: [...head],
    chars: none,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split("\n")
    .map((line) => line.split(BETWEEN_CELLS));
}
