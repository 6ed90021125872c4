import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FakeAnswer, fakeResolver } from "../helpers/fake-resolver.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

const isRoot = process.getuid?.() === 0;
const SELF = String(process.getuid?.() ?? 0);

/** A store of RSA keys, its records as the world has them, and an amavisd.conf that names all keys. */
async function setUp(...names: [domain: string, selector: string][]) {
  const store = temporaryFolder();
  for (const [domain, selector] of names) {
    await runCli(["keygen", "-d", domain, "-s", selector, "-b", "1024", "-q"], { store });
  }
  const zone: Record<string, FakeAnswer> = {};
  const { stdout } = await runCli(["showkeys", "--json"], { store });
  for (const { name, value } of (JSON.parse(stdout) as { records: { name: string; value: string }[] }).records) {
    zone[name] = [value];
  }
  const conf = join(temporaryFolder(), "50-user");
  const configure = (...keys: [domain: string, selector: string, path: string][]) =>
    writeFileSync(conf, keys.map(([d, s, path]) => `dkim_key('${d}', '${s}', '${path}');\n`).join(""));
  configure(...names.map(([d, s]): [string, string, string] => [d, s, join(store, `${d}.${s}.pem`)]));
  const check = (...more: string[]) =>
    runCli(["check-signer", "amavis", conf, "--user", SELF, ...more], { store, resolver: fakeResolver(zone) });
  return { store, zone, conf, configure, check };
}

describe("check-signer", () => {
  test("all is well", async () => {
    const { check, conf } = await setUp(["a.example", "x"], ["b.example", "x"]);
    const { exitCode, stdout, stderr } = await check();
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`ok: x._domainkey.a.example (${conf}:1)\nok: x._domainkey.b.example (${conf}:2)\n`);
  });

  test("a key file that is missing, and one that is no key", async () => {
    const { check, store, configure } = await setUp(["a.example", "x"]);
    writeFileSync(join(store, "note.txt"), "no key");
    configure(["a.example", "x", join(store, "none.pem")], ["b.example", "x", join(store, "note.txt")]);
    const { exitCode, stdout } = await check();
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fail: x\._domainkey\.a\.example .*\n {2}missing: there is no file .*none\.pem/);
    expect(stdout).toMatch(/^fail: x\._domainkey\.b\.example .*\n {2}not-a-key: .*note\.txt/m);
  });

  test("what the DNS has against a key", async () => {
    const { check, zone } = await setUp(["a.example", "x"], ["b.example", "x"], ["c.example", "x"], ["d.example", "x"]);
    delete zone["x._domainkey.a.example"];
    zone["x._domainkey.b.example"] = ["v=DKIM1; k=rsa; p="];
    zone["x._domainkey.c.example"] = zone["x._domainkey.d.example"] ?? [];
    const { exitCode, stdout } = await check("--json");
    const { keys } = JSON.parse(stdout) as { keys: { verdict: string; problems: { code: string }[] }[] };
    expect(keys.map(({ verdict, problems }) => [verdict, ...problems.map(({ code }) => code)])).toEqual([
      ["fail", "no-name"],
      ["fail", "revoked"],
      ["fail", "other-key"],
      ["ok"],
    ]);
    expect(exitCode).toBe(1);
  });

  test("a DNS that does not answer is no fault of the key", async () => {
    const { check, zone } = await setUp(["a.example", "x"], ["b.example", "x"]);
    zone["x._domainkey.a.example"] = { status: "servfail" };
    const { exitCode, stdout } = await check();
    expect([exitCode, /^temporary: x\._domainkey\.a\.example/.test(stdout)]).toEqual([4, true]);
  });

  test("the file of another domain, and another key than the store's", async () => {
    const { check, store, configure } = await setUp(["a.example", "x"], ["b.example", "x"], ["b.example", "y"]);
    configure(
      ["c.example", "x", join(store, "a.example.x.pem")],
      ["b.example", "x", join(store, "b.example.y.pem")],
      ["b.example", "y", join(store, "b.example.y.pem")],
    );
    const { stdout } = await check("--allow-unused");
    expect(stdout).toMatch(
      /^fail: x\._domainkey\.c\.example .*\n {2}other-domain: .* key of x\._domainkey\.a\.example\n/m,
    );
    expect(stdout).toMatch(/^fail: x\._domainkey\.b\.example .*\n {2}not-the-stored: .*b\.example\.x\.pem\n/m);
    expect(stdout).toMatch(/^ok: y\._domainkey\.b\.example/m);
  });

  test("a key that is shared is a key of each of its domains", async () => {
    const { check, store, zone, configure } = await setUp(["a.example", "x"]);
    symlinkSync("a.example.x.pem", join(store, "b.example.x.pem"));
    zone["x._domainkey.b.example"] = zone["x._domainkey.a.example"] ?? [];
    configure(["a.example", "x", join(store, "a.example.x.pem")], ["b.example", "x", join(store, "a.example.x.pem")]);
    expect((await check()).exitCode).toBe(0);
  });

  test("a key that nobody uses", async () => {
    const { check, store, configure } = await setUp(["a.example", "x"], ["a.example", "y"]);
    configure(["a.example", "x", join(store, "a.example.x.pem")]);
    const { exitCode, stdout } = await check();
    expect([exitCode, stdout.includes("unused: y._domainkey.a.example")]).toEqual([1, true]);
    expect((await check("--allow-unused")).exitCode).toBe(0);
  });

  test("a key that the signer cannot load", async () => {
    const { check, store } = await setUp(["a.example", "x"]);
    await runCli(["keygen", "-d", "a.example", "-s", "x", "-t", "ed25519", "-f", "-q"], { store });
    expect((await check()).stdout).toContain("unusable: amavisd cannot load Ed25519 keys");
  });

  test("the key that amavisd is told to sign with", async () => {
    const { check, conf, store } = await setUp(["a.example", "x"], ["a.example", "y"], ["b.example", "x"]);
    const keys = ["a.example x", "a.example y", "b.example x"].map((name) => name.split(" "));
    const lines = keys.map(([d, s]) => `dkim_key('${d}', '${s}', '${store}/${d}.${s}.pem');\n`);
    const options =
      "{ 'a.example' => { d => 'a.example', s => 'y' },\n 'b.example' => { s => 'gone' }, '.' => { c => 'relaxed' } }";
    writeFileSync(conf, `${lines.join("")}@dkim_signature_options_bysender_maps = (${options});\n`);
    const { exitCode, stdout, stderr } = await check();
    expect([exitCode, stderr]).toEqual([1, ""]);
    expect(stdout).toContain(
      `ok: x._domainkey.a.example (${conf}:1)\n  note: it signs nothing: ${conf}:4 chooses y for mail of a.example\n`,
    );
    expect(stdout).toContain(`ok: y._domainkey.a.example (${conf}:2)\nok: x._domainkey.b.example`);
    expect(stdout).toContain(
      `fail: gone._domainkey.b.example\n  no-such-key: ${conf}:5 wants this key for mail of b.example, and of the domain there is only x`,
    );
  });

  test("what was not understood is not passed over", async () => {
    const { check, conf, store } = await setUp(["a.example", "x"]);
    writeFileSync(conf, `dkim_key('a.example','x','${store}/a.example.x.pem');\ndkim_key($d,'x','/k');\n`);
    const { exitCode, stderr } = await check();
    expect([exitCode, stderr.includes("50-user:2: dkim_key is called with what only Perl can tell")]).toEqual([
      3,
      true,
    ]);
  });

  describe.skipIf(!isRoot)("as the signer's user (needs root)", () => {
    const NOBODY = 65534;

    test("a file, a folder and a parent folder that bar the way", async () => {
      const { check, store } = await setUp(["a.example", "x"]);
      const file = join(store, "a.example.x.pem");
      const reason = async () =>
        /unreadable: (user \S+ cannot .*? \(mode \d+)/.exec((await check("--user", "nobody")).stdout)?.[1];
      chmodSync(store, 0o755);
      expect(await reason()).toBe(`user nobody cannot read ${file} (mode 0600`);
      chownSync(file, NOBODY, NOBODY);
      expect(await reason()).toBeUndefined();
      chmodSync(store, 0o700);
      expect(await reason()).toBe(`user nobody cannot look into ${store} (mode 0700`);
    });

    test("every folder of the path counts, behind links too", async () => {
      const { check, store, configure } = await setUp(["a.example", "x"]);
      const top = temporaryFolder();
      chmodSync(top, 0o755);
      mkdirSync(join(top, "closed"));
      mkdirSync(join(top, "closed", "open"));
      chmodSync(join(top, "closed"), 0o700);
      chmodSync(store, 0o755);
      chmodSync(join(store, "a.example.x.pem"), 0o644);
      symlinkSync(join(store, "a.example.x.pem"), join(top, "closed", "open", "x.pem"));
      symlinkSync(join(top, "closed", "open"), join(top, "link"));
      configure(["a.example", "x", join(top, "closed", "open", "x.pem")]);
      expect((await check("--user", "nobody")).stdout).toContain(`cannot look into ${join(top, "closed")} (mode 0700`);
      configure(["a.example", "x", join(top, "link", "x.pem")]);
      expect((await check("--user", "nobody")).stdout).toContain(
        `unreadable: user nobody cannot reach what ${join(top, "link")} links to`,
      );
      chmodSync(join(top, "closed"), 0o711);
      expect((await check("--user", "nobody")).exitCode).toBe(0);
    });

    test("a group of the user's lets it read", async () => {
      const { check, store } = await setUp(["a.example", "x"]);
      chmodSync(store, 0o710);
      chownSync(store, 0, NOBODY);
      chmodSync(join(store, "a.example.x.pem"), 0o640);
      chownSync(join(store, "a.example.x.pem"), 0, NOBODY);
      expect((await check("--user", "nobody")).exitCode).toBe(0);
    });
  });

  const refusals: [title: string, argv: string[], code: number, text: string][] = [
    ["an unknown signer", ["check-signer", "sendmail"], 2, "known are amavis"],
    ["a user who is not there", ["check-signer", "amavis", "/dev/null", "--user", "no-such-user"], 2, "no user"],
    ["a user who is an option", ["check-signer", "amavis", "/dev/null", "--user", "-u"], 2, "is not a user"],
    ["a configuration that is not there", ["check-signer", "opendkim", "/nowhere"], 3, "does not exist"],
    ["nothing to check", ["check-signer", "opendkim", "/dev/null", "--user", SELF], 3, "names no key"],
  ];
  test.each(refusals)("refuses %s", async (_, argv, code, text) => {
    const { exitCode, stdout, stderr } = await runCli(argv, { resolver: fakeResolver({}) });
    expect([exitCode, stdout]).toEqual([code, ""]);
    expect(stderr).toContain(text);
  });
});
