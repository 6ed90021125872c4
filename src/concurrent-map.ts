/** How many results may wait for an earlier, slower one: a multiple of the concurrency. */
const WINDOW_FACTOR = 8;

/**
 * The results of `work` on each item, in the order of the items, with at most `concurrency` under way at once.
 * Items are pulled only as results are taken, so an endless source costs no memory. A rejection reaches the
 * consumer in its turn and ends the iteration.
 */
export async function* concurrentMap<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const waiting: Promise<Result>[] = [];
  const blocked: (() => void)[] = [];
  let running = 0;
  async function run(item: Item): Promise<Result> {
    if (running >= concurrency) await new Promise<void>((resolve) => blocked.push(resolve));
    else running++;
    try {
      return await work(item);
    } finally {
      // The place is handed on, not freed and taken again, so that `concurrency` holds at every moment.
      const next = blocked.shift();
      if (next === undefined) running--;
      else next();
    }
  }
  for await (const item of items) {
    const result = run(item);
    result.catch(() => {}); // it is reported when its turn comes
    waiting.push(result);
    if (waiting.length >= concurrency * WINDOW_FACTOR) yield await (waiting.shift() as Promise<Result>);
  }
  for (const result of waiting) yield await result;
}
