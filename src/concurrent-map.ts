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

/** An item that was waited for as long is handed on at once, with those before it. */
const PATIENCE_MS = 20;

/**
 * The items in their order, in groups of what came quickly one after another: of many small results hundreds, of slow
 * ones each by itself.
 * @param most items of a group
 */
export async function* readyGroups<Item>(
  items: AsyncIterable<Item>,
  { most, now }: { readonly most: number; readonly now: () => Date },
): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  let before = now().getTime();
  for await (const item of items) {
    const time = now().getTime();
    group.push(item);
    if (group.length >= most || time - before >= PATIENCE_MS) {
      yield group;
      group = [];
    }
    before = now().getTime();
  }
  if (group.length > 0) yield group;
}
