import { activeKeys, firstCandidate, replacementDue } from "./next-step.ts";
import {
  enterState,
  isCandidate,
  isLive,
  type Journal,
  KEY_STATES,
  type KeyState,
  type RotationKey,
} from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { drainedAt, periodEnd, safeSince, tombstoneEnd } from "./rotation-times.ts";

/**
 * What a key is for during a time:
 * - made: its record is asked for, and not proven at every server
 * - served: its record is in the DNS, and it does not sign
 * - signs: its record is in the DNS, and it signs
 * - revoked: its record says that it is revoked
 */
export type KeyUse = "made" | "served" | "signs" | "revoked";

export interface TimelineSpan {
  readonly use: KeyUse;
  /** Milliseconds since the epoch. */
  readonly from: number;
  /** `Infinity`: nobody knows. */
  readonly until: number;
}

type DomainKeys = Pick<Journal, "keys" | "rotationAskedAt">;

const USES: Readonly<Record<KeyState, KeyUse | undefined>> = {
  new: "made",
  published: "served",
  ready: "served",
  active: "signs",
  draining: "served",
  tombstone: "revoked",
  gone: undefined,
  revealed: undefined,
};

/**
 * What a key was for and will be for: until `now` as the journal tells, from then on as the policy has it when nothing
 * comes between. In order and without holes; time goes forward even where the clock once did not.
 * @param journal of the key's domain
 */
export function keyTimeline(
  key: RotationKey,
  journal: DomainKeys,
  policy: RotationPolicy,
  now: number,
): readonly TimelineSpan[] {
  const { entered } = foreseenKey(key, journal, policy, now);
  const changes = KEY_STATES.flatMap((state) => {
    const { [state]: time } = entered;
    return time === undefined ? [] : [{ use: USES[state], time }];
  });
  const spans: TimelineSpan[] = [];
  let from = changes[0]?.time ?? now;
  for (const [index, { use }] of changes.entries()) {
    const until = Math.max(from, changes[index + 1]?.time ?? Number.POSITIVE_INFINITY);
    const last = spans.at(-1);
    if (use !== undefined && last?.use === use) spans[spans.length - 1] = { ...last, until };
    else if (use !== undefined && until > from) spans.push({ use, from, until });
    from = until;
  }
  return spans;
}

/** The key as its journal will tell it at last; nothing follows a change whose time nobody knows. */
function foreseenKey(key: RotationKey, journal: DomainKeys, policy: RotationPolicy, now: number): RotationKey {
  const { state } = key;
  let next = key;
  const enter = (entered: KeyState, time: number) => {
    next = enterState(next, entered, Math.max(now, time));
  };
  if (!isLive(key)) return key;
  if (isCandidate(key)) {
    const time = firstCandidate(key, journal.keys) === key ? handoverTime(key, journal, policy, now) : undefined;
    if (time === undefined) return key;
    enter("active", time);
    enter("draining", periodEnd(next, policy));
  } else if (state === "active") {
    const time = handoverTime(key, journal, policy, now);
    if (time === undefined) return key;
    enter("draining", time);
  } else if (state !== "draining" && state !== "tombstone") enter("draining", now);
  if (state !== "tombstone") enter("tombstone", drainedAt(next, policy));
  enter("gone", tombstoneEnd(next, policy));
  return next;
}

/** When the next key of this set begins to sign; `undefined`: when the DNS or a person has got there. */
function handoverTime(key: RotationKey, journal: DomainKeys, policy: RotationPolicy, now: number): number | undefined {
  const active = activeKeys(key, journal.keys);
  const due = active.length === 0 ? now : Math.min(...active.map((other) => replacementDue(other, journal, policy)));
  const next = firstCandidate(key, journal.keys);
  const proven = next?.provenSince;
  if (next !== undefined && proven !== undefined) return Math.max(now, due, safeSince(next, proven, policy));
  // To make and prove a successor takes hours: as long as the day is to come, it can be kept.
  return due > now ? due : undefined;
}
