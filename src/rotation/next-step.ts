import { isCandidate, type RotationKey } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { drainedAt, periodEnd, safeSince, tombstoneEnd } from "./rotation-times.ts";

/** What happens to a key next, as far as the journal tells, and when. */
export interface NextStep {
  readonly what: string;
  /** `undefined`: when the DNS, a person or another key has got there. */
  readonly due: number | undefined;
}

/** @param keys all of the domain */
export function nextStep(key: RotationKey, keys: readonly RotationKey[], policy: RotationPolicy): NextStep {
  const { state, provenSince } = key;
  switch (state) {
    case "new":
      return { what: "proof at every server", due: undefined };
    case "published":
      return { what: "ready", due: provenSince === undefined ? undefined : safeSince(key, provenSince, policy) };
    case "ready": {
      if (key.intent?.effect === "activate") return { what: "the signer", due: undefined };
      const active = keys.filter((other) => other.state === "active" && other.algorithm === key.algorithm);
      const [first] = keys.filter((other) => other.algorithm === key.algorithm && isCandidate(other));
      if (first !== key || active.length === 0) return { what: "to sign", due: undefined };
      return { what: "to sign", due: Math.min(...active.map((other) => periodEnd(other, policy))) };
    }
    case "active":
      return { what: "to be replaced", due: key.compromisedAt ?? periodEnd(key, policy) };
    case "draining":
      return { what: "to be revoked", due: drainedAt(key, policy) };
    case "tombstone":
      return { what: "to be removed", due: tombstoneEnd(key, policy) };
    case "gone":
    case "revealed":
      return { what: "", due: undefined };
  }
}
