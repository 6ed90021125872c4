/**
 * Work that may be done at once or in libuv's thread pool: the first of a process at once, all further in the pool, so that
 * many use all cores. The pool's threads take a millisecond to start, and a run of one key needs none of them.
 * @param inPool asked for when it is needed first
 */
export function firstAtOnce<Given extends unknown[], Result>(
  atOnce: (...given: Given) => Result,
  inPool: () => (...given: Given) => Promise<Result>,
): (...given: Given) => Promise<Result> {
  let isFirst = true;
  let further: ((...given: Given) => Promise<Result>) | undefined;
  return async (...given) => {
    if (!isFirst) {
      further ??= inPool();
      return further(...given);
    }
    isFirst = false;
    return atOnce(...given);
  };
}
