import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodePrivateKey, type PrivateKey } from "../../src/keys/private-key.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { makeEd25519Key, makeRsaKey } from "../helpers/signing-keys.ts";

const [one, two] = [makeRsaKey(1024), makeEd25519Key()];

/** A folder with a key file and an amavisd.conf that names it. */
function amavisFolder(lines: (folder: string) => string): { folder: string; conf: string } {
  const folder = temporaryFolder();
  write(join(folder, "one.pem"), one);
  write(join(folder, "two.pem"), two);
  const conf = join(folder, "50-user");
  writeFileSync(conf, lines(folder));
  return { folder, conf };
}

function write(path: string, key: PrivateKey, format: "pkcs8" | "seed" = "pkcs8"): void {
  writeFileSync(path, encodePrivateKey(key, format), { mode: 0o600 });
}

describe("import", () => {
  test("copies keys with the tags of their records, one file for several domains once", async () => {
    const { folder, conf } = amavisFolder(
      (at) =>
        `dkim_key('example.com','mail','${at}/one.pem', t=>'s');\ndkim_key('example.org','mail','${at}/one.pem', t=>'s');\n`,
    );
    const { exitCode, stdout, files, store } = await runCli(["import", "amavis", conf]);
    expect([exitCode, files]).toEqual([0, ["example.com.mail.pem", "example.org.mail.pem"]]);
    expect(stdout).toBe(
      `imported: mail._domainkey.example.com: from ${folder}/one.pem\nimported: mail._domainkey.example.org: from ${folder}/one.pem\n`,
    );
    expect(readlinkSync(join(store, "example.org.mail.pem"))).toBe("example.com.mail.pem");
    expect((await runCli(["showkeys", "example.org", "--format", "value"], { store })).stdout).toContain("t=s;");
    expect(existsSync(join(folder, "one.pem"))).toBe(true);
  });

  test("says what it would do, and does nothing", async () => {
    const { conf } = amavisFolder((at) => `dkim_key('example.com','mail','${at}/one.pem');\n`);
    const { exitCode, stdout, files } = await runCli(["import", "amavis", conf, "--dry-run"]);
    expect([exitCode, files]).toEqual([0, []]);
    expect(stdout).toMatch(/^would import: mail\._domainkey\.example\.com: from /);
    const store = join(temporaryFolder(), "not", "yet");
    expect((await runCli(["import", "amavis", conf, "--dry-run", "--store", store])).exitCode).toBe(0);
    expect(existsSync(store)).toBe(false);
  });

  test("links, and the signer's file stays the key", async () => {
    const { folder, conf } = amavisFolder((at) => `dkim_key('example.com','mail','${at}/one.pem', n=>'hi');\n`);
    const { exitCode, store } = await runCli(["import", "amavis", conf, "--link"]);
    expect(exitCode).toBe(0);
    expect(readlinkSync(join(store, "example.com.mail.pem"))).toBe(join(folder, "one.pem"));
    expect((await runCli(["showkeys", "--format", "value"], { store })).stdout).toContain("n=hi;");
  });

  test("moves, but no file that the store or a conflict still needs", async () => {
    const { folder, conf } = amavisFolder(
      (at) => `dkim_key('example.com','mail','${at}/one.pem');\ndkim_key('example.org','mail','${at}/two.pem');\n`,
    );
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "example.org", "-s", "mail", "-t", "ed25519", "-q"], { store });
    const before = readFileSync(join(store, "example.org.mail.pem"), "utf8");
    const { exitCode, stdout, stderr } = await runCli(["import", "amavis", conf, "--move"], { store });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(
      /^moved: mail\._domainkey\.example\.com: .*\nconflict: mail\._domainkey\.example\.org: .*\n$/,
    );
    expect(stderr).toContain("1 of 2 keys were not imported; nothing was overwritten");
    expect(readdirSync(folder).sort()).toEqual(["50-user", "two.pem"]);
    expect(readFileSync(join(store, "example.org.mail.pem"), "utf8")).toBe(before);
  });

  test("does not move a file of which one name conflicts", async () => {
    const { folder, conf } = amavisFolder(
      (at) => `dkim_key('example.com','mail','${at}/one.pem');\ndkim_key('example.org','mail','${at}/one.pem');\n`,
    );
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "example.org", "-s", "mail", "-t", "ed25519", "-q"], { store });
    const { stdout } = await runCli(["import", "amavis", conf, "--move"], { store });
    expect(stdout).toMatch(/^imported: mail\._domainkey\.example\.com: .*\nconflict: /);
    expect(existsSync(join(folder, "one.pem"))).toBe(true);
  });

  test("a key of the store under another name is not moved away", async () => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "example.org", "-s", "mail", "-t", "ed25519", "-q"], { store });
    const argv = ["import", "files", join(store, "example.org.mail.pem"), "--domain", "example.com", "--selector", "x"];
    expect((await runCli([...argv, "--move"], { store })).files).toEqual(["example.com.x.pem", "example.org.mail.pem"]);
  });

  test("is idempotent", async () => {
    const { conf } = amavisFolder((at) => `dkim_key('example.com','mail','${at}/one.pem');\n`);
    const { store } = await runCli(["import", "amavis", conf]);
    const again = await runCli(["import", "amavis", conf], { store });
    expect([again.exitCode, again.stdout]).toEqual([
      0,
      `present: mail._domainkey.example.com: ${store}/example.com.mail.pem\n`,
    ]);
  });

  test("lists what it cannot read and brings in the rest", async () => {
    const { conf } = amavisFolder(
      (at) =>
        `dkim_key('a.example','x','${at}/none.pem');\ndkim_key('b.example','x','${at}/one.pem');\ndkim_key($c,'x','${at}/one.pem');\n`,
    );
    const { exitCode, stdout, stderr, files } = await runCli(["import", "amavis", conf]);
    expect([exitCode, files]).toEqual([3, ["b.example.x.pem"]]);
    expect(stdout).toMatch(/^failed: x\._domainkey\.a\.example: there is no file /m);
    expect(stderr).toContain("50-user:3: dkim_key is called with what only Perl can tell");
  });

  test("imports nothing from a configuration that cannot be understood", async () => {
    const { folder } = amavisFolder((at) => `dkim_key('a.example','x','${at}/one.pem');\n`);
    writeFileSync(join(folder, "60-more"), "\ndkim_key('b.example','x");
    const { exitCode, stdout, stderr, files } = await runCli(["import", "amavis", folder]);
    expect([exitCode, stdout, files]).toEqual([3, "", []]);
    expect(stderr).toContain("60-more:2: ");
  });

  test("finds loose keys by a pattern, and keeps a seed a seed", async () => {
    const folder = temporaryFolder();
    for (const domain of ["a.example", "b.example"]) mkdirSync(join(folder, domain));
    write(join(folder, "a.example", "s1.private"), one);
    write(join(folder, "b.example", "s2.private"), two, "seed");
    writeFileSync(join(folder, "b.example", "s2.txt"), "not a key");
    const argv = ["import", "files", folder, "--pattern", "{domain}/{selector}.private", "--json"];
    const { exitCode, stdout, files, store } = await runCli(argv);
    expect([exitCode, files]).toEqual([0, ["a.example.s1.pem", "b.example.s2.pem"]]);
    const { schema, keys } = JSON.parse(stdout) as { schema: string; keys: { result: string; source: string }[] };
    expect([schema, keys.map(({ result }) => result)]).toEqual(["dkimctl/import/1", ["imported", "imported"]]);
    expect(readFileSync(join(store, "b.example.s2.pem"), "utf8")).toMatch(/^[\w+/]{43}=\n$/);
    expect(lstatSync(join(store, "b.example.s2.pem")).mode & 0o777).toBe(0o600);
  });

  test("reads what rspamd has in Redis", async () => {
    const file = join(temporaryFolder(), "hash.json");
    writeFileSync(file, JSON.stringify({ "mail.example.com": encodePrivateKey(one, "pkcs1") }));
    const { exitCode, files, stdout } = await runCli(["import", "rspamd", file]);
    expect([exitCode, files]).toEqual([0, ["example.com.mail.pem"]]);
    expect(stdout).not.toContain("PRIVATE KEY");
    const link = await runCli(["import", "rspamd", file, "--link"]);
    expect([link.exitCode, link.files]).toEqual([3, []]);
  });

  test("what was exported comes back", async () => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "a.example", "-d", "b.example", "-s", "x", "-b", "1024", "-q"], { store });
    const fingerprints = async (from: string) => {
      const { stdout } = await runCli(["showkeys", "--json"], { store: from });
      return (JSON.parse(stdout) as { records: { name: string; fingerprint: string }[] }).records.map(
        ({ name, fingerprint }) => `${name} ${fingerprint}`,
      );
    };
    for (const [signer, file] of [
      ["amavis", "52-dkim"],
      ["rspamd", "dkim_signing.conf"],
      ["opendkim", "dkimctl.conf"],
    ] as const) {
      const folder = temporaryFolder();
      const output = signer === "opendkim" ? folder : join(folder, file);
      expect((await runCli(["export", signer, "--output", output], { store })).exitCode).toBe(0);
      const { store: other, exitCode } = await runCli(["import", signer, join(folder, file)]);
      expect([exitCode, await fingerprints(other)]).toEqual([0, await fingerprints(store)]);
    }
  });

  const refusals: [title: string, argv: string[], code: number, text: string][] = [
    ["an unknown signer", ["import", "sendmail", "x"], 2, "known are amavis"],
    ["link and move", ["import", "files", "x", "--link", "--move"], 2, "contradict"],
    ["a loose file without a name", ["import", "files", "x"], 2, "whose keys"],
    ["a pattern for a signer", ["import", "amavis", "x", "--pattern", "{domain}/{selector}"], 2, "loose key files"],
    ["a pattern without a selector", ["import", "files", "x", "--pattern", "{domain}"], 2, "once each"],
    ["a file that is not there", ["import", "opendkim", "/nowhere"], 3, "does not exist"],
    ["a configuration without keys", ["import", "opendkim", "/dev/null"], 3, "no key"],
  ];
  test.each(refusals)("refuses %s", async (_, argv, code, text) => {
    const { exitCode, stdout, stderr, files } = await runCli(argv);
    expect([exitCode, stdout, files]).toEqual([code, "", []]);
    expect(stderr).toContain(text);
  });
});
