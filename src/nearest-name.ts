import { closest, distance } from "fastest-levenshtein";

/** The candidate that `word` was probably meant to be; `undefined` when none is near: a wrong guess is worse than none. */
export function nearestName(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const typed = word.toLowerCase();
  const candidate = closest(typed, candidates);
  // Two letters that changed places count as two edits.
  const tolerance = candidate.length < 4 ? 1 : Math.max(2, Math.floor(candidate.length / 3));
  return distance(typed, candidate) <= tolerance ? candidate : undefined;
}
