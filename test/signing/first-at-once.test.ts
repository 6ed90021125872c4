import { expect, test } from "vitest";
import { firstAtOnce } from "../../src/signing/first-at-once.ts";

test("the first is done at once, the others in the pool, which is asked for once", async () => {
  const done: string[] = [];
  let asked = 0;
  const double = firstAtOnce(
    (number: number) => {
      done.push("at once");
      return 2 * number;
    },
    () => {
      asked += 1;
      return async (number) => {
        done.push("in the pool");
        return 2 * number;
      };
    },
  );
  const first = double(1);
  expect({ done, asked }).toEqual({ done: ["at once"], asked: 0 });
  expect(await Promise.all([first, double(2), double(3)])).toEqual([2, 4, 6]);
  expect({ done, asked }).toEqual({ done: ["at once", "in the pool", "in the pool"], asked: 1 });
});

test("what fails at once is a promise that is rejected", async () => {
  const fail = firstAtOnce(
    (): number => {
      throw new RangeError("no");
    },
    () => async () => 1,
  );
  const first = fail();
  await expect(first).rejects.toThrow(RangeError);
  expect(await fail()).toBe(1);
});
