import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseToml } from "../../src/config/config-toml.ts";
import { keyFileName, parseKeyName } from "../../src/keys/key-name.ts";
import { EXPORT_FORMS } from "../../src/signers/index.ts";
import { readRspamd } from "../../src/signers/rspamd-import.ts";
import { SignerFormError, type SignerKey } from "../../src/signers/signer-form.ts";
import { rsaSample } from "../keys/sample-keys.ts";

function key(path: string, domain = "example.com", selector = "mail"): SignerKey {
  return { name: parseKeyName(domain, selector), path, algorithm: "rsa", encoding: "pem", tags: {} };
}

function textOf(signer: string, form: string, keys: readonly SignerKey[], folder = "/etc/x"): string {
  const named = EXPORT_FORMS[signer]?.[form];
  if (named === undefined) throw new Error("no such form");
  const files = named.isSecret
    ? named.form.files(
        keys.map((one) => ({ ...one, privateKey: rsaSample() })),
        { folder },
      )
    : named.form.files(keys, { folder });
  return files.map(({ name, text }) => `${name}:\n${text}`).join("");
}

/** Forms that name the key's file. */
const WITH_PATHS = Object.entries(EXPORT_FORMS).flatMap(([signer, forms]) =>
  Object.entries(forms).flatMap(([form, { isSecret }]) => (isSecret ? [] : [[signer, form] as const])),
);

describe("paths", () => {
  test.each(WITH_PATHS)("%s %s names an ordinary file", (signer, form) => {
    expect(textOf(signer, form, [key("/var/lib/dkim/plain.pem")])).toContain("/var/lib/dkim/plain.pem");
  });

  describe.each(WITH_PATHS)("%s %s", (signer, form) => {
    test.each(["\n", "\r", "\0", "\x1b"])("refuses a control character, %j", (char) => {
      expect(() => textOf(signer, form, [key(`/a${char}b.pem`)])).toThrow(SignerFormError);
    });
  });

  // A path is quoted so that it means itself, or refused.
  const rows: [signer: string, form: string, path: string, text: string | undefined][] = [
    ["amavis", "conf", `/a'b\\c.pem`, `'/a\\'b\\\\c.pem'`],
    ["amavis", "conf", "/a$b@{c}.pem", "'/a$b@{c}.pem'"],
    ["rspamd", "domain", `/a"b\\c;{}#.pem`, `"/a\\"b\\\\c;{}#.pem"`],
    ["rspamd", "domain", "/a$domain.pem", undefined],
    ["rspamd", "maps", "/a b.pem", undefined],
    ["rspamd", "maps", "/a#b.pem", undefined],
    ["rspamd", "maps", "/a$selector.pem", undefined],
    ["rspamd", "tables", "/a:b.pem", undefined],
    ["rspamd", "tables", "/a%b.pem", undefined],
    ["rspamd", "redis", `/a'; rm -rf $HOME.pem`, `< '/a'\\''; rm -rf $HOME.pem'`],
    ["opendkim", "tables", "/a:b.pem", undefined],
    ["opendkim", "tables", "/a%b.pem", undefined],
    ["opendkim", "tables", "/a b.pem", undefined],
    ["dkimpy-milter", "tables", "/a b.pem", undefined],
    ["exim", "lsearch", "/a b.pem", undefined],
    ["exim", "lsearch", `/a"b.pem`, undefined],
    ["haraka", "links", `/a'; rm -rf $HOME.pem`, `ln -sfn '/a'\\''; rm -rf $HOME.pem' `],
    ["kumomta", "toml", `/a"b\\c.pem`, `filename = "/a\\"b\\\\c.pem"`],
    ["maddy", "conf", "/a{domain}.pem", undefined],
    ["maddy", "conf", `/a"b.pem`, undefined],
    ["stalwart", "toml", "/a%{env:x}%.pem", undefined],
    ["stalwart", "toml", `/a"b.pem`, `"%{file:/a\\"b.pem}%"`],
  ];
  test.each(rows)("%s %s: %s", (signer, form, path, text) => {
    if (text === undefined) expect(() => textOf(signer, form, [key(path)])).toThrow(SignerFormError);
    else expect(textOf(signer, form, [key(path)])).toContain(text);
  });

  test.each(["/a b", "/a;b", "/a$b", "/a\nb"])("no configuration names files in the folder %j", (folder) => {
    for (const [signer, form] of [
      ["rspamd", "maps"],
      ["rspamd", "tables"],
      ["exim", "lsearch"],
    ] as const) {
      expect(() => textOf(signer, form, [key("/k.pem")], folder)).toThrow(SignerFormError);
    }
  });
});

describe("rspamd's tables", () => {
  // peers' measurement: before 4.1.2 patterns match anywhere.
  test.each([
    [["foo.co", "foo.com"], true],
    [["example.com", "example.com.evil.test"], true],
    [["bar.example", "foo.co", "foo-bar.example", "foo.com.example"], true],
    [["foo.example", "bar.example", "sub.foo.example"], false],
  ])("%j: refused %s", (domains, refused) => {
    const write = () =>
      textOf(
        "rspamd",
        "tables",
        domains.map((domain) => key(`/k/${domain}.pem`, domain)),
      );
    if (refused) expect(write).toThrow(/would also match/);
    else expect(write()).toMatch(/^\*@bar\.example [0-9a-f]{32}$/m);
  });

  const tables = (...domains: string[]) =>
    textOf(
      "rspamd",
      "tables",
      domains.map((domain) => key(`/k/${domain}.pem`, domain)),
    ).split("\n");

  test("name keys so that none is part of another", () => {
    const lines = tables(...Array.from({ length: 40 }, (_, index) => `d${index}.x${index}.example`)).join("\n");
    const ids = [...lines.matchAll(/^([0-9a-f]+) /gm)].map(([, id]) => id);
    expect(new Set(ids.map((id) => id?.length))).toEqual(new Set([32]));
    expect(new Set(ids).size).toBe(40);
  });

  test("a dot in a selector is refused for what it is, a percent sign in a folder for what that is", () => {
    const write = (folder: string, selector: string) => () => {
      const name = parseKeyName("example.com", selector);
      return textOf("rspamd", "tables", [key(`${folder}/${keyFileName(name)}`, name.domain, name.selector)]);
    };
    for (const folder of ["/k", "/100%"]) {
      expect(write(folder, "a.b")).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(/^the selector of a\.b\._domainkey\.example\.com has a dot, .* %2E /),
          hint: expect.stringMatching(/^use the form domain .* selectors without a dot/),
        }),
      );
    }
    expect(write("/100%", "ab")).toThrow(expect.objectContaining({ hint: expect.stringMatching(/^move the store/) }));
    expect(textOf("rspamd", "tables", [key("/k/dotted.pem", "example.com", "a.b")])).toContain(
      " example.com:a.b:/k/dotted.pem\n",
    );
  });

  test("a domain that comes or goes changes no line of another", () => {
    const [few, more] = [tables("b.example", "d.example"), tables("a.example", "b.example", "c.example", "d.example")];
    expect(more).toEqual(expect.arrayContaining(few));
    expect(more.filter((line) => !few.includes(line))).toEqual([
      expect.stringMatching(/ a\.example:mail:/),
      expect.stringMatching(/ c\.example:mail:/),
      expect.stringMatching(/^\*@a\.example /),
      expect.stringMatching(/^\*@c\.example /),
    ]);
  });
});

describe("rspamd's maps", () => {
  const FOLDER = "/etc/rspamd/local.d";
  const mapsForm = EXPORT_FORMS.rspamd?.maps;
  if (mapsForm === undefined || mapsForm.isSecret) throw new Error("no such form");
  const { form } = mapsForm;
  const maps = (...keys: SignerKey[]) =>
    new Map(form.files(keys, { folder: FOLDER }).map(({ name, text }) => [`${FOLDER}/${name}`, text]));
  const stored = (selector: string, folder = "/var/lib/dkim") => {
    const name = parseKeyName("example.com", selector);
    return key(`${folder}/${keyFileName(name)}`, name.domain, selector);
  };

  test("a change of keys is a change of one file", () => {
    const [before, after] = [maps(stored("k1")), maps(stored("k2"))];
    const changed = [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
    expect(changed).toEqual([`${FOLDER}/dkim_selectors.map`]);
    expect(before.get(`${FOLDER}/dkim_paths.map`)).toContain("example.com /var/lib/dkim/example.com.$selector.pem\n");
  });

  test.each([
    ["a dot, which the store writes as %2E", stored("a.b")],
    ["no selector in the name", key("/k/plain.pem")],
    ["a selector that is only the end of one", key("/k/example.com.email.pem")],
    ["the selector of another domain", key("/k/sub.example.com.mail.pem")],
  ])("the path stays as it is: %s", (_, one) => {
    expect(maps(one).get(`${FOLDER}/dkim_paths.map`)).toContain(`example.com ${one.path}\n`);
  });

  test.each([stored("k1"), stored("a.b"), stored("k1", "/k1/example.com.k1.pem"), key("/k/plain.pem")])(
    "are read back with the key's own file: $path",
    (one) => {
      const files = maps(one);
      const { entries, notUnderstood } = readRspamd(
        files.get(`${FOLDER}/dkim_signing.conf`) ?? "",
        "conf",
        (path) => files.get(path) ?? "",
      );
      expect(notUnderstood).toEqual([]);
      expect(entries).toMatchObject([{ name: one.name, source: { kind: "file", path: one.path } }]);
    },
  );

  test("a selector with a dot is warned of, an ordinary one is not", () => {
    expect(form.caution?.(stored("a.b"))).toMatch(/^its selector has a dot, .*: use selectors without a dot/);
    expect(form.caution?.(stored("k1"))).toBeUndefined();
    expect(form.caution?.({ ...stored("a.b"), algorithm: "ed25519" })).toMatch(/bare seed .*; its selector has a dot/);
  });
});

describe("amavis", () => {
  test("keeps the tags of the record, quoted", () => {
    const tags = { hashAlgorithms: ["sha256"], serviceTypes: ["email"], flags: ["s", "y"], note: "it's a\\note" };
    expect(textOf("amavis", "conf", [{ ...key("/k.pem"), tags }])).toContain(
      `dkim_key('example.com', 'mail', '/k.pem', h => 'sha256', s => 'email', t => 's:y', n => 'it\\'s a\\\\note');`,
    );
  });
});

test("spamexperts: the key is one line, and reads back", () => {
  const text = textOf("spamexperts", "api", [key("/k.pem")]);
  const line = text.split("\n").find((one) => one.startsWith("-----BEGIN")) ?? "";
  expect(line).toMatch(/^[\w.~%-]+$/);
  expect(decodeURIComponent(line)).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n[\s\S]*\n-----END RSA PRIVATE KEY-----$/);
  expect(text).toContain(
    "https://SERVERNAME/cgi-bin/api?call=api_set_dkim_selector&domain=example.com&selector=mail&username=USERNAME",
  );
});

describe("signers whose daemon is not here", () => {
  const two = [key("/k/a.pem"), key("/k/b.pem", "example.net", "x")];

  test("KumoMTA: the sections that dkim_sign.lua knows, with its types", () => {
    const values = parseToml(textOf("kumomta", "toml", two).replace("dkim_data.toml:", "# "));
    expect(values.map(({ path }) => path.join("/"))).toEqual([
      "base",
      "base/headers",
      "base/over_sign",
      ...["example.com", "example.net"].flatMap((domain) => [
        `domain/${domain}`,
        ...["selector", "algo", "filename"].map((name) => `domain/${domain}/${name}`),
      ]),
    ]);
  });

  test("Stalwart: one signature a key, as its documentation has them", () => {
    const text = textOf("stalwart", "toml", two).replace("dkim.toml:", "# ");
    expect(parseToml(text).filter(({ path }) => path[1] === "rsa-example.net")).toHaveLength(7);
    expect(text).toContain(`private-key = "%{file:/k/b.pem}%"`);
  });

  test("maddy: a modifier a key", () => {
    expect(textOf("maddy", "conf", two)).toContain("    dkim example.net x {\n        key_path /k/b.pem\n    }\n");
  });

  test("Haraka: key and selector change in one step, and a folder of its own is not touched", () => {
    const folder = mkdtempSync(join(tmpdir(), "dkimctl-haraka-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const run = (selector: string) => {
      const script = textOf("haraka", "links", [key(`/k/${selector}.pem`, "example.com", selector)]);
      execFileSync("sh", ["-c", script.replace("haraka-dkim.sh:\n", "")], { cwd: folder, stdio: "pipe" });
      const link = join(folder, "config/dkim/example.com");
      return [readlinkSync(join(link, "private")), readFileSync(join(link, "selector"), "utf8")];
    };
    expect(run("one")).toEqual(["/k/one.pem", "one\n"]);
    expect(run("two")).toEqual(["/k/two.pem", "two\n"]);
    expect(run("one")).toEqual(["/k/one.pem", "one\n"]);
    rmSync(join(folder, "config/dkim/example.com"));
    mkdirSync(join(folder, "config/dkim/example.com"));
    writeFileSync(join(folder, "config/dkim/example.com/private"), "mine");
    expect(() => run("two")).toThrow();
    expect(readFileSync(join(folder, "config/dkim/example.com/private"), "utf8")).toBe("mine");
  });
});
