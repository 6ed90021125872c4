import type { Selector } from "../keys/selector.ts";
import { roughDuration } from "./duration.ts";
import { nextSelector } from "./next-selector.ts";
import type { Observation } from "./observation.ts";
import { planKey } from "./plan-key.ts";
import {
  isCandidate,
  type Journal,
  KEY_STATES,
  type KeyState,
  liveKeys,
  type RotationAlgorithm,
  stateSince,
} from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { isUsable, periodEnd } from "./rotation-times.ts";
import type { SignerNames } from "./signer-names.ts";

/** One thing to do now, and why. Any order of the steps of a plan is safe. */
export type Step =
  /** Reserve the name, make the private key. */
  | {
      readonly kind: "create";
      readonly selector: Selector;
      readonly algorithm: RotationAlgorithm;
      readonly why: string;
    }
  | { readonly kind: "publish" | "tombstone" | "withdraw"; readonly selector: Selector; readonly why: string }
  /** What was observed moves the key on. */
  | { readonly kind: "advance"; readonly selector: Selector; readonly to: KeyState; readonly why: string }
  /** The signer changes to `selectors`; `retired` sign no more. With nothing retired, it goes back to what it used. */
  | {
      readonly kind: "activate";
      readonly selectors: readonly Selector[];
      readonly retired: readonly Selector[];
      readonly why: string;
    }
  /** Destroy the private key: its record is proven absent. */
  | { readonly kind: "destroy"; readonly selector: Selector; readonly why: string }
  /** Make the private key public before that; one that something else still uses is destroyed under this name only. */
  | { readonly kind: "reveal"; readonly selector: Selector; readonly why: string };

/** What a key waits for. */
export interface Wait {
  /** `undefined`: the domain as a whole. */
  readonly selector: Selector | undefined;
  readonly what: string;
  /** `undefined`: until the DNS or a person has done something. */
  readonly until: number | undefined;
  /** What is true now must stay so until then: every run sees to it. */
  readonly unbroken?: true;
}

/** What somebody should know. Escaped. */
export interface RotationFinding {
  /** `person`: it will not mend itself. `waiting`: it may, and nothing is lost so far. */
  readonly level: "person" | "waiting";
  readonly selector?: Selector | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface RotationPlan {
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  readonly findings: readonly RotationFinding[];
}

export interface PlanInput {
  /** With the observations absorbed. */
  readonly journal: Journal;
  readonly policy: RotationPolicy;
  /** By selector, of all keys that are not gone. */
  readonly observations: ReadonlyMap<string, Observation>;
  readonly now: number;
  /** When the last run looked at its clock. */
  readonly lastRunAt?: number | undefined;
  /** What the signer's configuration says; `undefined`: nobody has told where it is. */
  readonly named?: SignerNames | undefined;
  /** When the clock was set forward: what began before is measured from then. */
  readonly clockSetAt?: number | undefined;
  /** Selectors that the store has, whoever made them: of the live keys, and all others that are known of. */
  readonly taken: ReadonlySet<string>;
  /** Eight random hex digits at each call. */
  readonly random: () => string;
}

/** A clock that is corrected by so much troubles nobody; the margin is larger. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * What is to be done at this moment. Pure.
 * @throws {UsageError} no selector can be made with the template, or it would be too long
 */
export function planRotation(input: PlanInput): RotationPlan {
  const { journal } = input;
  const clock = clockFinding(input);
  if (clock !== undefined) return { steps: [], waits: [], findings: [clock] };
  const parts = [...liveKeys(journal).map((key) => planKey(key, input)), planSuccession(input)];
  return {
    steps: parts.flatMap(({ steps }) => steps),
    waits: parts.flatMap(({ waits }) => waits),
    findings: parts.flatMap(({ findings }) => findings),
  };
}

/**
 * That the clock is behind what has been seen of it: then no time may be measured or written down.
 * @param journal absent: what is asked holds for every domain
 */
export function clockFinding({
  journal,
  lastRunAt = 0,
  now,
}: Pick<PlanInput, "lastRunAt" | "now"> & Partial<Pick<PlanInput, "journal">>): RotationFinding | undefined {
  const latest = Math.max(journal === undefined ? 0 : latestTime(journal), lastRunAt);
  if (latest <= now + CLOCK_TOLERANCE_MS) return undefined;
  const message = `an earlier run was at ${new Date(latest).toISOString()}, ${roughDuration(latest - now)} from now: the clock was or is wrong, and nothing is done`;
  return { level: "person", message, hint: "see to the clock of this host" };
}

/** Why the keys that sign now are to be replaced; `undefined`: they are not yet. */
function dueReason({ journal, policy, now, taken }: PlanInput): string | undefined {
  const active = journal.keys.filter(({ state }) => state === "active");
  const missing = policy.algorithms.find((algorithm) => !active.some((key) => key.algorithm === algorithm));
  if (active.length === 0) return "no key signs yet";
  if (missing !== undefined) return `no ${missing} key signs yet`;
  const compromised = active.find((key) => key.compromisedAt !== undefined);
  if (compromised !== undefined) return `${compromised.selector} is compromised`;
  const lost = active.find(({ selector }) => !taken.has(selector));
  if (lost !== undefined) return `the private key of ${lost.selector} is lost`;
  const oldest = Math.min(...active.map(stateSince));
  if (journal.rotationAskedAt !== undefined && journal.rotationAskedAt >= oldest) return "asked for";
  return now >= oldest + policy.periodMs ? `the active key is ${roughDuration(now - oldest)} old` : undefined;
}

function planSuccession(input: PlanInput): RotationPlan {
  const { journal, policy, now, taken, clockSetAt } = input;
  const steps: Step[] = [];
  const waits: Wait[] = [];
  const findings: RotationFinding[] = [];
  const due = dueReason(input);
  const active = journal.keys.filter(({ state }) => state === "active");
  const next = policy.algorithms.map((algorithm) => ({
    algorithm,
    key: journal.keys.find(
      (key) => key.algorithm === algorithm && isCandidate(key) && (key.record === undefined || taken.has(key.selector)),
    ),
  }));
  const end = Math.min(...active.map((key) => periodEnd(key, policy)));
  const nextRotation: Wait = { selector: undefined, what: "rotation", until: end };
  if (due === undefined && !policy.standby) waits.push(nextRotation);
  const planned = new Set<string>();
  for (const { algorithm, key } of next) {
    if (key !== undefined || (due === undefined && !policy.standby)) continue;
    const choice = nextSelector(algorithm, planned, input);
    if (choice.selector === undefined) {
      waits.push({ selector: undefined, what: "a free selector of the ring", until: choice.freeAt });
      if (due !== undefined && choice.freeAt === undefined) {
        findings.push({
          level: "person",
          message: "every selector of the ring is in use",
          hint: "add one to selector-ring",
        });
      }
      continue;
    }
    planned.add(choice.selector);
    steps.push({ kind: "create", selector: choice.selector, algorithm, why: due ?? "a standby" });
  }
  const keys = next.flatMap(({ key }) => key ?? []);
  const begun = journal.keys.filter((key) => key.state === "ready" && key.intent?.effect === "activate");
  if (keys.length === next.length && keys.every((key) => isUsable(key, policy, now, clockSetAt))) {
    const last = Math.max(...keys.map((key) => key.intent?.last ?? Number.NEGATIVE_INFINITY));
    if (due === undefined && begun.length === 0) {
      // Without a standby it has been told.
      if (policy.standby) waits.push(nextRotation);
    } else if (now >= last + policy.activateAgainMs) {
      const retired = active.map(({ selector }) => selector);
      const why = due ?? "begun before";
      steps.push({ kind: "activate", selectors: keys.map(({ selector }) => selector), retired, why });
    } else {
      waits.push({ selector: undefined, what: "the signer", until: undefined });
    }
  } else if (begun.length > 0 && active.length > 0) {
    // A run was killed while it changed the signer, and the record of the new key has gone since.
    const selectors = active.map(({ selector }) => selector);
    steps.push({ kind: "activate", selectors, retired: [], why: `${begun[0]?.selector} is no longer proven` });
  }
  return { steps, waits, findings };
}

function latestTime({ keys, rotationAskedAt = 0 }: Journal): number {
  let latest = rotationAskedAt;
  for (const { entered, provenSince = 0, compromisedAt = 0, absentSince = 0, intent } of keys) {
    latest = Math.max(latest, provenSince, compromisedAt, absentSince, intent?.since ?? 0, intent?.last ?? 0);
    for (const state of KEY_STATES) latest = Math.max(latest, entered[state] ?? 0);
  }
  return latest;
}
