import { expect, test } from "vitest";
import { concurrentMap, readyGroups } from "../src/concurrent-map.ts";

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

test("results come in the order of the items, however long each takes", async () => {
  const delays = [30, 1, 20, 2, 10, 3];
  const results = concurrentMap(delays, 3, async (ms) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ms;
  });
  expect(await collect(results)).toEqual(delays);
});

test("never more than the concurrency at once, and all of it when there is work", async () => {
  let running = 0;
  let most = 0;
  await collect(
    concurrentMap(Array.from({ length: 50 }), 4, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    }),
  );
  expect(most).toBe(4);
});

test("an endless source is pulled only as far as the window", async () => {
  let pulled = 0;
  function* endless() {
    for (;;) yield pulled++;
  }
  const results = concurrentMap(endless(), 2, async (n) => n);
  expect((await results.next()).value).toBe(0);
  expect(pulled).toBeLessThanOrEqual(2 * 8);
  await results.return(undefined);
});

test("a rejection arrives in its turn", async () => {
  const results = concurrentMap([1, 2, 3], 3, async (n) => {
    if (n === 2) throw new Error("two");
    return n;
  });
  expect((await results.next()).value).toBe(1);
  await expect(results.next()).rejects.toThrow("two");
});

test("items are pulled when there is a place, and results are there at once, however long the source", async () => {
  let pulled = 0;
  function* endless() {
    for (;;) yield pulled++;
  }
  const release: (() => void)[] = [];
  const results = concurrentMap(endless(), 2, async (n) => {
    await new Promise<void>((resolve) => release.push(resolve));
    return n;
  });
  const first = results.next();
  await new Promise(setImmediate);
  expect(pulled).toBe(2);
  release[1]?.();
  await new Promise(setImmediate);
  expect(pulled).toBe(3);
  release[0]?.();
  expect((await first).value).toBe(0);
  expect((await results.next()).value).toBe(1);
  release[2]?.();
  release[3]?.();
  expect((await results.next()).value).toBe(2);
  for (const each of release) each();
  await results.return(undefined);
});

test("groups are of what comes quickly; a slow item is not kept waiting, nor what came before it", async () => {
  let clock = 0;
  async function* items() {
    for (const [item, ms] of [
      ["a", 0],
      ["b", 1],
      ["c", 50],
      ["d", 200],
      ["e", 1],
      ["f", 1],
      ["g", 1],
      ["h", 0],
    ] as const) {
      clock += ms;
      yield item;
    }
  }
  const groups = readyGroups(items(), { most: 3, now: () => new Date(clock) });
  expect((await collect(groups)).map((group) => group.join(""))).toEqual(["abc", "d", "efg", "h"]);
});
