import { isCandidate, type Journal, type RotationKey, stateSince } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { drainedAt, periodEnd, safeSince, tombstoneEnd } from "./rotation-times.ts";

/** What happens to a key next, as far as the journal tells, and when. */
export interface NextStep {
  readonly what: string;
  /** `undefined`: when the DNS, a person or another key has got there. */
  readonly due: number | undefined;
}

/** @param journal of the key's domain */
export function nextStep(
  key: RotationKey,
  journal: Pick<Journal, "keys" | "rotationAskedAt">,
  policy: RotationPolicy,
): NextStep {
  const { state, provenSince } = key;
  switch (state) {
    case "new":
      return { what: "proof at every server", due: undefined };
    case "published":
      return { what: "ready", due: provenSince === undefined ? undefined : safeSince(key, provenSince, policy) };
    case "ready": {
      if (key.intent?.effect === "activate") return { what: "the signer", due: undefined };
      const active = activeKeys(key, journal.keys);
      if (firstCandidate(key, journal.keys) !== key || active.length === 0) return { what: "to sign", due: undefined };
      return { what: "to sign", due: Math.min(...active.map((other) => replacementDue(other, journal, policy))) };
    }
    case "active":
      return { what: "to be replaced", due: replacementDue(key, journal, policy) };
    case "draining":
      return { what: "to be revoked", due: drainedAt(key, policy) };
    case "tombstone":
      return { what: "to be removed", due: tombstoneEnd(key, policy) };
    case "gone":
    case "revealed":
      return { what: "", due: undefined };
  }
}

/** From when on the active key is to be replaced: its age, a leak, or somebody's wish. */
export function replacementDue(
  key: RotationKey,
  { rotationAskedAt }: Pick<Journal, "rotationAskedAt">,
  policy: Pick<RotationPolicy, "periodMs">,
): number {
  if (key.compromisedAt !== undefined) return key.compromisedAt;
  const end = periodEnd(key, policy);
  return rotationAskedAt !== undefined && rotationAskedAt >= stateSince(key) ? Math.min(rotationAskedAt, end) : end;
}

/** The key of the same set that signs next. */
export function firstCandidate({ algorithm }: RotationKey, keys: readonly RotationKey[]): RotationKey | undefined {
  return keys.find((other) => other.algorithm === algorithm && isCandidate(other));
}

/** Those of the same set that sign. */
export function activeKeys({ algorithm }: RotationKey, keys: readonly RotationKey[]): RotationKey[] {
  return keys.filter((other) => other.state === "active" && other.algorithm === algorithm);
}
