import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { oneAtATime } from "../src/one-at-a-time.ts";

test("calls never overlap, keep their order, and survive one that fails", async () => {
  const log: string[] = [];
  const work = oneAtATime(async (name: string) => {
    log.push(`${name} begins`);
    await setImmediate();
    log.push(`${name} ends`);
    if (name === "b") throw new Error(name);
    return name;
  });
  const results = await Promise.allSettled([work("a"), work("b"), work("c")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});
