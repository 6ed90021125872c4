import { UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";

/** A length of time in milliseconds, as people write it: `90d`, `36h`, `2w`, `1h30m`. Made by `parseDuration`. */
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Longer than any key should live; keeps sums of times far from where dates end. */
const LONGEST_MS = 36_525 * 86_400_000;

/** @throws {UsageError} not a sum of whole weeks, days, hours, minutes and seconds, or more than a hundred years */
export function parseDuration(text: string): number {
  const fail = (reason: string) =>
    new UsageError(`${quoteName(text)} is not a length of time: ${reason}`, {
      hint: "write it as 90d, 36h, 2w or 1h30m (w, d, h, m, s)",
    });
  if (!/^([0-9]{1,9}[wdhms])+$/.test(text)) throw fail(/^[0-9]+$/.test(text) ? "it has no unit" : "unknown form");
  let total = 0;
  const seen = new Set<string>();
  for (const [, number = "", unit = ""] of text.matchAll(/([0-9]+)([wdhms])/g)) {
    if (seen.has(unit)) throw fail(`${quoteName(unit)} stands there twice`);
    seen.add(unit);
    total += Number(number) * (UNIT_MS[unit] ?? 0);
  }
  if (total > LONGEST_MS) throw fail("it is more than a hundred years");
  return total;
}

/** In whole units, largest first, so that `parseDuration` reads it back. @param ms whole seconds */
export function formatDuration(ms: number): string {
  let left = Math.round(ms / 1000) * 1000;
  const parts = ["d", "h", "m", "s"].map((unit) => {
    const size = UNIT_MS[unit] ?? 1;
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? "" : `${count}${unit}`;
  });
  return parts.join("") || "0s";
}

/** For people: the two largest units, `6d 4h`; `less than a minute` is told as seconds. */
export function roughDuration(ms: number): string {
  const whole = formatDuration(Math.max(0, ms));
  return (whole.match(/[0-9]+[dhms]/g) ?? ["0s"]).slice(0, 2).join(" ");
}
