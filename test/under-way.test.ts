import { expect, test } from "vitest";
import { UnderWay } from "../src/under-way.ts";

test("the end of all that is under way is waited for, be it a failure, or begun while something else ends", async () => {
  const underWay = new UnderWay();
  const ended: string[] = [];
  const work = async (name: string, turns: number) => {
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    ended.push(name);
    if (name === "failing") throw new Error(name);
    if (name === "short") void underWay.add(work("later", 20));
  };
  await underWay.ended();
  void underWay.add(work("short", 1));
  const failing = underWay.add(work("failing", 3));
  await Promise.all([underWay.ended(), expect(failing).rejects.toThrow("failing")]);
  expect(ended).toEqual(["short", "failing", "later"]);
});
