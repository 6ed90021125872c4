/** How many results may wait for an earlier, slower one: a multiple of the concurrency. */
const WINDOW_FACTOR = 8;

interface Piece<Result> {
  readonly result: Promise<Result>;
  ended: boolean;
}

/**
 * The results of `work` on each item, in the order of the items, each as soon as those before it are, with at most
 * `concurrency` under way at once. Items are pulled only when there is a place for them, so a long source costs no
 * memory. A rejection reaches the consumer in its turn and ends the iteration.
 */
export async function* concurrentMap<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const waiting: Piece<Result>[] = [];
  let running = 0;
  let wake = () => {};
  function start(item: Item): Piece<Result> {
    running++;
    const piece = { result: work(item), ended: false };
    const end = () => {
      running--;
      piece.ended = true;
      wake();
    };
    piece.result.then(end, end); // a rejection is reported when its turn comes
    return piece;
  }
  for await (const item of items) {
    waiting.push(start(item));
    while (waiting[0]?.ended || running >= concurrency || waiting.length >= concurrency * WINDOW_FACTOR) {
      if (waiting[0]?.ended) yield await (waiting.shift() as Piece<Result>).result;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  for (const { result } of waiting) yield await result;
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
