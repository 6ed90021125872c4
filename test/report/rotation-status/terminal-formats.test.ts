import { describe, expect, test } from "vitest";
import type { KeyStatus } from "../../../src/report/rotation-status/key-status.ts";
import { renderStatusTable } from "../../../src/report/rotation-status/table-format.ts";
import { timeTicks, timeWindow } from "../../../src/report/rotation-status/time-scale.ts";
import { renderTimeline, type TimelineOptions } from "../../../src/report/rotation-status/timeline-format.ts";
import { createStyle } from "../../../src/terminal/style.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const plain = await createStyle(false);
const colored = await createStyle(true);
const COLOR = /\u001b\[[0-9;]*m/g;

const OLD: KeyStatus = {
  ...{ domain: "example.com", selector: "k1", algorithm: "rsa", bits: 2048, state: "draining", since: NOW - 2 * DAY },
  ...{ provenSince: NOW - 95 * DAY, compromisedAt: undefined, next: "to be revoked", due: NOW + 5 * DAY },
  ...{ dueText: "in 5d", urgency: "soon", isLive: true },
  timeline: [
    { use: "served", from: NOW - 95 * DAY, until: NOW - 92 * DAY },
    { use: "signs", from: NOW - 92 * DAY, until: NOW - 2 * DAY },
    { use: "served", from: NOW - 2 * DAY, until: NOW + 5 * DAY },
    { use: "revoked", from: NOW + 5 * DAY, until: NOW + 35 * DAY },
  ],
};
const YOUNG: KeyStatus = {
  ...{ ...OLD, selector: "k2", state: "active", next: "to be replaced", due: NOW + 88 * DAY, dueText: "in 88d" },
  urgency: "calm",
  timeline: [
    { use: "made", from: NOW - 9 * DAY, until: NOW - 5 * DAY },
    { use: "served", from: NOW - 5 * DAY, until: NOW - 2 * DAY },
    { use: "signs", from: NOW - 2 * DAY, until: NOW + 88 * DAY },
  ],
};
const LEAKED: KeyStatus = {
  ...YOUNG,
  domain: "example.org",
  compromisedAt: NOW,
  urgency: "compromised",
  dueText: "now",
};
const KEYS = [OLD, YOUNG, LEAKED];

const WIDTHS = Array.from({ length: 121 }, (_, index) => 20 + index);

const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.replace(COLOR, "").length));

describe("the table", () => {
  test("for a program: every column, as wide as it comes", () => {
    expect(renderStatusTable(KEYS, { style: plain, columns: undefined })).toBe(
      `domain       selector  algorithm  state                since             next            due
example.com  k1        rsa 2048   draining             2026-11-19 12:00  to be revoked   in 5d
example.com  k2        rsa 2048   active               2026-11-19 12:00  to be replaced  in 88d
example.org  k2        rsa 2048   active, compromised  2026-11-19 12:00  to be replaced  now
`,
    );
  });

  test("80 columns: the domain stands above its keys", () => {
    const keys = KEYS.map((key) => ({ ...key, domain: `mail.${key.domain}` }));
    expect(renderStatusTable(keys, { style: plain, columns: 80 })).toBe(
      `  selector  algorithm  state                since       next            due
mail.example.com
  k1        rsa 2048   draining             2026-11-19  to be revoked   in 5d
  k2        rsa 2048   active               2026-11-19  to be replaced  in 88d
mail.example.org
  k2        rsa 2048   active, compromised  2026-11-19  to be replaced  now
`,
    );
  });

  test("20 columns: a paragraph each", () => {
    expect(renderStatusTable(KEYS.slice(1), { style: plain, columns: 20 })).toBe(
      `example.com
  k2, rsa 2048,
  active
  since 2026-11-19
    to be replaced
    in 88d
example.org
  k2, rsa 2048,
  active,
  compromised
  since 2026-11-19
    to be replaced
    now
`,
    );
  });

  test.each(WIDTHS)("fits %d columns, and colour changes nothing but the colour", (columns) => {
    const text = renderStatusTable(KEYS, { style: plain, columns });
    expect(widest(text)).toBeLessThanOrEqual(columns);
    const painted = renderStatusTable(KEYS, { style: colored, columns });
    expect(painted).not.toBe(text);
    expect(painted.replace(COLOR, "")).toBe(text);
  });

  test("a key that nothing happens to any more is dim", () => {
    const dead: KeyStatus = { ...OLD, state: "revealed", isLive: false, urgency: "calm" };
    expect(renderStatusTable([dead], { style: colored, columns: undefined })).toContain("\u001b[2mrevealed\u001b[22m");
    expect(renderStatusTable([OLD], { style: colored, columns: undefined })).not.toContain("\u001b[2m");
  });

  test("no keys, no table", () => {
    expect(renderStatusTable([], { style: plain, columns: 80 })).toBe("");
  });
});

describe("the lines of time", () => {
  const draw = (options: Partial<TimelineOptions> = {}) =>
    renderTimeline(KEYS, { now: NOW, style: plain, columns: 80, unicode: false, ...options });

  test("who signs when, and what is in the DNS when", () => {
    expect(draw()).toBe(
      `           2026-09     2026-10     2026-11     2026-12     2027-01      2027-02
example.com rsa
  k1  =####################################|=------------
  k2                                    .==|##################################
example.org rsa
  k2                                    .==|##################################
# signs  = in the DNS  - revoked  . not proven  | now  2026-11-21 12:00 UTC
`,
    );
  });

  test("with more characters where the terminal has them", () => {
    const bars = draw({ unicode: true }).split("\n");
    expect(bars[2]).toBe("  k1  ▒████████████████████████████████████│▒░░░░░░░░░░░░");
    expect(bars[6]).toBe("█ signs  ▒ in the DNS  ░ revoked  · not proven  │ now  2026-11-21 12:00 UTC");
  });

  test("20 columns: the key stands above its line, the algorithm below its domain", () => {
    const keys = [{ ...OLD, domain: "a-long-name.of.example.com" }];
    expect(renderTimeline(keys, { now: NOW, style: plain, columns: 20, unicode: false })).toBe(
      `      2026-10
a-long-name.of.exam~
rsa
  k1
##############|----
# signs
= in the DNS
- revoked
. not proven  | now
2026-11-21 12:00 UTC
`,
    );
  });

  test.each(WIDTHS)("fits %d columns, and colour changes nothing but the colour", (columns) => {
    const text = draw({ columns });
    expect(widest(text)).toBeLessThanOrEqual(columns);
    const painted = draw({ columns, style: colored });
    expect(painted).not.toBe(text);
    expect(painted.replace(COLOR, "")).toBe(text);
  });

  test("keys of one set stand together, in whatever order they come", () => {
    const text = renderTimeline([OLD, LEAKED, YOUNG], { now: NOW, style: plain, columns: 80, unicode: false });
    expect(
      text
        .split("\n")
        .filter((line) => /^ *(k|ex)/.test(line))
        .map((line) => line.slice(0, 15).trimEnd()),
    ).toEqual(["example.com rsa", "  k1  =########", "  k2", "example.org rsa", "  k2"]);
  });
});

describe("the scale", () => {
  const lives = (...bounds: [number, number][]) =>
    bounds.map(([from, until]) => ({
      timeline: [{ use: "signs" as const, from: NOW + from * DAY, until: NOW + until * DAY }],
    }));
  const inDays = ({ from, until }: { from: number; until: number }) => [(from - NOW) / DAY, (until - NOW) / DAY];

  test("shows all lives, with an edge", () => {
    expect(inDays(timeWindow(lives([-50, -10], [-20, 50]), NOW))).toEqual([-52, 52]);
  });

  test("one key in a hundred that lives longer does not hide the others", () => {
    const keys = lives(...Array.from({ length: 99 }, (): [number, number] => [-50, 50]), [-5000, 5000]);
    expect(inDays(timeWindow(keys, NOW))).toEqual([-52, 52]);
  });

  test("keys that are gone take nothing from the time to come", () => {
    const keys = lives(...Array.from({ length: 99 }, (): [number, number] => [-50, -1]), [-5, 50]);
    expect(inDays(timeWindow(keys, NOW))).toEqual([-52, 52]);
  });

  test("the past is cut where it is long; where there is nothing else, it is shown", () => {
    expect(inDays(timeWindow(lives([-5000, 25]), NOW))).toEqual([-77, 27]);
    expect(inDays(timeWindow(lives([-5000, -10]), NOW))[0]).toBeLessThan(-5000);
  });

  test("now is in it, whatever comes", () => {
    for (const keys of [[], lives([-3, -2]), lives([2, 3]), lives([-1, Number.POSITIVE_INFINITY])]) {
      const { from, until } = timeWindow(keys, NOW);
      expect(from).toBeLessThan(NOW);
      expect(until).toBeGreaterThan(NOW);
      expect(Number.isFinite(until - from)).toBe(true);
    }
  });

  test.each([
    [0.1, ["11-21 12:00"]],
    [1, ["11-21 12:00", "11-22 00:00"]],
    [10, ["2026-11-26"]],
    [100, ["2026-12", "2027-01", "2027-02"]],
    [1000, ["2027", "2028", "2029"]],
    [100_000, ["2100", "2200"]],
  ])("%d days are counted by round units", (days, labels) => {
    const ticks = timeTicks({ from: NOW, until: NOW + days * DAY }, 40, 2);
    expect(ticks.map(({ label }) => label)).toEqual(expect.arrayContaining(labels));
    expect(ticks.map(({ label }) => label).join("  ").length).toBeLessThanOrEqual(60);
  });
});
