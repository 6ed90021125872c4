import { type RotationKey, stateSince } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";

/** From when on no resolver holds an older answer than the record that is proven since `provenSince`. */
export function safeSince(
  key: RotationKey,
  provenSince: number,
  { marginMs }: Pick<RotationPolicy, "marginMs">,
): number {
  return provenSince + key.staleSeconds * 1000 + marginMs;
}

/** Whether mail may be signed with it at this moment. */
export function isUsable(key: RotationKey, policy: Pick<RotationPolicy, "marginMs">, now: number): boolean {
  return key.state === "ready" && key.provenSince !== undefined && now >= safeSince(key, key.provenSince, policy);
}

/** When the active key is to be replaced. */
export function periodEnd(key: RotationKey, { periodMs }: Pick<RotationPolicy, "periodMs">): number {
  return stateSince(key) + periodMs;
}

/** When no mail that a draining key signed is on its way; a key that leaked is not waited for. */
export function drainedAt(key: RotationKey, { overlapMs }: Pick<RotationPolicy, "overlapMs">): number {
  if (key.compromisedAt !== undefined) return Math.max(key.compromisedAt, stateSince(key));
  return stateSince(key) + Math.max(overlapMs, key.ttlSeconds * 1000);
}

/** From when on no resolver holds the key that no server has had since `absentSince`. */
export function forgottenAt(
  key: RotationKey,
  absentSince: number,
  { marginMs }: Pick<RotationPolicy, "marginMs">,
): number {
  return absentSince + key.ttlSeconds * 1000 + marginMs;
}

/** When the revoked record may go. */
export function tombstoneEnd(key: RotationKey, { tombstoneMs }: Pick<RotationPolicy, "tombstoneMs">): number {
  return stateSince(key) + tombstoneMs;
}
