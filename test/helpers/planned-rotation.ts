import { parseSelector } from "../../src/keys/selector.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import type { Agreement, Doubt, Observation } from "../../src/rotation/observation.ts";
import { planRotation, type Step } from "../../src/rotation/plan.ts";
import { isLive, type Journal, type KeyState, type RotationKey } from "../../src/rotation/rotation-key.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../../src/rotation/rotation-policy.ts";
import type { SignerNames } from "../../src/rotation/signer-names.ts";

/* One plan as a table has it: keys and what is seen of them in, sentences out. */

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const NOW = Date.parse("2026-11-21T12:00:00Z");
export const POLICY: RotationPolicy = { ...DEFAULT_POLICY, selector: parseSelectorTemplate("k{n}") };

export function agreed(serves: Agreement["serves"]): Agreement {
  return {
    kind: "agreed",
    serves,
    ttlSeconds: 3600,
    negativeSeconds: 600,
    servedAt: "x",
    zone: "z",
    rrset: [],
    detail: serves,
  };
}
export const doubt = (contradicts: boolean, reason = "ns2 is down"): Doubt => ({
  kind: "doubt",
  contradicts,
  ttlSeconds: 0,
  negativeSeconds: 0,
  reason,
});
export const OURS = agreed("ours");

/** A key that has been in `state` for `ageMs`, and proven as long, with nothing older than 600 s in caches. */
export function key(selector: string, state: KeyState, ageMs: number, more: Partial<RotationKey> = {}): RotationKey {
  return {
    selector: parseSelector(selector),
    algorithm: "rsa",
    state,
    entered: { [state]: NOW - ageMs },
    record: "v=DKIM1; p=x",
    provenSince: NOW - ageMs,
    staleSeconds: 600,
    ttlSeconds: 3600,
    ...more,
  };
}

export interface Case {
  readonly keys: readonly RotationKey[];
  readonly seen?: Readonly<Record<string, Observation>>;
  readonly policy?: Partial<RotationPolicy>;
  readonly journal?: Partial<Journal>;
  readonly lastRunAt?: number;
  readonly clockSetAt?: number;
  /** What the store has beside the keys of the journal that are not gone. */
  readonly taken?: readonly string[];
  /** Keys whose files are gone. */
  readonly lost?: readonly string[];
  /** What the signer's configuration names; a reason when it cannot be read. */
  readonly named?: readonly string[] | string;
  /** A line of that configuration is beyond us. */
  readonly isPartlyRead?: boolean;
}

function signerNames(named: readonly string[] | string, isWhole: boolean): SignerNames {
  if (typeof named === "string") return { kind: "unknown", reason: named };
  const where = (selector: string) => (named.includes(selector) ? "/etc/x:7" : undefined);
  return { kind: "known", source: "/etc/x", isWhole, signing: named, where };
}

/** The plan at `NOW`, of a store that has the private keys of all live keys but the lost ones. */
export function plan({
  keys,
  seen = {},
  policy = {},
  journal = {},
  lastRunAt,
  clockSetAt,
  taken = [],
  lost = [],
  named,
  isPartlyRead = false,
}: Case) {
  const { steps, waits, findings } = planRotation({
    journal: { domain: "example.com", keys, ...journal },
    policy: { ...POLICY, ...policy },
    observations: new Map(Object.entries(seen)),
    now: NOW,
    lastRunAt,
    named: named === undefined ? undefined : signerNames(named, !isPartlyRead),
    clockSetAt,
    taken: new Set(
      [...keys.filter(isLive).map(({ selector }) => selector), ...taken].filter((name) => !lost.includes(name)),
    ),
    random: () => "0badcafe",
  });
  return {
    steps: steps.map(describeStep),
    waits: waits.map(({ what, until }) => (until === undefined ? what : `${what} +${(until - NOW) / HOUR}h`)),
    findings: findings.map(({ level, message }) => `${level}: ${message}`),
    hints: findings.map(({ hint }) => hint),
    why: steps.map(({ why }) => why),
  };
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case "activate":
      return `activate ${step.selectors} for ${step.retired}`;
    case "advance":
      return `${step.selector} -> ${step.to}`;
    default:
      return `${step.kind} ${step.selector}`;
  }
}

export const active = key("old", "active", 10 * DAY);
export const due = key("old", "active", 91 * DAY);
export const intent = (effect: "publish" | "tombstone" | "withdraw" | "activate", ageMs: number) => ({
  intent: { effect, since: NOW - ageMs, last: NOW - ageMs },
});
