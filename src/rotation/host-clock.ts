import { CLOCK_TOLERANCE_MS } from "./plan.ts";

/** What the clocks of a host said at one moment. */
export interface ClockReading {
  /** The clock that people set: milliseconds since the epoch. */
  readonly now: number;
  /** Another value after each start of the host. */
  readonly bootId: string;
  /** For how long the host has been up, which nobody can set; milliseconds. */
  readonly uptimeMs: number;
  /** When the clock was found to have been set forward last. */
  readonly setAt?: number | undefined;
}

/**
 * The reading that is to be kept: with the moment when the clock is found to be set forward, for then time that was
 * measured across that moment has not passed. Across a restart of the host nothing can be told.
 */
export function compareClock(last: ClockReading | undefined, reading: Omit<ClockReading, "setAt">): ClockReading {
  const { now, bootId, uptimeMs } = reading;
  if (last?.bootId !== bootId) return { ...reading, setAt: last?.setAt };
  const counted = now - last.now;
  const passed = uptimeMs - last.uptimeMs;
  return { ...reading, setAt: counted > passed + CLOCK_TOLERANCE_MS ? now : last.setAt };
}

/** As a line of text. */
export function formatClockReading({ now, bootId, uptimeMs, setAt }: ClockReading): string {
  return `${JSON.stringify({
    now: new Date(now).toISOString(),
    bootId,
    uptimeMs: Math.round(uptimeMs),
    setAt: setAt === undefined ? undefined : new Date(setAt).toISOString(),
  })}\n`;
}

/** @returns `undefined`: it is not one, and as good as none */
export function parseClockReading(text: string): ClockReading | undefined {
  try {
    const { now, bootId, uptimeMs, setAt }: Record<string, unknown> = JSON.parse(text);
    const reading = { now: Date.parse(String(now)), bootId: String(bootId), uptimeMs: Number(uptimeMs) };
    if (!Number.isFinite(reading.now + reading.uptimeMs)) return undefined;
    const set = setAt === undefined ? undefined : Date.parse(String(setAt));
    return Number.isNaN(set) ? undefined : { ...reading, setAt: set };
  } catch {
    return undefined;
  }
}
