import type { KeyStatus } from "./key-status.ts";

/** The stretch of time that a drawing shows. Milliseconds since the epoch. */
export interface TimeWindow {
  readonly from: number;
  readonly until: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of keys that are older or live longer than nearly all others, the drawing shows a part: theirs would hide the rest. */
const SHOWN_SHARE = 0.95;
/** The past is shown for no longer than so many times what is to come. */
const PAST_TO_FUTURE = 3;

/** From when to when the keys are drawn. `now` is always within it. */
export function timeWindow(keys: readonly Pick<KeyStatus, "timeline">[], now: number): TimeWindow {
  const starts = keys.flatMap(({ timeline }) => timeline[0]?.from ?? []).sort((a, b) => b - a);
  const ends = keys
    .flatMap((key) => lastChange(key) ?? [])
    .filter((time) => time > now)
    .sort((a, b) => a - b);
  const share = (times: readonly number[]) => times[Math.ceil(times.length * SHOWN_SHARE) - 1] ?? now;
  const until = Math.max(share(ends), now + HOUR_MS);
  const from = Math.min(share(starts), now - HOUR_MS);
  const coming = until - now;
  // Where nothing is to come, it is the past that somebody wants to see.
  const shownPast = coming <= HOUR_MS ? Number.POSITIVE_INFINITY : Math.max(PAST_TO_FUTURE * coming, DAY_MS);
  // An edge: what ends or begins there can be told from what goes on.
  const edge = (until - Math.max(from, now - shownPast)) / 50;
  return { from: Math.max(from, now - shownPast) - edge, until: until + edge };
}

/** Where in the window a moment is: 0 where it begins, or before, to 1 where it ends, or after. */
export function shareOfWindow(time: number, { from, until }: TimeWindow): number {
  return Math.min(1, Math.max(0, (time - from) / (until - from)));
}

/** When the last thing happens to the key that is known to. */
function lastChange({ timeline }: Pick<KeyStatus, "timeline">): number | undefined {
  return timeline.map(({ from, until }) => (until === Number.POSITIVE_INFINITY ? from : until)).at(-1);
}

/** A moment that people count by. */
export interface Tick {
  readonly time: number;
  readonly label: string;
}

interface Step {
  readonly averageMs: number;
  readonly months?: number;
  readonly label: (time: Date) => string;
}

const isoPart = (from: number, to: number) => (time: Date) => time.toISOString().slice(from, to);
const day = isoPart(0, 10);
const month = isoPart(0, 7);

const STEPS: readonly Step[] = [
  ...[1, 3, 6, 12].map((hours) => ({ averageMs: hours * HOUR_MS, label: isoPart(5, 16) })),
  ...[1, 2, 7, 14].map((days) => ({ averageMs: days * DAY_MS, label: day })),
  ...[1, 2, 3, 6].map((months) => ({ averageMs: months * 30.4 * DAY_MS, months, label: month })),
  ...[1, 2, 5, 10, 20, 50, 100].map((years) => ({
    averageMs: years * 365 * DAY_MS,
    months: 12 * years,
    label: isoPart(0, 4),
  })),
];

/**
 * As many ticks as there is room for.
 * @param room in characters, of which each label takes its own and `gap` more
 */
export function timeTicks({ from, until }: TimeWindow, room: number, gap: number): Tick[] {
  const step =
    STEPS.find(({ averageMs, label }) => ((until - from) / averageMs) * (label(new Date(from)).length + gap) <= room) ??
    STEPS.at(-1);
  const ticks: Tick[] = [];
  if (step === undefined) return ticks;
  for (let count = 0, time = from; time < until; count++) {
    time = tickTime(from, step, count);
    if (time >= from && time < until) ticks.push({ time, label: step.label(new Date(time)).replace("T", " ") });
  }
  return ticks;
}

/** UTC, at multiples of the step. */
function tickTime(from: number, { averageMs, months }: Step, count: number): number {
  if (months === undefined) return (Math.floor(from / averageMs) + count) * averageMs;
  const start = new Date(from);
  const first = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months);
  const month = (first + count) * months;
  return Date.UTC(Math.floor(month / 12), month % 12);
}
