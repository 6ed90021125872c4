import { concurrentMap } from "../concurrent-map.ts";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyStatus } from "../report/rotation-status/key-status.ts";
import { roughDuration } from "../rotation/duration.ts";
import type { JournalStore } from "../rotation/journal-store.ts";
import { keyTimeline } from "../rotation/key-timeline.ts";
import { keyUrgency, waitingSince } from "../rotation/key-urgency.ts";
import { type NextStep, nextStep } from "../rotation/next-step.ts";
import {
  isLive,
  type Journal,
  KEY_STATES,
  type KeyState,
  type RotationKey,
  stateSince,
} from "../rotation/rotation-key.ts";
import type { RotationPolicy } from "../rotation/rotation-policy.ts";
import type { Notices } from "./notices.ts";
import { rotationPolicy } from "./rotation-settings.ts";
import type { Settings } from "./settings.ts";

/** Which keys are told of, and in which order. */
export interface StatusSelection {
  readonly includesDomain: (domain: DomainName) => boolean;
  readonly states: ReadonlySet<KeyState>;
  /** Only keys whose next step is due within this time, in milliseconds, or is late. */
  readonly dueWithinMs: number | undefined;
  readonly sort: StatusOrder;
}

export const STATUS_ORDERS = ["domain", "due", "state", "since"] as const;
export type StatusOrder = (typeof STATUS_ORDERS)[number];

export interface StatusRoom {
  readonly cli: CliContext;
  readonly notices: Notices;
  readonly settings: Settings;
  readonly journals: JournalStore;
}

export interface StatusReading {
  /** Those that are selected, in the order that was asked for. */
  readonly keys: readonly KeyStatus[];
  /** The domains that have a journal, damaged or not, whatever is selected. */
  readonly managed: ReadonlySet<DomainName>;
}

/** A store beyond a network answers several at once. */
const READS_AT_ONCE = 16;

/** Reads all journals. One that is damaged is told, makes exit status 1, and stops no other. */
export async function readKeyStatus(selection: StatusSelection, room: StatusRoom): Promise<StatusReading> {
  const { cli, notices, settings, journals } = room;
  const now = cli.now().getTime();
  const managed = new Set(await journals.domains());
  const keys: KeyStatus[] = [];
  for await (const described of concurrentMap([...managed].filter(selection.includesDomain), READS_AT_ONCE, describe)) {
    cli.signal.throwIfAborted();
    keys.push(...described);
  }
  const { states, dueWithinMs } = selection;
  const isDue = ({ due, urgency }: KeyStatus, withinMs: number) =>
    urgency === "late" || urgency === "compromised" || (due !== undefined && due <= now + withinMs);
  const selected = keys.filter(
    (key) => states.has(key.state as KeyState) && (dueWithinMs === undefined || isDue(key, dueWithinMs)),
  );
  return { keys: selected.sort(ORDERS[selection.sort]), managed };

  async function describe(domain: DomainName): Promise<KeyStatus[]> {
    try {
      const journal = await journals.read(domain);
      if (journal !== undefined) return describeKeys(domain, journal, rotationPolicy(domain, settings), now);
      // A store that keeps journals with the keys knows only now that there is none.
      managed.delete(domain);
      return [];
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      notices.error(error);
      cli.exitCode = ExitCode.checkFailed;
      return [];
    }
  }
}

function describeKeys(domain: DomainName, journal: Journal, policy: RotationPolicy, now: number): KeyStatus[] {
  return journal.keys.map((key) => {
    const next = nextStep(key, journal, policy);
    return {
      domain,
      selector: key.selector,
      algorithm: key.algorithm,
      bits: key.bits,
      state: key.state,
      isLive: isLive(key),
      since: stateSince(key),
      provenSince: key.provenSince,
      compromisedAt: key.compromisedAt,
      next: next.what,
      due: next.due,
      dueText: dueText(key, next, now),
      urgency: keyUrgency(key, next, policy, now),
      timeline: keyTimeline(key, journal, policy, now),
    };
  });
}

/** A run that comes each hour is not late before that. */
const NOW_MS = 3_600_000;

function dueText(key: RotationKey, { due }: NextStep, now: number): string {
  if (due === undefined) {
    const since = waitingSince(key);
    return since < now ? `waiting ${roughDuration(now - since)}` : "";
  }
  if (due > now) return `in ${roughDuration(due - now)}`;
  return now - due < NOW_MS ? "now" : `${roughDuration(now - due)} late`;
}

type Comparison = (a: KeyStatus, b: KeyStatus) => number;

const byState: Comparison = (a, b) => rank(a) - rank(b);
const rank = ({ state }: KeyStatus) => KEY_STATES.indexOf(state as KeyState);
const bySince: Comparison = (a, b) => a.since - b.since;
const byDomain: Comparison = (a, b) => compare(a.domain, b.domain) || compare(b.algorithm, a.algorithm);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The journal has a domain's keys in the order in which they were made; each sort keeps it where nothing else tells. */
const ORDERS: Readonly<Record<StatusOrder, Comparison>> = {
  domain: byDomain,
  due: (a, b) => (a.due ?? Number.MAX_VALUE) - (b.due ?? Number.MAX_VALUE),
  state: byState,
  since: bySince,
};
