import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { KeyStatus } from "../../../src/report/rotation-status/key-status.ts";
import { renderStatusPage } from "../../../src/report/rotation-status/page-format.ts";
import { KEY_STATES } from "../../../src/rotation/rotation-key.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const KEY: KeyStatus = {
  ...{ domain: "example.com", selector: "k1", algorithm: "rsa", bits: 2048, state: "active", since: NOW - 2 * DAY },
  ...{ provenSince: NOW, compromisedAt: undefined, next: "to be replaced", due: NOW + DAY, dueText: "in 1d" },
  isLive: true,
  urgency: "soon",
  timeline: [{ use: "signs", from: NOW - 2 * DAY, until: NOW + DAY }],
};

const render = (keys: readonly KeyStatus[]) => renderStatusPage(keys, { now: NOW, states: KEY_STATES });

/** What stands between the tags of an element, each time. */
const contents = (page: string, tag: string) =>
  [...page.matchAll(new RegExp(`<${tag}(?: [^>]*)?>(.*?)</${tag}>`, "gs"))].map(([, content]) => content ?? "");

describe("the page of the fleet", () => {
  test("tells each key in a row of a real table", () => {
    const page = render([
      KEY,
      { ...KEY, domain: "example.org", bits: undefined, algorithm: "ed25519", due: undefined },
    ]);
    const rows = contents(contents(page, "tbody").join(""), "tr");
    expect(rows).toHaveLength(2);
    expect(contents(rows[0] ?? "", "th")).toEqual(["example.com"]);
    expect(contents(rows[0] ?? "", "td").slice(0, 6)).toEqual([
      ...["k1", "rsa 2048", "active", "2026-11-19 12:00", "to be replaced"],
      '<time datetime="2026-11-22T12:00:00.000Z">2026-11-22</time> <small>in 1d</small>',
    ]);
    expect(contents(rows[0] ?? "", "title")).toEqual(["signs 2026-11-19 – 2026-11-22"]);
  });

  test("by its policy runs the scripts and wears the style that it has, and can load nothing", () => {
    const page = render([KEY]);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    expect(policy?.split("; ")).toEqual([
      "default-src 'none'",
      `style-src ${contents(page, "style").map(hash).join(" ")}`,
      `script-src ${contents(page, "script").map(hash).join(" ")}`,
      ...["img-src data:", "base-uri 'none'", "form-action 'none'"],
    ]);
    expect(page).not.toMatch(/\b(?:https?:)?\/\/[a-z]|@import|url\(|\sstyle=|\son[a-z]+=/i);
  });

  test("what is hostile is text", () => {
    const hostile = `</td><script>alert("1")</script>&lt;'\u202e\u0007`;
    const page = render([
      {
        ...KEY,
        domain: hostile,
        selector: hostile,
        algorithm: hostile,
        state: hostile,
        next: hostile,
        dueText: hostile,
      },
    ]);
    expect(contents(page, "script")).toHaveLength(2);
    expect(page).not.toContain('alert("1")');
    expect(page).not.toMatch(/[\u202e\u0007]/);
    expect(
      page.split("&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;lt;&#39;\\u{202e}\\u{7}").length,
    ).toBe(7);
  });

  test("sums up: what is urgent first, then each state that there is", () => {
    const page = render([
      KEY,
      { ...KEY, urgency: "compromised" },
      { ...KEY, urgency: "late", state: "draining" },
      { ...KEY, urgency: "late", state: "draining" },
    ]);
    const [summary = ""] = contents(page, "ul");
    expect(contents(summary, "a").map((text) => text.replace(/<[^>]*>/g, ""))).toEqual([
      ...["1 compromised", "2 late", "1 due soon", "2 active", "2 draining"],
    ]);
    expect(summary).toContain('href="#q=urgency:late"');
  });

  test("a large fleet comes in portions, of which the browser lays out the first", () => {
    const page = render(Array.from({ length: 600 }, () => KEY));
    expect(contents(page, "tbody").map((body) => contents(body, "tr").length)).toEqual([250, 250, 100]);
  });

  test("a key that nothing happens to any more stands back", () => {
    const page = render([KEY, { ...KEY, state: "revealed", isLive: false, urgency: "calm" }]);
    expect(page.match(/<tr [^>]*>/g)).toEqual(['<tr class="soon" data-urgency="soon">', '<tr class="gone">']);
  });

  test("an empty fleet is a page too", () => {
    expect(render([])).toContain("0 keys of 0 domains");
  });
});
