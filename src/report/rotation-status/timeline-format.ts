import type { Style } from "../../terminal/style.ts";
import { type KeyStatus, type KeyUse, minuteText, USE_WORDS, USES } from "./key-status.ts";
import { paintState } from "./table-format.ts";
import { shareOfWindow, type TimeWindow, timeTicks, timeWindow } from "./time-scale.ts";

export interface TimelineOptions {
  readonly now: number;
  readonly style: Style;
  /** Of the terminal, or what a file should have. */
  readonly columns: number;
  /** Whether more than ASCII can be shown. */
  readonly unicode: boolean;
}

type Glyphs = Readonly<Record<KeyUse | "now" | "more", string>>;

/** Told apart without colour too. */
const UNICODE: Glyphs = { signs: "█", served: "▒", revoked: "░", made: "·", now: "│", more: "…" };
const ASCII: Glyphs = { signs: "#", served: "=", revoked: "-", made: ".", now: "|", more: "~" };

/** With less, the name of a key stands above its line. */
const NARROWEST_BAR = 30;
const INDENT = "  ";

/**
 * Lines of time: under each key set (the keys of a domain that have one algorithm) one line a key, that tells when it
 * signs and what of it is in the DNS when. All share one scale.
 */
export function renderTimeline(keys: readonly KeyStatus[], { now, style, columns, unicode }: TimelineOptions): string {
  if (keys.length === 0) return "";
  const glyphs = unicode ? UNICODE : ASCII;
  const longest = Math.max(...keys.map(({ selector }) => selector.length));
  const label = INDENT.length + longest + 1;
  const isNarrow = columns - label < NARROWEST_BAR;
  const indent = isNarrow ? 0 : label;
  const width = Math.max(8, columns - indent);
  const window = timeWindow(keys, now);
  const lines = [style.dim(axisLine(window, width, indent))];
  for (const members of keySets(keys)) {
    lines.push(...titleLines(members, columns, glyphs).map((line) => style.strong(line)));
    for (const key of members) {
      const name = paintState(key, style)(shorten(key.selector, columns - INDENT.length, glyphs));
      const bar = renderBar(key, { window, width, now, glyphs, style });
      if (isNarrow) lines.push(INDENT + name, bar);
      else lines.push(INDENT + name + " ".repeat(longest + 1 - key.selector.length) + bar);
    }
  }
  lines.push(...legendLines({ glyphs, style, columns, now }));
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** In the order in which they come. */
function keySets(keys: readonly KeyStatus[]): KeyStatus[][] {
  const sets = new Map<string, KeyStatus[]>();
  for (const key of keys) {
    const name = `${key.domain} ${key.algorithm}`;
    const members = sets.get(name);
    if (members === undefined) sets.set(name, [key]);
    else members.push(key);
  }
  return [...sets.values()];
}

function titleLines([key]: readonly KeyStatus[], columns: number, glyphs: Glyphs): string[] {
  if (key === undefined) return [];
  const { domain, algorithm } = key;
  const line = `${domain} ${algorithm}`;
  return line.length <= columns ? [line] : [shorten(domain, columns, glyphs), algorithm];
}

function axisLine(window: TimeWindow, width: number, indent: number): string {
  let line = " ".repeat(indent);
  for (const { time, label } of timeTicks(window, width, 2)) {
    const column = indent + columnOf(time, window, width);
    if (column < line.length || column + label.length > indent + width) continue;
    line = line.padEnd(column) + label;
  }
  return line;
}

function renderBar(
  { timeline, urgency }: KeyStatus,
  bar: { window: TimeWindow; width: number; now: number; glyphs: Glyphs; style: Style },
): string {
  const { window, width, now, glyphs, style } = bar;
  const cells: (KeyUse | "now" | undefined)[] = Array(width).fill(undefined);
  // What signs comes last and has a cell at least: it is what matters.
  for (const use of ["made", "served", "revoked", "signs"] as const) {
    for (const span of timeline) {
      if (span.use !== use || span.until < window.from || span.from > window.until) continue;
      const first = columnOf(span.from, window, width);
      const end = Math.max(columnOf(span.until, window, width), use === "signs" ? first + 1 : first);
      cells.fill(use, first, end);
    }
  }
  cells[columnOf(now, window, width)] = "now";
  const paints = {
    signs: urgency === "compromised" ? style.bad : style.good,
    served: (text: string) => text,
    revoked: style.dim,
    made: style.warn,
    now: style.strong,
  };
  let text = "";
  for (let from = 0; from < width; ) {
    const cell = cells[from];
    let end = from + 1;
    while (end < width && cells[end] === cell) end++;
    text += cell === undefined ? " ".repeat(end - from) : paints[cell](glyphs[cell].repeat(end - from));
    from = end;
  }
  return text;
}

function columnOf(time: number, window: TimeWindow, width: number): number {
  return Math.floor(shareOfWindow(time, window) * width * (1 - Number.EPSILON));
}

function legendLines({
  glyphs,
  style,
  columns,
  now,
}: Pick<TimelineOptions, "style" | "columns" | "now"> & { glyphs: Glyphs }): string[] {
  const parts = [
    ...USES.map((use) => `${glyphs[use]} ${USE_WORDS[use]}`),
    `${glyphs.now} now`,
    `${minuteText(now)} UTC`,
  ];
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 2 + part.length > columns) lines.push(part);
    else lines[lines.length - 1] = `${last}  ${part}`;
  }
  return lines.map((line) => style.dim(line));
}

function shorten(text: string, room: number, { more }: Glyphs): string {
  return text.length <= room ? text : text.slice(0, room - 1) + more;
}
