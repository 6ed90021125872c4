import { describe, expect, test } from "vitest";
import { createStyle, wantsColor } from "../../src/terminal/style.ts";

describe("colour", () => {
  test.each<[Parameters<typeof wantsColor>, boolean]>([
    [["auto", {}, true], true],
    [["auto", {}, false], false],
    [["auto", { NO_COLOR: "1" }, true], false],
    [["auto", { NO_COLOR: "" }, true], true],
    [["auto", { FORCE_COLOR: "1" }, false], true],
    [["auto", { FORCE_COLOR: "0" }, true], false],
    [["auto", { NO_COLOR: "1", FORCE_COLOR: "1" }, true], false],
    [["auto", { TERM: "dumb" }, true], false],
    [["always", { NO_COLOR: "1" }, false], true],
    [["never", { FORCE_COLOR: "1" }, true], false],
  ])("for %j is %s", (given, wanted) => {
    expect(wantsColor(...given)).toBe(wanted);
  });

  test("is there when it is on and only then", async () => {
    expect((await createStyle(true)).bad("x")).toBe("\u001b[31mx\u001b[39m");
    expect((await createStyle(false)).bad("x")).toBe("x");
  });
});
