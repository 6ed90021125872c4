import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { KeyStatus } from "../../src/report/rotation-status/key-status.ts";
import { renderStatusPage } from "../../src/report/rotation-status/page-format.ts";
import { KEY_STATES } from "../../src/rotation/rotation-key.ts";
import { visit } from "../helpers/chromium.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { fleetJournals, writeFleet } from "../helpers/simulated-fleet.ts";

const peer = requirePeer("chromium");
const NOW = Date.parse("2026-11-21T12:00:00Z");

describe.skipIf(peer.skip)(`the page of status in Chromium ${peer.reason}`, { timeout: 120_000 }, () => {
  let page: string;
  let keyCount: number;
  let store: string;
  beforeAll(async () => {
    store = mkdtempSync(join(tmpdir(), "dkimctl-test-"));
    const journals = await fleetJournals(200, NOW);
    await writeFleet(store, journals);
    const states = KEY_STATES.flatMap((state) => ["--state", state]);
    page = (await runCli(["status", "--html", "-", ...states], { store, now: new Date(NOW) })).stdout;
    keyCount = journals.flatMap(({ keys }) => keys).length;
  }, 120_000);
  afterAll(() => rmSync(store, { recursive: true, force: true }));

  function fileUrl(html: string, fragment = ""): string {
    const path = join(temporaryFolder(), "keys.html");
    writeFileSync(path, html);
    return `${pathToFileURL(path)}${fragment}`;
  }

  const rowsOf = (dom: string) =>
    [
      ...dom.matchAll(
        /<tr[^>]*><th scope="row"[^>]*>([^<]*)<\/th><td[^>]*>([^<]*)<\/td><td[^>]*>[^<]*<\/td><td[^>]*>([^<]*)</g,
      ),
    ].map(([, domain, selector, state]) => ({ domain, selector, state: state ?? "" }));
  const countOf = (dom: string) => /<output[^>]*>([^<]*)</.exec(dom)?.[1];

  test("it shows the first of many keys, from a file, without a word in the console", async () => {
    const { dom, console } = await visit(fileUrl(page));
    expect(console).toEqual([]);
    expect(countOf(dom)).toBe(`${keyCount} keys`);
    expect(keyCount).toBeGreaterThan(250);
    expect(rowsOf(dom)).toHaveLength(250);
    expect(dom).toMatch(/<html lang="en" class="js">/);
  });

  test.each<[string, (key: { domain: string | undefined; state: string }) => boolean]>([
    ["#q=state:ready", ({ state }) => state === "ready"],
    ["#q=customer-7.&sort=-state", ({ domain }) => domain?.includes("customer-7.") === true],
    ["#q=MAIL+tombstone", ({ domain, state }) => domain?.startsWith("mail.") === true && state.startsWith("tombstone")],
    ["#q=nothing-has-this-name", () => false],
  ])("it finds: %s", async (fragment, isFound) => {
    const { dom, console } = await visit(fileUrl(page, fragment));
    expect(console).toEqual([]);
    const expected = rowsOf(page).filter(isFound);
    const found = rowsOf(dom);
    expect(found.length > 0).toBe(!fragment.includes("nothing"));
    expect(countOf(dom)).toBe(`${expected.length} of ${keyCount} keys`);
    expect(new Set(found.map((key) => JSON.stringify(key)))).toEqual(
      new Set(expected.map((key) => JSON.stringify(key))),
    );
  });

  test("it loads nothing but itself", async () => {
    const { url, requests } = await serve({ "/keys.html": page });
    const { console, dom } = await visit(`${url}/keys.html`);
    expect(console).toEqual([]);
    expect(countOf(dom)).toBe(`${keyCount} keys`);
    expect(requests).toEqual(["/keys.html"]);
  });

  test("a breach of its policy would be seen here: a script that was changed does not run", async () => {
    const changed = page.replace('"use strict";', '"use strict"; ');
    const { dom, console } = await visit(fileUrl(changed));
    expect(console.join("\n")).toMatch(/Content Security Policy/);
    expect(rowsOf(dom)).toHaveLength(keyCount);
  });

  test("names that are hostile stay text", async () => {
    const hostile = `<img src=x onerror="document.title='owned'"></title><script>document.title='owned'</script>`;
    const key: KeyStatus = {
      ...{ domain: hostile, selector: hostile, algorithm: hostile, bits: undefined, state: hostile, since: NOW },
      ...{ provenSince: NOW, compromisedAt: NOW, next: hostile, due: NOW, dueText: hostile, urgency: "late" },
      isLive: true,
      timeline: [{ use: "signs", from: NOW - 1, until: NOW + 1 }],
    };
    const { dom, console } = await visit(fileUrl(renderStatusPage([key], { now: NOW, states: KEY_STATES })));
    expect(console).toEqual([]);
    expect(dom).toContain("<title>DKIM keys</title>");
    expect(dom).not.toContain("<img");
    expect(dom).toContain("&lt;img");
  });

  /** Runs a script in a page that holds ours in a frame, and returns what it wrote down. */
  async function drive(script: string, width: number): Promise<unknown> {
    const frame = `<!doctype html><link rel="icon" href="data:,"><iframe id="f" src="keys.html" width="${width}" height="800"></iframe><pre id="result"></pre>
<script>f.onload = async () => {
  const { document: page, location: at } = f.contentWindow;
  const rows = () => page.querySelectorAll("tbody tr");
  const pause = () => new Promise((resolve) => setTimeout(resolve, 300));
  result.textContent = encodeURIComponent(JSON.stringify(await (async () => { ${script} })()));
}</script>`;
    const { url } = await serve({ "/frame.html": frame, "/keys.html": page });
    const { dom, console } = await visit(`${url}/frame.html`, { width: 1400 });
    expect(console).toEqual([]);
    return JSON.parse(decodeURIComponent(/<pre id="result">(.*?)<\/pre>/s.exec(dom)?.[1] ?? "null"));
  }

  test("a person searches, sorts, and asks for more", async () => {
    const result = await drive(
      `const input = page.getElementById("q");
       const seen = [rows().length];
       page.getElementById("more").click();
       seen.push(rows().length);
       input.value = "state:tombstone";
       input.dispatchEvent(new Event("input"));
       await pause();
       const button = page.querySelector("th[data-sort=since] button");
       button.click();
       const times = () => [...rows()].map((row) => row.cells[4].textContent);
       const up = times();
       button.click();
       const down = times();
       const head = button.parentElement.getAttribute("aria-sort");
       return { seen, up, down, head, hash: at.hash, more: page.getElementById("more").parentElement.hidden };`,
      1200,
    );
    const { seen, up, down, ...rest } = result as { seen: number[]; up: string[]; down: string[] };
    expect(seen).toEqual([250, 500]);
    expect(up.length).toBeGreaterThan(50);
    expect(up.length).toBeLessThan(250);
    expect(up).toEqual(up.toSorted());
    expect(down[0]).toBe(up.at(-1));
    expect(rest).toMatchObject({ head: "descending", hash: "#q=state%3Atombstone&sort=-since" });
  });

  test.each([360, 820, 1200])("at %d pixels everything is within the window", async (width) => {
    const result = await drive(
      `const frame = page.documentElement;
       const { width } = rows()[0].querySelector("svg").getBoundingClientRect();
       return { over: frame.scrollWidth - frame.clientWidth, drawn: width > 150, roles: rows()[0].cells[1].getAttribute("role") };`,
      width,
    );
    expect(result).toEqual({ over: 0, drawn: true, roles: "cell" });
  });

  test("who has no script gets every row", async () => {
    const without = page.replace(/<script>.*?<\/script>/gs, "");
    const { dom } = await visit(fileUrl(without));
    expect(rowsOf(dom)).toHaveLength(keyCount);
  });
});

/** Pages of one origin, and which were asked for. */
async function serve(pages: Readonly<Record<string, string>>): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    requests.push(url);
    const page = pages[url];
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
