import type { NextStep } from "./next-step.ts";
import { isLive, type RotationKey, stateSince } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";

/**
 * How much a key wants to be looked at, most first:
 * - compromised: it is compromised, and its record is not revoked yet
 * - late: its next step should have been done, or the DNS takes longer than `alert-after`
 * - soon: its next step is due within days
 * - calm: nothing of that
 */
export type Urgency = "compromised" | "late" | "soon" | "calm";

const SOON_MS = 7 * 86_400_000;

/** How urgent the key's next step is. @param now milliseconds since the epoch */
export function keyUrgency(key: RotationKey, { due }: NextStep, policy: RotationPolicy, now: number): Urgency {
  if (!isLive(key)) return "calm";
  if (key.compromisedAt !== undefined && key.state !== "tombstone") return "compromised";
  if (due === undefined) return waitingSince(key) + policy.alertAfterMs <= now ? "late" : "calm";
  if (due <= now) return "late";
  return due <= now + SOON_MS ? "soon" : "calm";
}

/** Since when something was asked for that nobody has confirmed; `Infinity`: nothing is. */
export function waitingSince(key: RotationKey): number {
  if (key.intent !== undefined) return key.intent.since;
  return key.state === "new" ? stateSince(key) : Number.POSITIVE_INFINITY;
}
