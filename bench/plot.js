/*
 * How cost grows, as a drawing: seconds over the number of keys or records, both on logarithmic scales, so that a straight line
 * at 45 degrees is "ten times as many, ten times as long". No script, and readable on light and on dark pages.
 */

const WIDTH = 760;
const HEIGHT = 430;
const AREA = { left: 70, top: 34, right: 590, bottom: 370 };
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/**
 * @param {readonly { title: string, perSize: Readonly<Record<number, number>> }[]} lines seconds by size
 * @returns {string} SVG
 */
export function plotGrowth(lines) {
  const points = lines.flatMap(({ perSize }) =>
    Object.entries(perSize).map(([size, seconds]) => [Number(size), seconds]),
  );
  const x = scale(
    points.map(([size]) => size),
    AREA.left,
    AREA.right,
  );
  const y = scale(
    points.map(([, seconds]) => seconds),
    AREA.bottom,
    AREA.top,
  );
  const grid = [
    ...x.decades.map((size) => {
      const at = x.place(size);
      return `<path class="grid" d="M${at} ${AREA.top}V${AREA.bottom}"/><text x="${at}" y="${AREA.bottom + 20}" text-anchor="middle">${size.toLocaleString("en")}</text>`;
    }),
    ...y.decades.map((seconds) => {
      const at = y.place(seconds);
      return `<path class="grid" d="M${AREA.left} ${at}H${AREA.right}"/><text x="${AREA.left - 8}" y="${at + 4}" text-anchor="end">${seconds} s</text>`;
    }),
  ];
  const ends = lines.map(({ title, perSize }, index) => {
    const places = Object.entries(perSize).map(([size, seconds]) => [x.place(Number(size)), y.place(seconds)]);
    const color = COLORS[index % COLORS.length];
    const dots = places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3" fill="${color}"/>`).join("");
    const path = `<path d="M${places.map((place) => place.join(" ")).join("L")}" stroke="${color}"/>`;
    return { title, color, drawing: path + dots, end: places.at(-1) };
  });
  // Labels stand at the ends of their lines, and never over each other.
  let free = AREA.top;
  const labels = ends
    .toSorted((a, b) => a.end[1] - b.end[1])
    .map(({ title, color, end: [px, py] }) => {
      const at = Math.max(free, py + 4);
      free = at + 16;
      return `<text x="${AREA.right + 12}" y="${at}" style="fill:${color}">${title}</text><path class="lead" d="M${px + 5} ${py}L${AREA.right + 9} ${at - 4}"/>`;
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">
<title>How the cost of each command grows with the number of keys</title>
<style>text{fill:#444}path{fill:none;stroke-width:2}.grid,.lead{stroke:#8884;stroke-width:1}
@media (prefers-color-scheme:dark){text{fill:#ccc}}</style>
<text x="${AREA.left}" y="20">seconds, by the number of keys or records</text>
${grid.join("\n")}
${ends.map(({ drawing }) => drawing).join("\n")}
${labels.join("\n")}
</svg>
`;
}

/** A logarithmic scale over whole decades. */
function scale(values, from, to) {
  const least = Math.floor(Math.log10(Math.min(...values)));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    decades: Array.from({ length: most - least + 1 }, (_, index) => Number((10 ** (least + index)).toPrecision(1))),
    place: (value) => Math.round(from + ((Math.log10(value) - least) / (most - least)) * (to - from)),
  };
}
