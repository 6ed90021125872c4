import { expect, test } from "vitest";
import type { Output } from "../../src/terminal/output.ts";
import { createProgress } from "../../src/terminal/progress.ts";

function terminal(columns: number, isTTY = true): Output & { text: string } {
  const output = {
    text: "",
    isTTY,
    columns: isTTY ? columns : undefined,
    write: (text: string) => {
      output.text += text;
    },
    drained: async () => {},
  };
  return output;
}

const CLEAR = "\r\u001b[2K";
const clock = () => new Date(0);

test("draws one line over and over, and takes it away", () => {
  const output = terminal(80);
  let time = 0;
  const progress = createProgress(output, "keys made", { quiet: false, now: () => new Date((time += 1000)) });
  progress.update(1, 2);
  progress.update(2, 2);
  progress.clear();
  expect(output.text.split(CLEAR)).toEqual([
    "",
    `[${"#".repeat(15)}${" ".repeat(15)}] 1/2 keys made`,
    `[${"#".repeat(30)}] 2/2 keys made`,
    "",
  ]);
});

test.each([20, 10])("fits into %i columns", (columns) => {
  const output = terminal(columns);
  createProgress(output, "keys tested", { quiet: false, now: () => new Date(1000) }).update(1, 100_000);
  expect(output.text.slice(CLEAR.length).length).toBeLessThan(columns);
});

test("counts where the total is not known", () => {
  const output = terminal(80);
  createProgress(output, "keys tested", { quiet: false, now: () => new Date(1000) }).update(7);
  expect(output.text).toBe(`${CLEAR}7 keys tested`);
});

test("is silent where nobody watches, or when asked to be", () => {
  const piped = terminal(80, false);
  createProgress(piped, "x", { quiet: false, now: clock }).update(1, 2);
  const quiet = terminal(80);
  const progress = createProgress(quiet, "x", { quiet: true, now: clock });
  progress.update(1, 2);
  progress.clear();
  expect(piped.text + quiet.text).toBe("");
});
