import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { onAbort } from "../../src/dns/abort-watch.ts";
import type { ServerPool } from "../../src/dns/dns2-resolver.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import type { Lookup, Resolver } from "../../src/dns/resolver.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { formatJournal } from "../../src/rotation/journal.ts";
import { type FakeAnswer, fakeLookup, fakeResolver } from "../helpers/fake-resolver.ts";
import { type RunCliOptions, runCli, temporaryFolder } from "../helpers/run-cli.ts";

const key = (number: number) => ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(number));
const record = (number: number) => formatKeyRecord(keyRecordFor(key(number).publicKey));

/** A store of Ed25519 keys: `{ "a.example s1": 1 }`. */
async function storeOf(keys: Readonly<Record<string, number>>): Promise<string> {
  const path = temporaryFolder();
  const store = new DirectoryKeyStore({ path });
  for (const [text, number] of Object.entries(keys)) {
    const [domain = "", selector = ""] = text.split(" ");
    await store.create(parseKeyName(domain, selector), { privateKey: key(number), tags: {} });
  }
  return path;
}

const KEYS = { "a.example s1": 1, "a.example s2": 2, "b.example s1": 3 };
const PUBLISHED = {
  "s1._domainkey.a.example": [record(1)],
  "s2._domainkey.a.example": [record(2)],
  "s1._domainkey.b.example": [record(3)],
};

async function run(
  argv: readonly string[],
  {
    zone = PUBLISHED,
    keys = KEYS,
    ...options
  }: RunCliOptions & {
    zone?: Readonly<Record<string, FakeAnswer>>;
    keys?: Readonly<Record<string, number>>;
  } = {},
) {
  const resolver = fakeResolver(zone);
  const result = await runCli(["testkeys", ...argv], { store: await storeOf(keys), resolver, ...options });
  return { ...result, asked: resolver.asked };
}

describe("testkeys", () => {
  test("all pass", async () => {
    const { exitCode, stdout, stderr } = await run([]);
    expect(stdout).toBe(
      [
        "TESTING#1 a.example: s1._domainkey.a.example => pass",
        "TESTING#2 a.example: s2._domainkey.a.example => pass",
        "TESTING#3 b.example: s1._domainkey.b.example => pass",
        "3 keys: 3 pass\n",
      ].join("\n"),
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  test.each<[string, Readonly<Record<string, FakeAnswer>>, number, RegExp]>([
    [
      "revoked",
      { ...PUBLISHED, "s1._domainkey.b.example": ["v=DKIM1; k=ed25519; p="] },
      1,
      /=> revoked: p= is empty\n/,
    ],
    [
      "missing",
      { ...PUBLISHED, "s1._domainkey.b.example": { status: "no-name" } },
      1,
      /=> fail: no record \(NXDOMAIN\)\n {2}publish: s1\._domainkey\.b\.example\. 3600 IN TXT "v=DKIM1; k=ed25519; p=/,
    ],
    [
      "SERVFAIL",
      { ...PUBLISHED, "s1._domainkey.b.example": { status: "servfail" } },
      4,
      /=> temporary: SERVFAIL from 192\.0\.2\.53\n/,
    ],
    [
      "a failure outweighs a trouble",
      { "s1._domainkey.a.example": { status: "servfail" } },
      1,
      /2 fail, 1 temporary\n$/,
    ],
    [
      "another key of the store",
      { ...PUBLISHED, "s1._domainkey.b.example": [record(2)] },
      1,
      /another key\n {2}the published key is that of s2\._domainkey\.a\.example\n/,
    ],
  ])("%s: exit status and reason", async (_, zone, expected, text) => {
    const { exitCode, stdout } = await run([], { zone });
    expect(stdout).toMatch(text);
    expect(exitCode).toBe(expected);
  });

  test("text from the DNS reaches the terminal escaped, in every form", async () => {
    const zone = { "s1._domainkey.b.example": ["\u001b]0;pwned\u0007 v=DKIM1\n; p=x", "\u009b31m"] };
    for (const format of ["text", "table", "json", "ndjson", "junit", "tap", "nagios", "prometheus", "github"]) {
      const { stdout, stderr } = await run(["b.example", "--format", format], { zone });
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      expect(stdout).not.toBe("");
    }
  });

  test("the same answers make the same bytes", async () => {
    for (const format of ["json", "junit", "prometheus"]) {
      const store = await storeOf(KEYS);
      const once = () => run(["--format", format], { store, zone: { "s1._domainkey.a.example": [record(1)] } });
      expect((await once()).stdout).toBe((await once()).stdout);
    }
  });

  test("one question tells a wildcard for all keys of a domain", async () => {
    const { asked } = await run([]);
    expect(asked.filter((name) => name.includes("dkimctl-"))).toHaveLength(2);
    const wildcard = Object.assign(fakeResolver({}), {
      lookupTxt: async (name: string) => fakeLookup(name, [record(1)]),
    });
    const { stdout, exitCode } = await runCli(["testkeys", "a.example", "--selector", "s1"], {
      store: await storeOf(KEYS),
      resolver: wildcard,
    });
    expect(stdout).toMatch(/=> pass\n {2}warning: a wildcard answers: .* \(DNS-WILDCARD\)\n/);
    expect(exitCode).toBe(0);
  });

  test("wrong names are asked for only when the right one fails", async () => {
    expect(
      (await run([])).asked.filter((name) => !/TXT (s[12]|dkimctl-[0-9a-f]+)\._domainkey\.[ab]\.example$/.test(name)),
    ).toEqual([]);
    const zone = {
      ...PUBLISHED,
      "s1._domainkey.b.example": { status: "no-name" },
      "s1.b.example": [record(3)],
      "_domainkey.s1.b.example": [record(1)],
    } as const;
    const { stdout } = await run(["b.example"], { zone });
    expect(stdout.match(/this very key is published at .*/g)).toEqual([
      'this very key is published at s1.b.example: "._domainkey" is missing',
    ]);
    const swapped = { "s1._domainkey.a.example": [record(2)], "s2._domainkey.a.example": [record(1)] };
    expect((await run(["a.example"], { zone: swapped })).stdout).toMatch(
      /this very key is published at s2\._domainkey\.a\.example: it is at selector s2/,
    );
  });

  test("--adsp-dmarc adds notes, which fail nothing", async () => {
    const zone = {
      ...PUBLISHED,
      "_dmarc.example": { status: "no-name" },
      "_dmarc.a.example": ["v=spf1 -all", "v=DMARC1; p=reject; adkim=s"],
      "_adsp._domainkey.a.example": ["dkim=all"],
    } as const;
    const { stdout, exitCode } = await run(["--adsp-dmarc", "--selector", "s1"], { zone });
    expect(stdout).toContain(
      '  info: _dmarc.a.example asks for "reject"; d=a.example speaks for mail from exactly a.example (adkim=s)\n',
    );
    expect(stdout).toContain("  info: ADSP is published at _adsp._domainkey.a.example; it is historic");
    expect(stdout).toContain("  info: no DMARC record holds for b.example");
    expect(exitCode).toBe(0);
  });
});

describe("selection", () => {
  test.each<[string[], string[]]>([
    [["--selector", "s2"], ["s2._domainkey.a.example"]],
    [["--selector", "S?", "b.example"], ["s1._domainkey.b.example"]],
    [["--selector", "s2", "--selector", "*1"], Object.keys(PUBLISHED)],
  ])("%j", async (argv, names) => {
    const { stdout } = await run([...argv, "--json"]);
    expect(JSON.parse(stdout).checks.map(({ name }: { name: string }) => name)).toEqual(names);
  });

  test("--only-active: what rotation has sign, and every key of a domain that it does not manage", async () => {
    const key = {
      selector: parseSelector("s2"),
      algorithm: "ed25519",
      state: "active",
      entered: { active: 0 },
    } as const;
    const journal = { domain: "a.example", keys: [{ ...key, record: record(2), staleSeconds: 0, ttlSeconds: 60 }] };
    const store = await storeOf(KEYS);
    mkdirSync(join(store, ".dkimctl/journal"), { recursive: true });
    writeFileSync(join(store, ".dkimctl/journal/a.example.json"), formatJournal(journal));
    const { stdout } = await run(["--only-active", "--json"], { store });
    const names = JSON.parse(stdout).checks.map(({ name }: { name: string }) => name);
    expect(names).toEqual(["s2._domainkey.a.example", "s1._domainkey.b.example"]);
  });

  test("that chooses nothing has not passed", async () => {
    expect(await run(["--selector", "x*"])).toMatchObject({
      exitCode: 3,
      stdout: "",
      stderr: expect.stringMatching(/no key in .* is of selector x\*\n$/),
    });
    expect(await run(["--selector", "[x]"])).toMatchObject({ exitCode: 2, stdout: "" });
  });
});

describe("--from-records", () => {
  async function recordsFile(edit = (text: string) => text): Promise<string> {
    const { stdout } = await runCli(["showkeys", "--format", "json"], { store: await storeOf(KEYS) });
    const file = join(temporaryFolder(), "keys.json");
    writeFileSync(file, edit(stdout));
    return file;
  }
  const noStore = { store: temporaryFolder };

  test("compares without a private key, and without a store", async () => {
    const zone = { ...PUBLISHED, "s1._domainkey.b.example": [record(1)] };
    const { exitCode, stdout } = await run(["--from-records", await recordsFile()], { zone, store: noStore.store() });
    expect(stdout.replace(/\n {2}publish.*/, "")).toMatch(
      /s1\._domainkey\.a\.example => pass\n.*s2\._domainkey\.a\.example => pass\n.*s1\._domainkey\.b\.example => fail: the published key is another key\n {2}the published key is that of s1\._domainkey\.a\.example\n/,
    );
    expect(exitCode).toBe(1);
  });

  test("from standard input, with the same choice of domains", async () => {
    const stdin = readFileSync(await recordsFile(), "utf8");
    const { exitCode, stdout } = await run(["--from-records", "-", "b.example"], { stdin, store: noStore.store() });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: "TESTING#1 b.example: s1._domainkey.b.example => pass\n1 key: 1 pass\n",
    });
  });

  test("the order of the file does not matter", async () => {
    const edit = (text: string) => {
      const document = JSON.parse(text);
      return JSON.stringify({ ...document, records: document.records.reverse() }, undefined, 2);
    };
    const { stdout } = await run(["--from-records", await recordsFile(edit)]);
    expect(stdout).toBe((await run([])).stdout);
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ["no JSON", () => "v=DKIM1", /is not JSON/],
    ["another document", () => `{"schema":"dkimctl/testkeys/1","checks":[]}`, /is not what showkeys prints/],
    [
      "no value",
      (text) => text.replaceAll('"value":', '"was":'),
      /record 1: it has no "domain", "selector" and "value"/,
    ],
    [
      "a selector that is none",
      (text) => text.replace('"selector":"s1"', '"selector":"../x"'),
      /record 1: "\.\.\/x" is not a selector/,
    ],
    ["no key in p=", (text) => text.replace(/"value":"[^"]*"/, '"value":"v=DKIM1; p="'), /record 1: its p= is empty/],
    [
      "damaged p=",
      (text) => text.replace(/"value":"[^"]*"/, '"value":"v=DKIM1; k=rsa; p=AAAA"'),
      /record 1: .*\(P-[A-Z0-9-]+/,
    ],
    [
      "one name twice",
      (text) => text.replace('"selector":"s2"', '"selector":"s1"'),
      /s1\._domainkey\.a\.example stands in it twice/,
    ],
  ])("refuses %s", async (_, edit, message) => {
    const { exitCode, stdout, stderr } = await run(["--from-records", await recordsFile(edit)]);
    expect(stderr).toMatch(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });
});

describe("the gate", () => {
  test.each<[string[], number, string]>([
    [
      ["--ignore", "DNS-WILDCRD"],
      2,
      'error: there is no finding "DNS-WILDCRD"\ndkimctl: hint: did you mean DNS-WILDCARD?',
    ],
    [["--ignore", "qqqqqqqq"], 2, "hint: reports name the code of each finding in parentheses"],
    [["--fail-on", "info"], 2, "it takes error, warning"],
    [["--expect", "fail"], 2, "it takes pass, revoked"],
    [["--authoritative", "--require-dnssec"], 2, "use --both with --require-dnssec"],
    [["--wait-timeout", "3"], 2, "--wait-timeout has nothing to wait for"],
    [["--server", "tls:"], 2, "is not a DNS server"],
    [["--ca", "missing.pem"], 3, "cannot read"],
    [["--rate", "0"], 2, "whole number of queries a second"],
    [["--deadline", "0"], 2, "whole number of seconds"],
    [["--only-active", "--from-records", "x"], 2, "--only-active reads the store"],
  ])("%j: %i", async (argv, status, message) => {
    const { exitCode, stdout, stderr } = await run(argv);
    expect(stderr).toContain(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: status, stdout: "" });
  });

  test("--ca wants certificates", async () => {
    const file = join(temporaryFolder(), "ca.pem");
    writeFileSync(file, "nothing");
    expect(await run(["--ca", file])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("holds no certificate"),
    });
  });

  test("--expect revoked", async () => {
    const zone = { ...PUBLISHED, "s1._domainkey.b.example": ["v=DKIM1; k=ed25519; p="] };
    expect(await run(["b.example", "--expect", "revoked"], { zone })).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout } = await run(["a.example", "--selector", "s1", "--expect", "revoked"], { zone });
    expect(stdout).toContain('publish: s1._domainkey.a.example. 3600 IN TXT "v=DKIM1; k=ed25519; p="\n');
    expect(exitCode).toBe(1);
  });

  test("--deadline: what was not asked is told as such, and exits 4", async () => {
    const keys = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`d${at}.example s1`, at % 250]));
    const never = new Promise<never>(() => {});
    const resolver: Resolver = {
      lookupTxt: (name, { signal } = {}) =>
        new Promise((resolve) => {
          if (signal !== undefined) onAbort(signal, () => resolve(fakeLookup(name, { status: "aborted" })));
        }),
      lookup: () => never,
      close: async () => {},
    };
    const { exitCode, stdout } = await run(["--deadline", "1"], { keys, resolver });
    expect(stdout).toMatch(/=> temporary: the lookup of .* was not finished\n/);
    expect(stdout).toMatch(/=> skipped: not asked: the deadline of 1 s was over\n/);
    expect(stdout).toMatch(/\n300 keys: 128 temporary, 172 skipped\n$/);
    expect(exitCode).toBe(4);
  });
});

test("a key whose servers are dead delays no other", async () => {
  const keys = Object.fromEntries(
    Array.from({ length: 400 }, (_, at) => [`d${String(at).padStart(3, "0")}.example s1`, at % 250]),
  );
  const answered: string[] = [];
  let release = (_: Lookup<never>) => {};
  const resolver: Resolver = {
    lookupTxt: (name) => {
      if (name === "s1._domainkey.d000.example")
        return new Promise((resolve) => {
          release = resolve;
        });
      answered.push(name);
      // The last of all: nobody is waited for any more.
      if (name.startsWith("s1._domainkey.d399.")) release(fakeLookup("x", { status: "timeout" }) as Lookup<never>);
      return Promise.resolve(fakeLookup(name, { status: "servfail" }));
    },
    lookup: async (name) => fakeLookup(name, { status: "servfail" }) as Lookup<never>,
    close: async () => {},
  };
  const { exitCode, stdout } = await run([], { keys, resolver });
  expect(stdout).toMatch(/^TESTING#1 d000\.example: .*temporary: no answer/);
  expect(stdout).toMatch(/\n400 keys: 400 temporary\n$/);
  expect(exitCode).toBe(4);
});

describe("--format nagios", () => {
  test.each<[string, Readonly<Record<string, FakeAnswer>>, string[], number, RegExp]>([
    ["ok", PUBLISHED, [], 0, /^DKIM OK - 3 keys: 3 pass\|pass=3;;;0;3 /],
    ["critical", {}, [], 2, /^DKIM CRITICAL - 3 keys: 3 fail; s1\._domainkey\.a\.example => fail: no record/],
    ["unknown", { ...PUBLISHED, "s1._domainkey.b.example": { status: "timeout" } }, [], 3, /^DKIM UNKNOWN - /],
    ["no key", PUBLISHED, ["c.example"], 3, /^DKIM UNKNOWN - no key in /],
    ["an option's value", PUBLISHED, ["--selector", "[|]"], 3, /^DKIM UNKNOWN - "\[\\124\]" is not a pattern[^|]*$/],
    ["an option that is none", PUBLISHED, ["--critical", "5"], 3, /^DKIM UNKNOWN - unknown option "--critical"\n$/],
    ["an option's word", PUBLISHED, ["--deadline", "|"], 3, /^DKIM UNKNOWN - "\\124" [^|]*--deadline[^|]*$/],
    ["no value", PUBLISHED, ["--server"], 3, /^DKIM UNKNOWN - --server lacks its value\n$/],
    ["what contradicts", PUBLISHED, ["-qv"], 3, /^DKIM UNKNOWN - --quiet and --verbose contradict each other\n$/],
  ])("%s", async (_, zone, argv, status, text) => {
    const { exitCode, stdout } = await run(["--format", "nagios", ...argv], { zone });
    expect(stdout).toMatch(text);
    expect(exitCode).toBe(status);
  });

  test.each([
    [["--nonsense", "--format=nagios"], 3],
    [["--deadline", "x", "--format", "nagios"], 3],
    [["--format", "nagioss"], 2],
    [["--nonsense", "--", "--format=nagios"], 2],
    [["--nonsense", "nagios"], 2],
  ])("a command line that cannot be understood, %j: exit status %d", async (argv, status) => {
    const { exitCode, stdout } = await run(argv);
    expect([exitCode, stdout.startsWith("DKIM UNKNOWN")]).toEqual([status, status === 3]);
  });

  test("a warning is Nagios's warning", async () => {
    const tagged = formatKeyRecord(keyRecordFor(key(1).publicKey, { flags: ["s"] }));
    const zone = { ...PUBLISHED, "s1._domainkey.a.example": [tagged] };
    const { exitCode, stdout } = await run(["--format", "nagios"], { zone });
    expect(stdout).toMatch(
      /^DKIM WARNING - 3 keys: 3 pass; s1\._domainkey\.a\.example => pass, with DNS-TAGS-DIFFER\|/,
    );
    expect(exitCode).toBe(1);
  });
});

describe("--output", () => {
  test.each(["text", "json", "junit", "prometheus"])("%s: the file holds what the terminal would", async (format) => {
    const file = join(temporaryFolder(), "report");
    const store = await storeOf(KEYS);
    const { exitCode, stdout } = await run(["--format", format, "--output", file], { store });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(readFileSync(file, "utf8")).toBe((await run(["--format", format], { store })).stdout);
  });

  test("replaces a file by another one and leaves nothing beside it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "report"), "old", { mode: 0o640 });
    symlinkSync("report", join(folder, "link"));
    const { ino } = statSync(join(folder, "report"));
    const { exitCode } = await run(["--output", join(folder, "link")], { zone: {} });
    expect(exitCode).toBe(1);
    expect(readFileSync(join(folder, "report"), "utf8")).toMatch(/^TESTING#1 .*3 fail\n$/s);
    expect(readdirSync(folder).sort()).toEqual(["link", "report"]);
    expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    const after = statSync(join(folder, "report"));
    expect(after.mode & 0o777).toBe(0o640);
    // Written over, a reader could see half of it.
    expect(after.ino).not.toBe(ino);
  });

  test("of a run that fails is the old file", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "report");
    writeFileSync(file, "old");
    expect((await run(["--output", file, "c.example"])).exitCode).toBe(3);
    expect(readFileSync(file, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["report"]);
  });

  test("of a run that is interrupted is nothing", async () => {
    const folder = temporaryFolder();
    const abort = new AbortController();
    let seen: string[] = [];
    const zone = {
      "s1._domainkey.a.example": () => {
        seen = readdirSync(folder);
        abort.abort(new Error("over"));
        return { status: "timeout" } as const;
      },
    };
    await run(["--output", join(folder, "report")], { zone, signal: abort.signal });
    expect(seen).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("that cannot be written is told before anything is asked", async () => {
    const file = join(temporaryFolder(), "no", "report");
    const { exitCode, stderr, asked } = await run(["--output", file]);
    expect(stderr).toContain(`cannot write ${JSON.stringify(file)}: no such file or directory`);
    expect({ exitCode, asked }).toEqual({ exitCode: 3, asked: [] });
    expect(existsSync(file)).toBe(false);
  });
});

describe("watching", () => {
  /** Two authoritative servers for every zone; the record appears after some questions. */
  function slowZone(appearsAfter: number) {
    let asked = 0;
    const server: Resolver = {
      lookupTxt: async (name) => ({
        ...fakeLookup(name, ++asked > appearsAfter && !name.includes("dkimctl-") ? [record(3)] : { status: "no-name" }),
        authoritative: true,
      }),
      lookup: async (name) => fakeLookup(name, { status: "no-data" }) as Lookup<never>,
      close: async () => {},
    };
    const pool: ServerPool = { connect: () => server, close: async () => {} };
    const table = fakeResolver({ "s1._domainkey.b.example": [record(3)] });
    const resolver: Resolver & { asked: string[] } = {
      ...table,
      lookup: async (name, type) => {
        table.asked.push(`${type} ${name}`);
        const records = { SOA: [{ serial: 1 }], NS: [{ target: "ns1.b.example" }], A: [{ address: "192.0.2.1" }] };
        const found = (records as Record<string, unknown[]>)[type];
        const answer = fakeLookup(name, found === undefined ? { status: "no-data" } : { status: "no-name" });
        return (found === undefined ? answer : { ...answer, status: "found", records: found }) as Lookup<never>;
      },
    };
    return { pool, resolver };
  }

  test("--wait-until pass asks no resolver for the record before all servers have it, and prints the last round", async () => {
    const { pool, resolver } = slowZone(12);
    const { exitCode, stdout, stderr } = await run(["b.example", "--wait-until", "pass", "--watch", "1"], {
      pool,
      resolver,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /=> fail: no record \(NXDOMAIN\): none of the 1 authoritative servers has it.*=> pass\n1 key: 1 pass\n$/s,
    );
    expect(stderr).toMatch(/^dkimctl: 0 of 1 keys pass; testing again in 1 s\n/);
    const names = resolver.asked.filter((name) => name === "TXT s1._domainkey.b.example");
    expect(names).toHaveLength(1);
  });

  test("opens the store once, however many rounds there are", async () => {
    let opened = 0;
    const { exitCode, stdout } = await run(["b.example", "--only-active", "--wait-until", "pass", "--watch", "1"], {
      ...slowZone(12),
      keyStore: (store) => {
        opened++;
        return store;
      },
    });
    expect(exitCode).toBe(0);
    expect(stdout.match(/^TESTING#1/gm)?.length).toBeGreaterThan(1);
    expect(opened).toBe(1);
  });

  test("--wait-timeout gives up, and says what it last saw", async () => {
    const { pool, resolver } = slowZone(1_000_000);
    const { exitCode, stdout } = await run(["b.example", "--wait-until", "pass", "--wait-timeout", "1"], {
      pool,
      resolver,
    });
    expect(exitCode).toBe(1);
    expect(stdout.match(/TESTING/g)).toHaveLength(1);
    expect(resolver.asked).not.toContain("TXT s1._domainkey.b.example");
  });

  test("ends when it is interrupted", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("over")), 300);
    const { stdout } = await run(["--watch", "1"], { ...slowZone(0), signal: abort.signal });
    expect(stdout).toMatch(/^TESTING#1/);
  });
});
