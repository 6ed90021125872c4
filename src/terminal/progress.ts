import type { Output } from "./output.ts";

/** A line that counts, redrawn in place; nothing where `output` is not a terminal. */
export interface Progress {
  /** `done` are finished, of `total` if that is known. */
  update(done: number, total?: number): void;
  /** Removes the line, so that what follows starts clean. */
  clear(): void;
}

const SILENT: Progress = { update() {}, clear() {} };
const CLEAR_LINE = "\r\u001b[2K";
const SHORTEST_INTERVAL_MS = 100;

/** @param label what is being counted, such as `keys made` */
export function createProgress(
  output: Output,
  label: string,
  { quiet, now }: { quiet: boolean; now: () => Date },
): Progress {
  if (!output.isTTY || quiet) return SILENT;
  let drawnAt = 0;
  let shown = false;
  let hidden = false;
  const columns = () => output.columns ?? 80;
  return {
    update(done, total) {
      const time = now().getTime();
      // A line that was hidden for other output comes back at once, else it would flicker.
      if (!hidden && time - drawnAt < SHORTEST_INTERVAL_MS && done !== total) return;
      drawnAt = time;
      shown = true;
      hidden = false;
      const count = total === undefined ? `${done} ${label}` : `${done}/${total} ${label}`;
      output.write(CLEAR_LINE + (bar(done, total, columns() - count.length - 1) + count).slice(0, columns() - 1));
    },
    clear() {
      if (shown) output.write(CLEAR_LINE);
      hidden ||= shown;
      shown = false;
    },
  };
}

const LONGEST_BAR = 30;
const SHORTEST_BAR = 5;

/** `[####    ] `, or nothing where the terminal has no room for it. */
function bar(done: number, total: number | undefined, room: number): string {
  const width = Math.min(LONGEST_BAR, room - "[] ".length);
  if (total === undefined || total === 0 || width < SHORTEST_BAR) return "";
  const filled = Math.floor((width * done) / total);
  return `[${"#".repeat(filled)}${" ".repeat(width - filled)}] `;
}
