/** Milliseconds that no change of the system's clock touches. `performance` tells them too, and takes Node a millisecond to load. */
export function steadyMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
