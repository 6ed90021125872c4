import type { Style } from "../../terminal/style.ts";
import { algorithmText, dayText, KEY_COLUMNS, type KeyStatus, minuteText, stateText } from "./key-status.ts";

export interface StatusTableOptions {
  readonly style: Style;
  /** The width to fit; `undefined`: as wide as it comes, for a program that reads it. */
  readonly columns: number | undefined;
}

/** ASCII, without colour. */
interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const HEAD: readonly Cell[] = KEY_COLUMNS.map((text) => ({ text }));
const GAP = "  ";
const INDENT = "  ";

const plain = (text: string) => text;

/**
 * One line a key. In a terminal that is too narrow for that, the time of day is left out, then the domain stands above its
 * keys, and at last each key gets a paragraph. Fleets are large and all of this is ASCII: it is laid out here, in linear
 * time, and not by the library of `terminal/table.ts`. Empty text for no keys.
 */
export function renderStatusTable(keys: readonly KeyStatus[], { style, columns }: StatusTableOptions): string {
  if (keys.length === 0) return "";
  const room = columns ?? Number.POSITIVE_INFINITY;
  for (const since of [minuteText, dayText]) {
    const table = layOut([HEAD, ...keys.map((key) => cellsOf(key, since, style))]);
    if (table.width <= room) return table.lines.map((line) => `${line}\n`).join("");
  }
  const below = layOut([HEAD, ...keys.map((key) => cellsOf(key, dayText, style))].map(([, ...cells]) => cells));
  if (INDENT.length + below.width > room) return renderParagraphs(keys, room, style);
  const [head, ...lines] = below.lines;
  const titled = lines.map((line, index) => `${titleOf(keys, index, style)}${INDENT}${line}\n`);
  return `${INDENT}${head}\n${titled.join("")}`;
}

function cellsOf(key: KeyStatus, since: (time: number) => string, style: Style): Cell[] {
  return [
    { text: key.domain },
    { text: key.selector },
    { text: algorithmText(key) },
    { text: stateText(key), paint: paintState(key, style) },
    { text: since(key.since) },
    { text: key.next },
    { text: key.dueText, paint: paintDue(key, style) },
  ];
}

/** The colour of a key's state. */
export function paintState(key: KeyStatus, style: Style): (text: string) => string {
  if (key.urgency === "compromised") return style.bad;
  if (key.state === "active") return style.good;
  return key.isLive ? plain : style.dim;
}

function paintDue({ urgency }: KeyStatus, style: Style): (text: string) => string {
  return { compromised: style.bad, late: style.warn, soon: style.strong, calm: plain }[urgency];
}

function layOut(rows: readonly (readonly Cell[])[]): { readonly width: number; readonly lines: readonly string[] } {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, { text }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  }
  const lines = rows.map((row) => {
    const last = row.findLastIndex(({ text }) => text !== "");
    const cells = row.slice(0, last + 1).map(({ text, paint = plain }, column) => {
      const fill = column === last ? "" : " ".repeat((widths[column] ?? 0) - text.length);
      return paint(text) + fill;
    });
    return cells.join(GAP);
  });
  return { width: widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length), lines };
}

/** The domain as a line of its own, where it is another than that of the key before. */
function titleOf(keys: readonly KeyStatus[], index: number, style: Style): string {
  const domain = keys[index]?.domain ?? "";
  return domain === keys[index - 1]?.domain ? "" : `${style.strong(domain)}\n`;
}

/** The keys in a terminal that has no room for a table. */
function renderParagraphs(keys: readonly KeyStatus[], room: number, style: Style): string {
  const split = (text: string, paint = plain): Cell[] =>
    text.split(" ").flatMap((word) => (word === "" ? [] : { text: word, paint }));
  return keys
    .map((key, index) => {
      const state = split(stateText(key), paintState(key, style));
      const what = [{ text: `${key.selector},` }, { text: `${algorithmText(key)},` }, ...state];
      const next = [...split(key.next), ...split(key.dueText, paintDue(key, style))];
      const lines = fillLines([...what, { text: `since ${dayText(key.since)}` }], room, INDENT);
      return `${titleOf(keys, index, style)}${lines}${fillLines(next, room, INDENT + INDENT)}`;
    })
    .join("");
}

/** The words in lines that fit; a word that does not fit by itself stands alone. */
function fillLines(words: readonly Cell[], room: number, indent: string): string {
  const lines: string[] = [];
  let width = room;
  for (const { text, paint = plain } of words) {
    width += 1 + text.length;
    if (width > room) {
      lines.push(indent + paint(text));
      width = indent.length + text.length;
    } else lines.push(`${lines.pop()} ${paint(text)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}
