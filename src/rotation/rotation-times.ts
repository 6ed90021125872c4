import { type RotationKey, stateSince } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";

/*
 * `clockSetAt`: when the clock was found to have been set forward. Nobody knows how much of the time before was real, so
 * whatever must have lasted is measured from then.
 */

/** From when on no resolver holds an older answer than the record that is proven since `provenSince`. */
export function safeSince(
  key: RotationKey,
  provenSince: number,
  { marginMs }: Pick<RotationPolicy, "marginMs">,
  clockSetAt = 0,
): number {
  return Math.max(provenSince, clockSetAt) + key.staleSeconds * 1000 + marginMs;
}

/** Whether mail may be signed with it at this moment. */
export function isUsable(
  key: RotationKey,
  policy: Pick<RotationPolicy, "marginMs">,
  now: number,
  clockSetAt?: number,
): boolean {
  const { state, provenSince } = key;
  return state === "ready" && provenSince !== undefined && now >= safeSince(key, provenSince, policy, clockSetAt);
}

/** When the active key is to be replaced. */
export function periodEnd(key: RotationKey, { periodMs }: Pick<RotationPolicy, "periodMs">): number {
  return stateSince(key) + periodMs;
}

/** When no mail that a draining key signed is on its way; a key that leaked is not waited for. */
export function drainedAt(key: RotationKey, { overlapMs }: Pick<RotationPolicy, "overlapMs">, clockSetAt = 0): number {
  if (key.compromisedAt !== undefined) return Math.max(key.compromisedAt, stateSince(key));
  return Math.max(stateSince(key), clockSetAt) + Math.max(overlapMs, key.ttlSeconds * 1000);
}

/** From when on no resolver holds the key that no server has had since `absentSince`. */
export function forgottenAt(
  key: RotationKey,
  absentSince: number,
  { marginMs }: Pick<RotationPolicy, "marginMs">,
  clockSetAt = 0,
): number {
  return Math.max(absentSince, clockSetAt) + key.ttlSeconds * 1000 + marginMs;
}

/** When the revoked record may go. */
export function tombstoneEnd(
  key: RotationKey,
  { tombstoneMs }: Pick<RotationPolicy, "tombstoneMs">,
  clockSetAt = 0,
): number {
  return Math.max(stateSince(key), clockSetAt) + tombstoneMs;
}
