import { CLOCK_TOLERANCE_MS, type RotationPlan } from "./plan.ts";
import type { RotationPolicy } from "./rotation-policy.ts";

/** That a domain was found as it should be. Milliseconds since the epoch. */
export interface Look {
  readonly at: number;
  /** From when on it is to be looked at again. */
  readonly until: number;
}

/** As it is kept for later runs. */
export interface KeptLook extends Look {
  /** A fingerprint of the settings that were in force: with others something may be due at once. */
  readonly settings: string;
}

/**
 * When a domain is to be looked at again: when something is due, or after `lookAgainMs`. Pure.
 * @param plan what is to be done, waited for and told, after all that could be done was done
 * @returns `undefined`: at every run, since something is to be done, to be told, or on its way
 */
export function nextLook(
  { steps, waits, findings }: RotationPlan,
  { lookAgainMs }: Pick<RotationPolicy, "lookAgainMs">,
  now: number,
): Look | undefined {
  if (steps.length > 0 || findings.length > 0) return undefined;
  if (waits.some(({ until, unbroken }) => until === undefined || unbroken)) return undefined;
  return { at: now, until: Math.min(now + lookAgainMs, ...waits.map(({ until = now }) => until)) };
}

/** Whether what was found counts at this moment. A look of the future was made when a clock was wrong. */
export function holds(look: KeptLook | undefined, settings: string, now: number): boolean {
  if (look === undefined || look.settings !== settings) return false;
  return look.at <= now + CLOCK_TOLERANCE_MS && now < look.until;
}
