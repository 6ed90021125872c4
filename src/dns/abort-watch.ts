/** What is to run when a signal aborts. */
const watched = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Runs `callback` once when `signal` aborts, unless the function returned is called before. One listener serves any number of
 * callbacks: Node warns of a leak at eleven listeners, and thousands of lookups share one signal.
 * @param signal not yet aborted
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = watched.get(signal) ?? watch(signal);
  const once = () => callback();
  callbacks.add(once);
  return () => callbacks.delete(once);
}

function watch(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  watched.set(signal, callbacks);
  signal.addEventListener("abort", () => {
    for (const callback of callbacks) callback();
    callbacks.clear();
  });
  return callbacks;
}
