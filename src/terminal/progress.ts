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
  let drawn = false;
  return {
    update(done, total) {
      const time = now().getTime();
      if (time - drawnAt < SHORTEST_INTERVAL_MS && done !== total) return;
      drawnAt = time;
      drawn = true;
      if (total === undefined) {
        output.write(`${CLEAR_LINE}${done} ${label}`);
        return;
      }
      const width = Math.max(0, Math.min(30, (output.columns ?? 80) - label.length - 2 * String(total).length - 6));
      const filled = total === 0 ? width : Math.floor((width * done) / total);
      const bar = width < 5 ? "" : `[${"#".repeat(filled)}${" ".repeat(width - filled)}] `;
      output.write(
        `${CLEAR_LINE}${bar}${done}/${total} ${label}`.slice(0, CLEAR_LINE.length + (output.columns ?? 80) - 1),
      );
    },
    clear() {
      if (drawn) output.write(CLEAR_LINE);
      drawn = false;
    },
  };
}
