import { describe, expect, test } from "vitest";
import {
  type ClockReading,
  compareClock,
  formatClockReading,
  parseClockReading,
} from "../../src/rotation/host-clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-11-21T12:00:00Z");

function reading(now: number, uptimeMs: number, more: Partial<ClockReading> = {}): ClockReading {
  return { now, uptimeMs, bootId: "a", ...more };
}

describe("whether the clock was set forward", () => {
  const last = reading(NOW - HOUR, DAY);
  test.each<[string, ClockReading | undefined, ClockReading, number | undefined]>([
    ["the first run", undefined, reading(NOW, DAY), undefined],
    ["as much time has passed as the clock says", last, reading(NOW, DAY + HOUR), undefined],
    ["a correction of minutes", last, reading(NOW + 4 * 60_000, DAY + HOUR), undefined],
    ["as much as is no matter", last, reading(NOW + 5 * 60_000, DAY + HOUR), undefined],
    ["a moment more than that", last, reading(NOW + 5 * 60_000 + 1, DAY + HOUR), NOW + 5 * 60_000 + 1],
    ["three days at once", last, reading(NOW + 3 * DAY, DAY + HOUR), NOW + 3 * DAY],
    ["it was slow, caught up, and was set right", reading(NOW - DAY, DAY), reading(NOW, DAY + HOUR), NOW],
    ["set back", last, reading(NOW - DAY, DAY + HOUR), undefined],
    ["the host was off for a week", last, reading(NOW + 7 * DAY, HOUR, { bootId: "b" }), undefined],
    ["found before", { ...last, setAt: NOW - DAY }, reading(NOW, DAY + HOUR), NOW - DAY],
    [
      "found before, and the host was off",
      { ...last, setAt: NOW - DAY },
      reading(NOW, HOUR, { bootId: "b" }),
      NOW - DAY,
    ],
  ])("%s", (_, before, now, setAt) => {
    expect(compareClock(before, now).setAt).toBe(setAt);
  });
});

test.each([reading(NOW, DAY), reading(NOW, DAY, { setAt: NOW - DAY })])("is read back", (value) => {
  expect(parseClockReading(formatClockReading(value))).toEqual(value);
});

test.each([
  "",
  "{}",
  "[]",
  "null",
  "2026-11-21T12:00:00Z",
  '{"now":"x","bootId":"a","uptimeMs":1}',
  `{"now":"2026-11-21T12:00:00Z","bootId":"a","uptimeMs":"x"}`,
  `{"now":"2026-11-21T12:00:00Z","bootId":"a","uptimeMs":1,"setAt":"x"}`,
])("%j is as good as none", (text) => {
  expect(parseClockReading(text)).toBeUndefined();
});
