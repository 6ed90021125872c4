import { dayText, type KeySpan, type KeyUse, USE_WORDS, USES } from "./key-status.ts";
import { shareOfWindow, type TimeWindow } from "./time-scale.ts";

/** A drawing is so many units wide and so high, whatever the browser makes of it. */
const WIDTH = 1000;
const HEIGHT = 10;
/** What signs is seen, however short it does. */
const NARROWEST = 2;

interface Shape {
  /** The class that colours it. */
  readonly name: string;
  /** Each use has a height of its own, so that it can be told without colour. */
  readonly top: number;
  readonly height: number;
  /** Drawn as pieces of this width, with gaps of the same. */
  readonly dash?: number;
}

const SHAPES: Readonly<Record<KeyUse, Shape>> = {
  made: { name: "m", top: 4, height: 2, dash: 3 },
  served: { name: "d", top: 3, height: 4 },
  revoked: { name: "r", top: 4, height: 2 },
  signs: { name: "s", top: 0, height: 10 },
};

/** A key's line of time as an `<svg>`, with the same in words as its title. */
export function drawTimeline(timeline: readonly KeySpan[], window: TimeWindow): string {
  const visible = timeline.filter(({ from, until }) => until > window.from && from < window.until);
  const words = timeline.map(({ use, from, until }) => {
    const end = until === Number.POSITIVE_INFINITY ? "" : dayText(until);
    return `${USE_WORDS[use]} ${dayText(from)} – ${end}`.trimEnd();
  });
  const paths = visible.map(({ use, from, until }) => {
    const left = unitOf(from, window);
    return drawPath(SHAPES[use], left, Math.max(unitOf(until, window) - left, use === "signs" ? NARROWEST : 0));
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img"><title>${words.join(", ")}</title>${paths.join("")}</svg>`;
}

/** What the shapes mean: a drawing and its words each. */
export function drawLegend(): string {
  return USES.map((use) => {
    const path = drawPath({ ...SHAPES[use], ...(SHAPES[use].dash && { dash: 100 }) }, 0, WIDTH);
    return `<li><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${path}</svg>${USE_WORDS[use]}</li>`;
  }).join("");
}

function drawPath({ name, top, height, dash }: Shape, left: number, width: number): string {
  const piece = dash ?? width;
  let steps = "";
  for (let done = 0; done < width; done += 2 * piece) {
    const length = Math.min(piece, width - done);
    steps += `${done === 0 ? `M${left} ${top}` : `m${2 * piece} 0`}h${round(length)}v${height}h-${round(length)}z`;
  }
  return steps === "" ? "" : `<path class="${name}" d="${steps}"/>`;
}

/** In tenths of a thousandth of the width. */
function unitOf(time: number, window: TimeWindow): number {
  return round(shareOfWindow(time, window) * WIDTH);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
