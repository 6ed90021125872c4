import { describe, expect, test } from "vitest";
import { createProgress } from "../../src/terminal/progress.ts";

const CLEAR = "\r\u001b[2K";

/** What is drawn, each time; `advance` moves the clock. */
function drawing({ isTTY = true, columns = 80, quiet = false } = {}) {
  const drawn: string[] = [];
  let ms = 1_000_000;
  const output = { write: (text: string) => void drawn.push(text), drained: async () => {}, isTTY, columns };
  const progress = createProgress(output, "keys made", { quiet, now: () => new Date(ms) });
  const advance = (by: number) => {
    ms += by;
  };
  return { progress, drawn, advance };
}

describe("the line fits its terminal", () => {
  test.each([
    [140, 3, 10, "[#########                     ] 3/10 keys made"],
    [80, 10, 10, "[##############################] 10/10 keys made"],
    [80, 0, 0, "0/0 keys made"],
    [28, 5, 10, "[#####     ] 5/10 keys made"],
    [20, 5, 10, "5/10 keys made"],
    [10, 5, 10, "5/10 keys"],
  ])("%d columns, %d of %d", (columns, done, total, line) => {
    const { progress, drawn } = drawing({ columns });
    progress.update(done, total);
    expect(drawn).toEqual([`${CLEAR}${line}`]);
    expect(line.length).toBeLessThan(columns);
  });

  test("without a total it counts", () => {
    const { progress, drawn } = drawing();
    progress.update(7);
    expect(drawn).toEqual([`${CLEAR}7 keys made`]);
  });
});

describe("the line is drawn", () => {
  test("never without a terminal, nor with --quiet", () => {
    for (const options of [{ isTTY: false }, { quiet: true }]) {
      const { progress, drawn } = drawing(options);
      progress.update(1, 2);
      progress.clear();
      expect(drawn).toEqual([]);
    }
  });

  test("ten times a second at most, and at the end", () => {
    const { progress, drawn, advance } = drawing();
    progress.update(1, 4);
    progress.update(2, 4);
    advance(100);
    progress.update(3, 4);
    progress.update(4, 4);
    expect(drawn.map((text) => text.match(/\d+\/\d+/)?.[0])).toEqual(["1/4", "3/4", "4/4"]);
  });

  test("again at once after it made room for other output", () => {
    const { progress, drawn } = drawing();
    progress.clear();
    expect(drawn).toEqual([]);
    progress.update(1, 4);
    progress.clear();
    progress.update(2, 4);
    expect(drawn.map((text) => text.replace(/\[#* *\] /, ""))).toEqual([
      `${CLEAR}1/4 keys made`,
      CLEAR,
      `${CLEAR}2/4 keys made`,
    ]);
  });
});
