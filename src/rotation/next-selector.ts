import { UsageError } from "../errors.ts";
import { parseKeyName } from "../keys/key-name.ts";
import type { Selector } from "../keys/selector.ts";
import { selectorCandidates } from "../keys/selector-template.ts";
import type { PlanInput } from "./plan.ts";
import { isLive, type RotationAlgorithm } from "./rotation-key.ts";

export interface SelectorChoice {
  readonly selector: Selector | undefined;
  /** When the first of the ring is free again, where that can be told. */
  readonly freeAt?: number | undefined;
}

/** More names than any domain has used. */
const MOST_CANDIDATES = 10_000;

/**
 * The selector of a new key: one that was never used for the domain (a cached record of an older key would make good mail
 * look forged, RFC 6376 §3.1), or of a ring, one whose last key has been gone for longer than caches hold anything.
 * @throws {UsageError} no selector can be made with the template, or it would be too long
 */
export function nextSelector(
  algorithm: RotationAlgorithm,
  planned: ReadonlySet<string>,
  { journal, policy, now, taken, random, clockSetAt = 0 }: PlanInput,
): SelectorChoice {
  if (policy.selectorRing === undefined) {
    const used = new Set<string>(journal.keys.map(({ selector }) => selector));
    let tried = 0;
    for (const selector of selectorCandidates(policy.selector, { algorithm, now: new Date(now), random })) {
      if (++tried > MOST_CANDIDATES) break;
      if (used.has(selector) || taken.has(selector) || planned.has(selector)) continue;
      parseKeyName(journal.domain, selector);
      return { selector };
    }
    throw new UsageError(`the selector template makes no name that ${journal.domain} has not used`, {
      hint: "set another selector, such as: --selector-template {yyyymmdd}-{random}",
    });
  }
  let freeAt: number | undefined;
  let choice: { readonly selector: Selector; readonly goneAt: number } | undefined;
  for (const selector of policy.selectorRing) {
    const uses = journal.keys.filter((key) => key.selector === selector);
    // What the store has under a name that rotation does not use is not rotation's: a restored file of an old key, say.
    if (planned.has(selector) || uses.some(isLive) || taken.has(selector)) continue;
    const goneAt = Math.max(Number.NEGATIVE_INFINITY, ...uses.map((key) => key.entered.gone ?? 0));
    const cachedMs = Math.max(0, ...uses.flatMap((key) => [key.staleSeconds, key.ttlSeconds])) * 1000;
    const until = uses.length === 0 ? goneAt : Math.max(goneAt, clockSetAt) + cachedMs + policy.marginMs;
    if (now < until) freeAt = Math.min(freeAt ?? until, until);
    // In turn: the one that has rested longest.
    else if (choice === undefined || goneAt < choice.goneAt) choice = { selector, goneAt };
  }
  return { selector: choice?.selector, freeAt };
}
