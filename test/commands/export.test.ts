import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

async function storeWith(...keys: [domain: string, selector: string, type?: string][]): Promise<string> {
  const store = temporaryFolder();
  for (const [domain, selector, type = "ed25519"] of keys) {
    const size = type === "rsa" ? ["-b", "1024"] : [];
    const argv = ["keygen", "-d", domain, "-s", selector, "-t", type, ...size, "-q"];
    expect((await runCli(argv, { store })).exitCode).toBe(0);
  }
  return store;
}

describe("export", () => {
  test("prints the configuration for the domains asked for", async () => {
    const store = await storeWith(["example.com", "a", "rsa"], ["example.org", "a", "rsa"]);
    const { exitCode, stdout } = await runCli(["export", "rspamd", "example.org"], { store });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`{ path = "${store}/example.org.a.pem"; selector = "a"; }`);
    expect(stdout).not.toContain("example.com");
  });

  test("what holds for many keys is told once, with how many there are", async () => {
    const keys = ["a", "b", "c", "d"].map((name) => [`${name}.example`, "s"] as [string, string]);
    const warnings = async (...argv: string[]) => {
      const { stderr } = await runCli(["export", ...argv], { store });
      return stderr.split("\n").filter((line) => line !== "");
    };
    const store = await storeWith(...keys, ["r.example", "s", "rsa"]);
    const seed =
      "rspamd before 3.13.2 cannot load such an Ed25519 key: it wants the bare seed (keygen --priv-output seed)";
    const first = ["a", "b", "c"].map((name) => `s._domainkey.${name}.example`);
    expect(await warnings("rspamd", "a.example", "b.example", "c.example", "r.example")).toEqual(
      first.map((name) => `dkimctl: warning: ${name}: ${seed}`),
    );
    expect(await warnings("rspamd")).toEqual([`dkimctl: warning: 4 keys, ${first.join(", ")} and others: ${seed}`]);
    expect(await warnings("amavis", "-v")).toEqual([
      `dkimctl: warning: left out 4 keys, ${first.join(", ")} and others: amavisd cannot load Ed25519 keys`,
      "dkimctl: left out s._domainkey.d.example",
    ]);
  });

  test("replaces a file in one step, through a link, and keeps its mode", async () => {
    const store = await storeWith(["example.com", "a", "rsa"]);
    const folder = temporaryFolder();
    const real = join(folder, "real.conf");
    writeFileSync(real, "old");
    chmodSync(real, 0o640);
    symlinkSync("real.conf", join(folder, "link.conf"));
    const argv = ["export", "rspamd", "--output", join(folder, "link.conf")];
    const first = await runCli(argv, { store });
    expect(first.stdout).toBe("");
    expect(first.stderr).toContain("systemctl reload rspamd");
    expect(readFileSync(real, "utf8")).toContain("domain {");
    expect(statSync(real).mode & 0o777).toBe(0o640);
    const inode = statSync(real).ino;
    expect((await runCli(argv, { store })).stderr).toContain("nothing changed");
    expect(statSync(real).ino).toBe(inode);
  });

  test("writes the files of a form into a folder, where they name each other", async () => {
    const store = await storeWith(["example.com", "a", "rsa"]);
    const folder = temporaryFolder();
    expect((await runCli(["export", "opendkim", "--output", folder], { store })).exitCode).toBe(0);
    expect(readFileSync(join(folder, "dkimctl.conf"), "utf8")).toContain(`SigningTable refile:${folder}/SigningTable`);
    expect(readFileSync(join(folder, "KeyTable"), "utf8")).toContain(
      `a._domainkey.example.com example.com:a:${store}/example.com.a.pem`,
    );
  });

  test("never prints a private key unasked, and keeps the file that has one to its owner", async () => {
    const store = await storeWith(["example.com", "a"]);
    for (const argv of [["rspamd", "--form", "vault"], ["spamexperts"]]) {
      const { exitCode, stdout, stderr } = await runCli(["export", ...argv], { store });
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("--reveal-private-key");
    }
    const folder = temporaryFolder();
    const vault = ["export", "rspamd", "--form", "vault", "--reveal-private-key", "--kv", "2", "--output", folder];
    expect((await runCli(vault, { store })).exitCode).toBe(0);
    const file = join(folder, "example.com.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { data } = JSON.parse(readFileSync(file, "utf8")) as { data: { selectors: { key: string }[] } };
    expect(Buffer.from(data.selectors[0]?.key ?? "", "base64")).toHaveLength(64);
  });

  const refusals: [title: string, argv: string[], code: number, text: string][] = [
    ["an unknown signer", ["export", "sendmail"], 2, "known are amavis"],
    ["a signer that Object has", ["export", "constructor"], 2, "known are amavis"],
    ["a form of another signer", ["export", "amavis", "--form", "maps"], 2, "amavis has no form maps"],
    ["an option that would do nothing", ["export", "rspamd", "--ttl", "30d"], 2, "--ttl means nothing"],
    ["a duration without unit", ["export", "amavis", "--ttl", "30"], 2, "it has no unit"],
    ["a signature that expires at once", ["export", "amavis", "--ttl", "0s"], 2, "expires at once"],
    ["a catch-all without key", ["export", "amavis", "--selector", "r", "--catch-all", "x.example"], 2, "has no key"],
    ["two keys where one signs", ["export", "amavis"], 3, "choose the one that signs: --selector r"],
    ["a selector that no key has", ["export", "rspamd", "--selector", "none"], 3, "no key"],
    ["keys that the signer cannot use", ["export", "amavis", "--selector", "e"], 3, "no key that amavis can use"],
    ["a folder for one file", ["export", "rspamd", "--output", "/"], 2, "is a folder"],
    ["a file for several", ["export", "opendkim", "--output", "/nowhere/x"], 2, "is not a folder"],
  ];
  test.each(refusals)("refuses %s", async (_, argv, code, text) => {
    const store = await storeWith(["example.com", "e"], ["example.com", "r", "rsa"], ["example.com", "r2", "rsa"]);
    const { exitCode, stdout, stderr } = await runCli(argv, { store });
    expect([exitCode, stdout]).toEqual([code, ""]);
    expect(stderr).toContain(text);
  });

  test("a key that cannot be read changes nothing", async () => {
    const store = await storeWith(["example.com", "a", "rsa"]);
    writeFileSync(join(store, "example.org.a.pem"), "no key");
    const folder = temporaryFolder();
    const output = join(folder, "conf");
    const { exitCode, stderr } = await runCli(["export", "rspamd", "--output", output], { store });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("nothing was exported");
    expect(statSync(output, { throwIfNoEntry: false })).toBeUndefined();
    const other = await runCli(["export", "rspamd", "example.com", "--output", output], { store });
    expect(other.exitCode).toBe(0);
  });

  test("one key of many domains is named for each", async () => {
    const store = temporaryFolder();
    const argv = ["keygen", "-d", "a.example", "-d", "b.example", "-s", "x", "-b", "1024", "--share", "-q"];
    await runCli(argv, { store });
    const { stdout } = await runCli(["export", "amavis"], { store });
    expect(stdout.match(/^dkim_key\('[ab]\.example'/gm)).toHaveLength(2);
  });

  test("the recipe: a second key is added, switched to, and the old one retired", async () => {
    const store = await storeWith(["example.com", "old", "rsa"]);
    const folder = temporaryFolder();
    mkdirSync(join(folder, "conf.d"));
    const output = ["--output", join(folder, "conf.d", "52-dkim")];
    const signsWith = () => /s => '(\w+)'/.exec(readFileSync(output[1] ?? "", "utf8"))?.[1];
    await runCli(["export", "amavis", ...output], { store });
    expect(signsWith()).toBe("old");
    await runCli(["keygen", "-d", "example.com", "-s", "new", "-b", "1024", "-q"], { store });
    // Which one signs is not guessed.
    expect((await runCli(["export", "amavis", ...output], { store })).exitCode).toBe(3);
    expect(signsWith()).toBe("old");
    await runCli(["export", "amavis", "--selector", "new", ...output], { store });
    expect(signsWith()).toBe("new");
  });
});
