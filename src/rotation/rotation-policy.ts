import type { Selector } from "../keys/selector.ts";
import type { SelectorTemplate } from "../keys/selector-template.ts";
import type { RotationAlgorithm } from "./rotation-key.ts";

/** How one domain's keys rotate. Times in milliseconds. */
export interface RotationPolicy {
  /** The keys that sign together; they rotate as one. */
  readonly algorithms: readonly RotationAlgorithm[];
  /** Of RSA keys. */
  readonly bits: number;
  readonly selector: SelectorTemplate;
  /** A fixed set of selectors to use in turn, where the provider holds CNAMEs for them. Comes before `selector`. */
  readonly selectorRing?: readonly Selector[] | undefined;
  /** How long a key signs. */
  readonly periodMs: number;
  /** How long the record of a key that signs no more stays. */
  readonly overlapMs: number;
  /** How long the revoked record stays. */
  readonly tombstoneMs: number;
  /** Added to what caches may hold. */
  readonly marginMs: number;
  /** Whether a key is kept ready for the day that the active one leaks. */
  readonly standby: boolean;
  /** Whether a private key is made public when its record is gone. */
  readonly reveal: boolean;
  /** The DNS may take so long before a person is told. */
  readonly alertAfterMs: number;
  /** A domain that was found as it should be is looked at again after so long. */
  readonly lookAgainMs: number;
  /** An effect that shows no result is begun again after so long. */
  readonly publishAgainMs: number;
  readonly activateAgainMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** M3AAWG advises two rotations a year or more. Mail may wait five days in a queue (RFC 5321 §4.5.4.1). */
export const DEFAULT_POLICY = {
  algorithms: ["rsa"],
  bits: 2048,
  periodMs: 90 * DAY_MS,
  overlapMs: 7 * DAY_MS,
  tombstoneMs: 30 * DAY_MS,
  marginMs: HOUR_MS,
  standby: false,
  reveal: false,
  alertAfterMs: DAY_MS,
  lookAgainMs: HOUR_MS / 2,
  publishAgainMs: 10 * 60_000,
  activateAgainMs: 0,
} as const satisfies Partial<RotationPolicy>;
