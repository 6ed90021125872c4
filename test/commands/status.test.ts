import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Journal } from "../../src/rotation/rotation-key.ts";
import { type RunCliOptions, runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { fleetJournals, writeFleet } from "../helpers/simulated-fleet.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const UTF8 = { LC_ALL: "", LC_CTYPE: "C.UTF-8", LANG: "C" };

interface Key {
  readonly domain: string;
  readonly selector: string;
  readonly state: string;
  readonly since: string;
  readonly due: string | null;
}

describe("status", () => {
  let journals: readonly Journal[];
  beforeAll(async () => {
    journals = await fleetJournals(12, NOW.getTime());
  });

  async function fleet(count = 12): Promise<string> {
    const store = temporaryFolder();
    await writeFleet(store, journals.slice(0, count));
    return store;
  }

  async function run(argv: string[], options: RunCliOptions) {
    return runCli(["status", ...argv], { now: NOW, ...options });
  }

  async function keysOf(argv: string[], store: string): Promise<Key[]> {
    const { stdout, stderr, exitCode } = await run(["--json", ...argv], { store });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    return (JSON.parse(stdout) as { keys: Key[] }).keys;
  }

  test("tells every key that is not gone, with all its members", async () => {
    const keys = await keysOf([], await fleet());
    const expected = journals.flatMap(({ keys }) => keys.filter(({ state }) => state !== "gone"));
    expect(keys).toHaveLength(expected.length);
    expect(Object.keys(keys[0] ?? {})).toEqual([
      ...["domain", "selector", "algorithm", "bits", "state", "since", "provenSince", "compromisedAt", "next", "due"],
    ]);
  });

  test.each<[string, (key: Key) => string | number]>([
    ["domain", ({ domain }) => domain],
    ["due", ({ due }) => due ?? "~"],
    ["state", ({ state }) => ["new", "published", "ready", "active", "draining", "tombstone", "gone"].indexOf(state)],
    ["since", ({ since }) => since],
  ])("--sort %s", async (order, rank) => {
    const ranks = (await keysOf(["--sort", order, "--state", "gone", "--state", "active"], await fleet())).map(rank);
    expect(new Set(ranks).size).toBeGreaterThan(1);
    expect(ranks).toEqual(ranks.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  });

  test("--due: what happens within that time, and what is late", async () => {
    const store = await fleet();
    const all = await keysOf([], store);
    const due = await keysOf(["--due", "20d"], store);
    const at = (days: number) => new Date(NOW.getTime() + days * 86_400_000).toISOString();
    const isDue = (key: Key) => (key.due === null ? key.state === "new" && key.since <= at(-1) : key.due <= at(20));
    expect(due).toEqual(all.filter(isDue));
    expect(due.some((key) => key.due === null)).toBe(true);
    expect(due.length).toBeGreaterThan(0);
    expect(due.length).toBeLessThan(all.length);
  });

  test("a domain, or a domain and all below it", async () => {
    const store = await fleet();
    const domains = async (...argv: string[]) => [...new Set((await keysOf(argv, store)).map(({ domain }) => domain))];
    expect(await domains("customer-1.example")).toEqual(["customer-1.example"]);
    expect(await domains(".customer-3.example", "customer-4.example")).toEqual([
      ...["customer-4.example", "mail.customer-3.example"],
    ]);
    expect(await domains("Customer-1.Example.")).toEqual(["customer-1.example"]);
  });

  test("a script gets the table, and on a terminal few domains have their lines of time too", async () => {
    const store = await fleet(3);
    const piped = await run([], { store });
    const terminal = { store, isTTY: true, columns: 120, env: { NO_COLOR: "1", ...UTF8 } };
    const shown = await run([], terminal);
    expect(shown.stdout.startsWith(`${piped.stdout}\n`)).toBe(true);
    expect(shown.stdout).toContain("█ signs");
    expect((await run(["--no-timeline"], terminal)).stdout).toBe(piped.stdout);
    expect((await run([], { ...terminal, env: { NO_COLOR: "1", LC_ALL: "C", LANG: "C.UTF-8" } })).stdout).toContain(
      "# signs",
    );
    expect((await run(["--timeline"], { store, env: UTF8 })).stdout).toContain("█ signs");
    expect((await run(["--timeline", "--due", "0s"], { store })).stdout).toBe("");
    const many = { ...terminal, store: await fleet(4) };
    expect((await run([], many)).stdout).not.toContain("signs");
    expect((await run(["--timeline"], many)).stdout).toContain("█ signs");
  });

  test("colour tells what is urgent", async () => {
    const store = temporaryFolder();
    const [journal] = await fleetJournals(1, NOW.getTime() + 200 * 86_400_000);
    const late = { ...journal, keys: journal?.keys.map((key) => ({ ...key, compromisedAt: undefined })) } as Journal;
    await writeFleet(store, [late]);
    const { stdout } = await run(["--state", "active", "--color", "always"], {
      store,
      now: new Date(NOW.getTime() + 400 * 86_400_000),
    });
    expect(stdout).toMatch(/\u001b\[32mactive\u001b\[39m.*to be replaced {2}\u001b\[33m[0-9]+d.* late\u001b\[39m/);
  });

  test("a damaged journal is told and stops no other", async () => {
    const store = await fleet(3);
    const ofLongName = `sha256-${"0".repeat(64)}.json`;
    for (const name of ["customer-1.example.json", ofLongName]) {
      writeFileSync(join(store, ".dkimctl/journal", name), "{");
    }
    const { stdout, stderr, exitCode } = await run([], { store });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/customer-1\.example\.json is damaged/);
    expect(stderr).toContain(`${ofLongName} is damaged`);
    expect(stdout).toMatch(/^customer-0\.example .*^customer-2\.example /ms);
  });

  test("domains that nobody manages are named", async () => {
    const store = await fleet(1);
    await runCli(["keygen", "-q", "-d", "other.example", "-t", "ed25519"], { store });
    const { stderr, exitCode } = await run([], { store });
    expect(stderr).toMatch(/the keys of other\.example are not managed\n.*--adopt/);
    const many = ["a", "b", "c"].flatMap((name) => ["-d", `${name}.example`]);
    await runCli(["keygen", "-q", ...many, "-t", "ed25519"], { store });
    expect((await run([], { store })).stderr).toBe(
      "dkimctl: warning: the keys of 4 domains are not managed: a.example, b.example, c.example and others\n" +
        "dkimctl: hint: take them over: dkimctl rotate --adopt, or name domains\n",
    );
    expect(exitCode).toBe(0);
  });

  test("that there is nothing to tell is said, to a person", async () => {
    const store = await fleet(1);
    const typo = await run(["custommer-0.example"], { store });
    expect(typo).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: "dkimctl: rotation manages no key of custommer-0.example\n",
    });
    expect((await run(["custommer-0.example", "--quiet"], { store })).stderr).toBe("");
    expect((await run(["--json"], {})).stderr).toBe("dkimctl: rotation manages no key\n");
    expect((await run(["--due", "0s"], { store })).stderr).toBe("");
  });

  describe("--html", () => {
    test("writes the page in one step, whoever may read the old one, and says nothing", async () => {
      const store = await fleet(3);
      const folder = temporaryFolder();
      const path = join(folder, "keys.html");
      writeFileSync(path, "old", { mode: 0o640 });
      const before = statSync(path).ino;
      const { stdout, stderr, exitCode } = await run(["--html", path], { store });
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: "", exitCode: 0 });
      expect(readFileSync(path, "utf8")).toMatch(/^<!doctype html>.*customer-2\.example.*<\/html>\n$/s);
      expect(statSync(path).ino).not.toBe(before);
      expect(statSync(path).mode & 0o777).toBe(0o640);
      expect(readdirSync(folder)).toEqual(["keys.html"]);
    });

    test("- is standard output; filters and order hold", async () => {
      const { stdout } = await run(["customer-1.example", "--state", "active", "--html", "-"], {
        store: await fleet(3),
      });
      expect([...stdout.matchAll(/<th scope="row">([^<]*)/g)].map(([, domain]) => domain)).toEqual([
        ...["customer-1.example", "customer-1.example"],
      ]);
    });

    test("a file that cannot be written is an error, and nothing is left", async () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, "keys.html"));
      const { exitCode, stderr } = await run(["--html", join(folder, "keys.html")], { store: await fleet(1) });
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(/cannot write .*keys\.html/);
      expect(readdirSync(folder)).toEqual(["keys.html"]);
    });
  });

  test.each([
    [["status", "--html", "x.html", "--json"], /--html does not go with --json or --timeline/],
    [["status", "--html", "x.html", "--timeline"], /--html does not go with/],
    [["status", "--json", "--timeline"], /--json does not go with --timeline/],
    [["status", "--html", ""], /the path after --html is empty/],
    [["status", "--due", "soon"], /is not a length of time/],
    [["status", "--sort", "age"], /it takes domain, due, state, since/],
    [["status", "*.example.com"], /it holds a wildcard/],
    [["rotate", "--html", "x.html"], /--html goes with --status only/],
    [["rotate", "--state", "gone"], /--state goes with --status only/],
    [["rotate", "--no-timeline"], /--timeline goes with --status only/],
  ])("%j is a usage error", async (argv, message) => {
    const { exitCode, stderr } = await runCli(argv);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
