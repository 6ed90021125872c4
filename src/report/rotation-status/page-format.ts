import { createHash } from "node:crypto";
import { escapeHtml } from "./escape-html.ts";
import { algorithmText, dayText, isoTime, KEY_COLUMNS, type KeyStatus, minuteText, stateText } from "./key-status.ts";
import { PAGE_SCRIPT, PAGE_START_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { shareOfWindow, type Tick, type TimeWindow, timeTicks, timeWindow } from "./time-scale.ts";
import { drawLegend, drawTimeline } from "./timeline-drawing.ts";

/** So many rows are shown at once; the script takes the others out before they are laid out. */
const PORTION = 250;

/** A tick's label has room in a column of this many characters. */
const AXIS_ROOM = 55;
const AXIS_GAP = 3;

export interface StatusPageOptions {
  readonly now: number;
  /** In the order of a key's life. */
  readonly states: readonly string[];
}

/**
 * The fleet as one HTML page that needs nothing from elsewhere, and by its policy can load nothing; without its script it
 * is the whole table. @see https://www.w3.org/TR/CSP3/
 */
export function renderStatusPage(keys: readonly KeyStatus[], { now, states }: StatusPageOptions): string {
  const window = timeWindow(keys, now);
  const style = PAGE_STYLE + scaleStyle(window, now);
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(PAGE_START_SCRIPT)}' '${hashOf(PAGE_SCRIPT)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const domains = new Set(keys.map(({ domain }) => domain)).size;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>DKIM keys</title>
<style>${style}</style>
<script>${PAGE_START_SCRIPT}</script>
</head>
<body>
<h1>DKIM keys</h1>
<p class="faint">${plural(keys.length, "key")} of ${plural(domains, "domain")}, as the journals of dkimctl told at
<time id="made" datetime="${isoTime(now)}">${minuteText(now)} UTC</time>. Times are UTC. What is to come is drawn
faintly, as the policy foresees it.</p>
<p class="notice" id="age" hidden></p>
<ul class="summary" aria-label="Summary">${renderSummary(keys, states)}</ul>
${renderTools()}
<ul class="legend" aria-label="The time line">${drawLegend()}<li class="now">now</li></ul>
<table data-states="${states.map(escapeHtml).join(" ")}" data-portion="${PORTION}">
${renderHead(window)}
${renderBodies(keys, window)}
</table>
<p class="more" hidden><button type="button" id="more"></button></p>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** What a line of the policy allows. */
function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function renderSummary(keys: readonly KeyStatus[], states: readonly string[]): string {
  const count = (field: "urgency" | "state", value: string) => keys.filter((key) => key[field] === value).length;
  const item = (field: "urgency" | "state", value: string, words: string) => {
    const number = count(field, value);
    const text = escapeHtml(value);
    return number === 0 ? "" : `<li class="${text}"><a href="#q=${field}:${text}"><b>${number}</b> ${words}</a></li>`;
  };
  return [
    item("urgency", "compromised", "compromised"),
    item("urgency", "late", "late"),
    item("urgency", "soon", "due soon"),
    ...states.map((state) => item("state", state, escapeHtml(state))),
  ].join("");
}

function renderTools(): string {
  const orders = KEY_COLUMNS.map(
    (name) => `<option value="${name}">${name}</option><option value="-${name}">${name}, reversed</option>`,
  );
  return `<form class="tools" role="search">
<div><label for="q">Search</label><input type="search" id="q" autocomplete="off" spellcheck="false" aria-describedby="hint"><small id="hint">words; also domain:… selector:… state:… next:… urgency:late</small></div>
<div><label for="sort">Order</label><select id="sort"><option value="">as given</option>${orders.join("")}</select></div>
<output id="count" for="q" aria-live="polite"></output>
</form>`;
}

function renderHead(window: TimeWindow): string {
  const heads = KEY_COLUMNS.map(
    (name) => `<th scope="col" data-sort="${name}">${name[0]?.toUpperCase()}${name.slice(1)}</th>`,
  );
  const ticks = ticksOf(window).map(({ label }, index) => `<span class="t${index}">${label}</span>`);
  return `<thead><tr>${heads.join("")}<th scope="col" class="time" aria-label="Time line"><div class="axis">${ticks.join("")}</div></th></tr></thead>`;
}

function renderBodies(keys: readonly KeyStatus[], window: TimeWindow): string {
  const bodies: string[] = [];
  for (let from = 0; from === 0 || from < keys.length; from += PORTION) {
    const rows = keys.slice(from, from + PORTION).map((key) => renderRow(key, window));
    bodies.push(`<tbody>\n${rows.join("\n")}\n</tbody>`);
  }
  return bodies.join("\n");
}

function renderRow(key: KeyStatus, window: TimeWindow): string {
  const { urgency, due } = key;
  const classes = [...(urgency === "calm" ? [] : [urgency]), ...(key.isLive ? [] : ["gone"])];
  const attributes = [
    classes.length === 0 ? "" : ` class="${classes.join(" ")}"`,
    urgency === "calm" ? "" : ` data-urgency="${urgency}"`,
  ].join("");
  const time = due === undefined ? "" : `<time datetime="${isoTime(due)}">${dayText(due)}</time>`;
  const cells = [
    escapeHtml(key.selector),
    escapeHtml(algorithmText(key)),
    escapeHtml(stateText(key)),
    minuteText(key.since),
    escapeHtml(key.next),
    `${time}${key.dueText === "" ? "" : ` <small>${escapeHtml(key.dueText)}</small>`}`,
  ].map((cell, index) =>
    index === 2 && key.state === "active" ? `<td class="active">${cell}</td>` : `<td>${cell}</td>`,
  );
  return `<tr${attributes}><th scope="row">${escapeHtml(key.domain)}</th>${cells.join("")}<td class="time">${drawTimeline(key.timeline, window)}</td></tr>`;
}

/** Those whose label ends within the drawing. */
function ticksOf(window: TimeWindow): Tick[] {
  const charMs = (window.until - window.from) / AXIS_ROOM;
  return timeTicks(window, AXIS_ROOM, AXIS_GAP).filter(
    ({ time, label }) => time + label.length * charMs < window.until,
  );
}

/** Where the ticks and the line of now are: style attributes would need a weaker policy. */
function scaleStyle(window: TimeWindow, now: number): string {
  const percent = (time: number) => `${Math.round(shareOfWindow(time, window) * 1e5) / 1e3}%`;
  const ticks = ticksOf(window);
  const lines = ticks.map(
    ({ time }) => `linear-gradient(var(--grid),var(--grid)) ${percent(time)} 0/1px 100% no-repeat border-box`,
  );
  const labels = ticks.map(({ time }, index) => `.axis .t${index}{left:${percent(time)}}`);
  return `td.time{background:${lines.join(",")}}\ntd.time::before,td.time::after{left:${percent(now)}}\n${labels.join("\n")}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
