import type { FindingPosition } from "../../checks/catalogue.ts";

/** Part of a record's line, and below it what points at the fault. Plain ASCII, one column a character. */
export interface RecordExcerpt {
  readonly line: string;
  /** Blanks, then `^`, then `~` as far as the fault goes on within the line. */
  readonly marker: string;
}

const CUT = "...";
/** Columns in front of the fault that are kept when the line must be cut. */
const CONTEXT_COLUMNS = 24;
/** On a narrower terminal the line wraps, and the marker still stands below some of it. */
const MIN_COLUMNS = 20;

/**
 * The place of a fault in a record, as it looks in `columns` columns: what is not printable ASCII is escaped, so that
 * nothing moves the marker, and what does not fit is left out on both sides.
 * @param position in UTF-16 units; what lies past the end is drawn at the end
 */
export function excerptRecord(text: string, { offset, length }: FindingPosition, columns: number): RecordExcerpt {
  const width = Math.max(MIN_COLUMNS, columns);
  const start = Math.min(offset, text.length);
  // Each unit is one column at least: nothing farther away can be within the line.
  const [first, last] = [Math.max(0, start - width), Math.min(text.length, start + Math.max(length, 1) + width)];
  const before = escapeUnits(text.slice(first, start));
  const fault = escapeUnits(text.slice(start, Math.min(start + length, start + width)));
  const after = escapeUnits(text.slice(Math.min(start + length, last), last));
  const line = before + fault + after;
  const isWhole = first === 0 && last === text.length && line.length <= width;
  const from = isWhole ? 0 : windowStart(line.length, before.length, fault.length, width);
  const cutsFront = from > 0 || first > 0;
  const to = Math.min(line.length, from + width);
  const cutsEnd = to < line.length || last < text.length;
  let shown = line.slice(from, to);
  if (cutsFront) shown = CUT + shown.slice(CUT.length);
  if (cutsEnd) shown = shown.slice(0, -CUT.length) + CUT;
  const column = Math.max(0, before.length - from);
  const marked = Math.max(1, Math.min(fault.length, shown.length - column));
  return { line: shown, marker: `${" ".repeat(column)}^${"~".repeat(marked - 1)}` };
}

/** The whole fault where it fits, with some of what stands before it. */
function windowStart(total: number, before: number, fault: number, width: number): number {
  const context = Math.min(CONTEXT_COLUMNS, Math.max(width - fault - CUT.length, Math.floor(width / 3)));
  return Math.max(0, Math.min(before - context, total - width));
}

/** `\DDD` as in zone text (RFC 1035 §5.1) for an octet, `\u{HEX}` for what is more than one. */
function escapeUnits(text: string): string {
  return text.replace(/\\|[^\x20-\x7e]/g, (unit) => {
    if (unit === "\\") return "\\\\";
    const code = unit.charCodeAt(0);
    return code <= 0xff ? `\\${String(code).padStart(3, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
