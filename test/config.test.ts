import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatConfig } from "../src/config/config-format.ts";
import { ConfigError } from "../src/config/config-text.ts";
import { loadConfig, type Settings, storeText } from "../src/config.ts";
import { parseSelector } from "../src/keys/selector.ts";
import { parseSelectorTemplate } from "../src/keys/selector-template.ts";

const EMPTY = {
  store: {},
  keygen: {},
  records: {},
  dns: {},
  rotation: {},
  publish: {},
  signer: {},
  hooks: {},
  domain: {},
};
const SECTIONS = "store, keygen, records, dns, rotation, publish, signer, hooks, domain";

function load(text: string): Settings {
  return loadConfig({ path: "x.toml", env: {}, readFile: () => text }).settings;
}

function failure(text: string): { message: string; hint: string | undefined } {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

function missing(): never {
  throw Object.assign(new Error("ENOENT"), { code: "ENOENT", errno: -2, syscall: "open" });
}

describe("which file is read", () => {
  const read = (files: Record<string, string>) => (path: string) => files[path] ?? missing();
  const files = read({ "/a": "records.ttl = 1", "/b": "records.ttl = 2", "/etc/dkimctl.toml": "records.ttl = 3" });

  test.each([
    ["--config before the environment", { path: "/a", env: { DKIMCTL_CONFIG: "/b" } }, "/a", 1],
    ["the environment before /etc", { env: { DKIMCTL_CONFIG: "/b" } }, "/b", 2],
    ["an empty variable is none", { env: { DKIMCTL_CONFIG: "" } }, "/etc/dkimctl.toml", 3],
  ])("%s", (_, source, path, ttl) => {
    expect(loadConfig({ ...source, readFile: files })).toEqual({ path, settings: { ...EMPTY, records: { ttl } } });
  });

  test("none in /etc is no error, one that was asked for is", () => {
    expect(loadConfig({ env: {}, readFile: missing })).toEqual({ path: undefined, settings: EMPTY });
    expect(() => loadConfig({ path: "/c", env: {}, readFile: missing })).toThrow(
      "cannot read the configuration /c: no such file or directory",
    );
    expect(() => loadConfig({ env: { DKIMCTL_CONFIG: "/c" }, readFile: missing })).toThrow(ConfigError);
  });

  test("one in /etc that cannot be read is an error", () => {
    const readFile = () => {
      throw Object.assign(new Error("EACCES"), { code: "EACCES", errno: -13, syscall: "open" });
    };
    expect(() => loadConfig({ env: {}, readFile })).toThrow("/etc/dkimctl.toml: permission denied");
  });

  test("the store: option, environment, configuration, default", () => {
    const settings = load(`store.path = "/c"`);
    expect(storeText({ option: "a", env: { DKIMCTL_STORE: "b" }, settings })).toBe("a");
    expect(storeText({ env: { DKIMCTL_STORE: "b" }, settings })).toBe("b");
    expect(storeText({ env: { DKIMCTL_STORE: "" }, settings })).toBe("/c");
    expect(storeText({ env: {}, settings: load("") })).toBe("/var/lib/dkim");
    expect(storeText({ env: {}, settings: load(`store.url = "redis://h"`) })).toBe("redis://h");
  });
});

describe("what is accepted", () => {
  test.each<[string, unknown]>([
    ["", EMPTY],
    ["\ufeff[store]\r\npath = '/k'\r\n", { ...EMPTY, store: { path: "/k" } }],
    [`store = { mode = "0640", group = "amavis" }`, { ...EMPTY, store: { mode: 0o640, group: "amavis" } }],
    [`store.mode = 0o600\nstore.owner = "99"`, { ...EMPTY, store: { mode: 0o600, owner: "99" } }],
    [
      `[keygen]\nalgorithms = ["rsa", "ed25519"]\nbits = 4_096\nselector = "s{yyyy}{mm}"`,
      { ...EMPTY, keygen: { algorithms: ["rsa", "ed25519"], bits: 4096, selector: "s{yyyy}{mm}" } },
    ],
    [
      `[rotation]\nperiod = "12w"\n[domain."Example.COM"]\nperiod = "1h30m"\nselector-ring = ["S1"]`,
      {
        ...EMPTY,
        rotation: { period: 12 * 604_800_000 },
        domain: { "example.com": { period: 5_400_000, "selector-ring": ["s1"] } },
      },
    ],
    [
      `[domain."a.example"]\nbits = 2048\n[domain."a.example".publish]\nmethod = "exec"\n[domain."b.example"]\nsigner.time-limit = "1s"`,
      {
        ...EMPTY,
        domain: {
          "a.example": { bits: 2048, publish: { method: "exec" } },
          "b.example": { signer: { "time-limit": 1000 } },
        },
      },
    ],
    [
      `[dns]\nservers = ["192.0.2.1#53"]\ntimeout = 2.5\nretries = 0`,
      { ...EMPTY, dns: { servers: ["192.0.2.1#53"], timeout: 2.5, retries: 0 } },
    ],
  ])("%j", (text, settings) => {
    expect(load(text)).toEqual(settings);
  });
});

describe("what is refused, with file and line", () => {
  test.each<[string, string, string | undefined]>([
    [
      "[rotation]\nperiod = '90'",
      `x.toml:2: rotation.period: "90" is not a length of time: it has no unit`,
      "write it as 90d, 36h, 2w or 1h30m (w, d, h, m, s)",
    ],
    [
      "[domain.example.com]\nperiod = '90d'",
      `x.toml:1: there is no setting "com" in [domain."example"]`,
      `quote the domain: [domain."example.com"]`,
    ],
    [
      "[domain.'a.example']\nperoid = '90d'",
      `x.toml:2: there is no setting "peroid" in [domain."a.example"]`,
      "did you mean period?",
    ],
    [
      `[store]\nurl = "redis://h"\nmode = "0640"`,
      "x.toml: store.url and store.mode contradict each other",
      "store.url is a server, and store.mode is about a folder: leave one of them out",
    ],
    [
      `[store]\nurl = "redis://:secret@h"`,
      "x.toml:2: store.url: a password does not belong into the address of a store: others can read it there",
      "put it into the environment as REDISCLI_AUTH, or into a file: ?password-file=/etc/dkimctl.redis",
    ],
    [
      `[store]\nurl = "/var/lib/dkim"`,
      "x.toml:2: store.url must be the URL of a server in quotes; a folder is named by store.path",
      undefined,
    ],
    [
      "[domain.'a.example']\npublih.method = 'exec'",
      `x.toml:2: there is no setting "publih" in [domain."a.example"]`,
      "did you mean publish?",
    ],
    [
      "[domain.'a.example'.publish]\nfiel = '/x'",
      `x.toml:2: there is no setting "fiel" in [domain."a.example".publish]`,
      "did you mean file?",
    ],
    [
      "[domain.'a.example'.publish]\nfile = 'x'",
      `x.toml:2: domain."a.example".publish.file must be an absolute path in quotes`,
      undefined,
    ],
    [
      "[domain.'a.example']\npublish = 'exec'",
      `x.toml:2: publish is a section, written [domain."a.example".publish]`,
      undefined,
    ],
    ["[domain.'a.example'.publish.file]", "x.toml:1: file is a setting, not a section", undefined],
    ["[domain.'*.example']", `x.toml:1: "*.example" is not a domain name: it holds the character "*"`, undefined],
    ["domain = 1", `x.toml:1: a domain's section is written [domain."example.com"]`, undefined],
    ["\n[stroe]", `x.toml:2: there is no section "stroe"`, "did you mean store?"],
    ["[zzzzzz]", `x.toml:1: there is no section "zzzzzz"`, `known are ${SECTIONS}`],
    ["[store]\npaht = 1", `x.toml:2: there is no setting "paht" in [store]`, "did you mean path?"],
    ["[store]\nxyz = 1", `x.toml:2: there is no setting "xyz" in [store]`, "known are path, mode, owner, group, url"],
    [
      "[store]\n__proto__ = 1",
      `x.toml:2: there is no setting "__proto__" in [store]`,
      "known are path, mode, owner, group, url",
    ],
    ["[constructor]", `x.toml:1: there is no section "constructor"`, `known are ${SECTIONS}`],
    ["bits = 2048", `x.toml:1: "bits" stands outside of any section`, "it belongs in the section [keygen]"],
    ["store = 1", "x.toml:1: store is one section, written [store]", undefined],
    ["[[store]]", "x.toml:1: store is one section, written [store]", undefined],
    ["store.path.x = 1", "x.toml:1: store.path is a setting, not a section", undefined],
    ["[store.path]", "x.toml:1: store.path is a setting, not a section", undefined],
    ["[store]\npath = 'keys'", "x.toml:2: store.path must be an absolute path in quotes", undefined],
    ["[store]\nowner = ''", "x.toml:2: store.owner must be a text in quotes", undefined],
    ["[store]\nmode = 640", `x.toml:2: store.mode must be an octal mode in quotes, such as "0640"`, undefined],
    ["[store]\nmode = 'rw'", `x.toml:2: store.mode: "rw" is not a file mode`, "write it in octal: 0600 or 0640"],
    ["[store]\n\npath='/a'\npath='/b'", "x.toml:4: this key or section is defined twice", undefined],
    ["[store]\n[dns]\n[store]", "x.toml:3: this key or section is defined twice", undefined],
    ["[keygen]\nbits = 512", "x.toml:2: keygen.bits must be a whole number from 1024 to 16384", undefined],
    ["[keygen]\nbits = 2048.0", "x.toml:2: keygen.bits must be a whole number from 1024 to 16384", undefined],
    ["[keygen]\nbits = true", "x.toml:2: keygen.bits must be a whole number from 1024 to 16384", undefined],
    [
      "[keygen]\nalgorithms = ['rsa', 'dsa']",
      `x.toml:2: keygen.algorithms must be a list of different words out of "rsa", "ed25519", not "dsa"`,
      undefined,
    ],
    [
      "[keygen]\nalgorithms = ['rsa', 'rsa']",
      `x.toml:2: keygen.algorithms must be a list of different words out of "rsa", "ed25519"`,
      undefined,
    ],
    [
      "[keygen]\nselector = '{year}'",
      `x.toml:2: keygen.selector: "{year}" in the selector "{year}" is not known`,
      "known are {algorithm}, {yyyymmdd}, {yyyy}, {mm}, {n}, {random}",
    ],
    [
      "[keygen]\nselector = 'a b'",
      `x.toml:2: keygen.selector: "a b" is not a selector: it holds the character " "`,
      "selectors are letters, digits, hyphens and dots",
    ],
    ["[records]\nttl = -1", "x.toml:2: records.ttl must be a whole number from 0 to 2147483647", undefined],
    ["[records]\nttl = 2020-01-01", "x.toml:2: records.ttl must be a whole number from 0 to 2147483647", undefined],
    ["[dns]\nservers = '192.0.2.1'", `x.toml:2: dns.servers must be a list of texts: ["..."]`, undefined],
    ["[dns]\nservers = [1]", `x.toml:2: dns.servers must be a list of texts: ["..."]`, undefined],
    ["[dns]\ntimeout = nan", "x.toml:2: dns.timeout must be a number of seconds, above 0 and up to 60", undefined],
    ["[dns]\ntimeout = 0", "x.toml:2: dns.timeout must be a number of seconds, above 0 and up to 60", undefined],
    ["[dns]\nretries =\n", "x.toml:2: unspecified values are invalid", undefined],
  ])("%j", (text, message, hint) => {
    expect(failure(text)).toEqual({ message, hint });
  });

  test("any text gives settings or a ConfigError", () => {
    const piece = fc.constantFrom(
      "[",
      "]",
      "store",
      "path",
      "=",
      "'",
      '"',
      "\n",
      ".",
      "{",
      "}",
      "1",
      "\\u00",
      ",",
      "#",
      "\0",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (text) => {
          try {
            load(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
          }
        },
      ),
    );
  });
});

describe("formatConfig", () => {
  test("the file of dkimctl init explains each setting", () => {
    const text = formatConfig({ ...EMPTY, store: { path: "/srv/dkim" }, dns: { servers: ["127.0.0.1#5353"] } });
    expect(text).toContain(`\n[store]\n\n# the folder of the private keys\npath = "/srv/dkim"\n`);
    expect(text).toContain("\n#ttl = 3600\n");
    expect(text).toContain(`\nservers = ["127.0.0.1#5353"]\n`);
  });

  test("the samples are valid settings", () => {
    const [url = "", ...others] = formatConfig(EMPTY).match(/^#url .*$/m) ?? [];
    expect(others).toEqual([]);
    expect(load(`[store]\n${url.slice(1)}`).store).toEqual({ url: "redis://redis.example/0" });
    expect(
      load(
        formatConfig(EMPTY)
          .replace(url, "")
          .replaceAll(/^#(?! )/gm, ""),
      ),
    ).toMatchObject({
      keygen: { algorithms: ["rsa"], bits: 2048, selector: "{algorithm}-{yyyymmdd}" },
      records: { ttl: 3600 },
    });
  });

  test("reads back as the same settings", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) => !value.includes("\0"));
    const some = <Value>(value: fc.Arbitrary<Value>) => value;
    const rotation = fc.record(
      {
        period: fc.nat({ max: 10 ** 9 }).map((seconds) => seconds * 1000),
        standby: fc.boolean(),
        "selector-ring": fc.constantFrom(["s1", "s2"].map(parseSelector)),
      },
      { requiredKeys: [] },
    );
    const publish = fc.record(
      { method: fc.constantFrom("manual" as const, "nsupdate" as const), command: fc.array(text, { minLength: 1 }) },
      { requiredKeys: [] },
    );
    const signer = fc.record({ activate: fc.array(text, { minLength: 1 }) }, { requiredKeys: [] });
    const settings = fc.record({
      store: fc.record(
        {
          path: text.map((value) => `/${value}`),
          mode: fc.integer({ min: 0, max: 0o777 }),
          owner: some(fc.string({ minLength: 1, unit: fc.constantFrom("\x7f", "\\", '"', "\n", "\x1b", "é", "a") })),
          group: text,
        },
        { requiredKeys: [] },
      ),
      keygen: fc.record(
        {
          algorithms: fc.uniqueArray(fc.constantFrom("rsa" as const, "ed25519" as const), { minLength: 1 }),
          bits: fc.integer({ min: 1024, max: 16384 }),
          selector: fc.constantFrom("mail", "a.b", "{algorithm}-{yyyymmdd}").map(parseSelectorTemplate),
        },
        { requiredKeys: [] },
      ),
      records: fc.record({ ttl: fc.nat() }, { requiredKeys: [] }),
      rotation,
      publish,
      signer,
      domain: fc.dictionary(
        fc.constantFrom("example.com", "xn--bcher-kva.example", "constructor.example"),
        fc.oneof(rotation, fc.record({ standby: fc.boolean(), publish }), fc.record({ publish, signer })),
      ),
      dns: fc.record(
        {
          servers: fc.array(text, { minLength: 1 }),
          timeout: fc.double({ min: 0.001, max: 60, noNaN: true }),
          retries: fc.nat({ max: 10 }),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(settings, (value) => {
        expect(load(formatConfig(value))).toEqual({ ...EMPTY, ...value });
      }),
    );
  });
});
