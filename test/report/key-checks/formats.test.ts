import { describe, expect, test } from "vitest";
import { parseKeyName } from "../../../src/keys/key-name.ts";
import { escapeXml } from "../../../src/report/key-checks/junit-format.ts";
import { nagiosStatus } from "../../../src/report/key-checks/nagios-format.ts";
import { renderChecks, sampleKeys, testedOutcome } from "../../helpers/tested-keys.ts";

const NONE = { pass: 0, fail: 0, revoked: 0, temporary: 0, error: 0, skipped: 0 };

/** What would do harm in one form or another, had nobody escaped it. */
const HOSTILE = `<b>&"'|%0A::error::#\\ ]]> {}, é ::`;

describe("every form", () => {
  test.each(["text", "table", "json", "ndjson", "junit", "tap", "nagios", "prometheus", "github"] as const)(
    "%s ends with a line end, and the same answers make the same bytes",
    async (format) => {
      const text = await renderChecks(format, sampleKeys(HOSTILE));
      expect(text).toMatch(/[^\n]\n$/);
      expect(await renderChecks(format, sampleKeys(HOSTILE))).toBe(text);
    },
  );
});

describe("text", () => {
  test("has a table of the servers where they differ, and none without servers", async () => {
    const server = { zone: "a.example", nameServer: "ns.a.example", address: "192.0.2.1", serial: 7, problem: null };
    const authoritative = { state: "unknown", reason: "", serialsDiffer: false } as const;
    const render = (servers: readonly (typeof server)[]) =>
      renderChecks("text", [
        {
          ...{ index: 1, name: parseKeyName("a.example", "s1"), location: "" },
          outcome: testedOutcome("temporary", "zone-unknown", "no zone", {
            authoritative: { ...authoritative, servers: servers.map((each) => ({ ...each, serves: null })) },
          }),
        },
      ]);
    expect((await render([server])).split("\n")).toHaveLength(5);
    expect(await render([])).toBe(
      "TESTING#1 a.example: s1._domainkey.a.example => temporary: no zone\n1 key: 1 temporary\n",
    );
  });
});

describe("ndjson", () => {
  test("is a line for each key, then the summary", async () => {
    const lines = (await renderChecks("ndjson", sampleKeys(HOSTILE))).trimEnd().split("\n");
    const documents = lines.map((line) => JSON.parse(line));
    expect(documents.map(({ kind, verdict }) => verdict ?? kind)).toEqual([
      ...["pass", "pass", "fail", "fail", "revoked", "temporary", "error", "skipped"],
      "summary",
    ]);
    expect(documents.every(({ schema }) => schema === "dkimctl/testkeys/1")).toBe(true);
    expect(documents.at(-1).summary).toMatchObject({ pass: 2, fail: 2, skipped: 1 });
    const whole = JSON.parse(await renderChecks("json", sampleKeys(HOSTILE)));
    expect(whole.checks).toEqual(documents.slice(0, -1).map(({ schema, kind, ...check }) => check));
  });
});

describe("junit", () => {
  test("is a suite for each domain, counted", async () => {
    const text = await renderChecks("junit", sampleKeys());
    expect(text.match(/<testsuite .*>/g)).toEqual([
      '<testsuite name="a.example" tests="4" failures="2" errors="0">',
      '<testsuite name="b.example" tests="4" failures="1" errors="3">',
    ]);
    expect(text).toContain(
      '<failure message="harmless" type="fail.no-name">this very key is published at s1.example.com',
    );
  });

  test.each([
    ["<&>\"'", "&lt;&amp;&gt;&quot;&apos;"],
    ["\u0000\u001b\u007f\u009b", "\\u{0}\\u{1b}\\u{7f}\\u{9b}"],
    ["\ufffe\uffff\ud800", "\\u{fffe}\\u{ffff}\\u{d800}"],
    ["a\tb\nc 😀", "a\tb\nc 😀"],
  ])("escapes %j", (text, expected) => {
    expect(escapeXml(text)).toBe(expected);
  });
});

describe("tap", () => {
  test("lets nothing pass that is not proven, and has the plan at the end", async () => {
    const lines = (await renderChecks("tap", sampleKeys(HOSTILE))).split("\n");
    expect(lines[0]).toBe("TAP version 13");
    expect(lines.filter((line) => /^(not )?ok/.test(line)).map((line) => line.replace(/ - .*/, ""))).toEqual([
      ...["ok 1", "ok 2", "not ok 3", "not ok 4", "not ok 5", "not ok 6", "not ok 7", "not ok 8"],
    ]);
    expect(lines.at(-2)).toBe("1..8");
  });
});

describe("nagios", () => {
  test("begins with its state, the worst key, and performance data behind the only |", async () => {
    const [first = "", ...rest] = (await renderChecks("nagios", sampleKeys(HOSTILE))).split("\n");
    const [status, data, ...more] = first.split("|");
    expect(status).toMatch(/^DKIM CRITICAL - 8 keys: 2 pass, 2 fail, .*; s3\._domainkey\.a\.example => fail: /);
    expect(data).toMatch(/^pass=2;;;0;8 fail=2;;;0;8( [a-z]+=\d+;;;0;8)+$/);
    expect([...more, ...rest].join("")).not.toContain("|");
    expect(rest).toHaveLength(8);
  });

  test("says no more than Nagios reads", async () => {
    const outcome = testedOutcome("fail", "no-name", "x".repeat(1000));
    const keys = Array.from({ length: 500 }, (_, at) => ({ ...sampleKeys()[0], index: at + 1, outcome }));
    const text = await renderChecks("nagios", keys as ReturnType<typeof sampleKeys>);
    expect(text.length).toBeLessThan(8192);
    expect(text).toMatch(/\nand 480 more\n$/);
  });

  test.each([
    [{ pass: 3 }, 0, 0, 0],
    [{ pass: 3 }, 1, 0, 1],
    [{ pass: 3 }, 1, 1, 3],
    [{ pass: 3, fail: 1, temporary: 1 }, 1, 0, 2],
    [{ pass: 3, revoked: 1 }, 0, 0, 2],
    [{ pass: 3, temporary: 1 }, 1, 0, 3],
    [{ pass: 3, error: 1 }, 0, 0, 3],
    [{ pass: 3, skipped: 1 }, 0, 0, 3],
    [{}, 0, 1, 3],
  ])("%j with %i warned and %i unnamed: %i", (tally, warned, unnamed, expected) => {
    expect(nagiosStatus({ tally: { ...NONE, ...tally }, warned, unnamed })).toBe(expected);
  });
});

describe("prometheus", () => {
  test("has the samples of each metric together, and a problem only where there is one", async () => {
    const lines = (await renderChecks("prometheus", sampleKeys(HOSTILE))).trimEnd().split("\n");
    const names = lines.filter((line) => !line.startsWith("#")).map((line) => line.replace(/[{ ].*/, ""));
    const runs = names.filter((name, at) => name !== names[at - 1]);
    expect(new Set(runs).size).toBe(runs.length);
    expect(lines.filter((line) => line.startsWith("dkimctl_key_problem")).length).toBe(6);
    expect(lines).toContain('dkimctl_key_ok{domain="a.example",selector="s3"} 0');
  });
});

describe("github", () => {
  test("escapes what would end or begin a command", async () => {
    const lines = (await renderChecks("github", sampleKeys(HOSTILE))).trimEnd().split("\n");
    expect(lines).toHaveLength(8);
    expect(lines.slice(0, -1).map((line) => line.split(" ")[0])).toEqual([
      ...["::warning", "::error", "::error", "::error", "::warning", "::error", "::warning"],
    ]);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^::[a-z]+ title=DKIM [a-z0-9._]+::[^\r\n]+$/);
    expect(lines[1]).toContain("|%250A::error::#");
  });

  test("has one line for a reason of several", async () => {
    const [key] = sampleKeys("one\r\ntwo").slice(2);
    expect(key && (await renderChecks("github", [key]))).toMatch(
      /^::error title=[^\n]*fail: one%0D%0Atwo%0A[^\n]*\n1 key/,
    );
  });
});
