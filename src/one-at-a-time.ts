/**
 * The same work, one call after another in the order of the calls: for what changes one file, or is a program that need
 * not expect itself at work. A call that fails holds up no other.
 */
export function oneAtATime<Arguments extends readonly unknown[], Result>(
  work: (...args: Arguments) => Promise<Result>,
): (...args: Arguments) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const result = last.then(() => work(...args));
    last = result.catch(() => {}); // its own caller is told
    return result;
  };
}
