import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import { asTxtResolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import { run } from "../helpers/daemon-process.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";
import { type CliResult, runCli } from "../helpers/run-cli.ts";
import { amavisConfiguration, signerFolder, signWithAmavis } from "../helpers/signer-daemons.ts";

const { skip, reason } = requirePeer("amavisd", "named", "nsupdate", "dig");
const isRoot = process.getuid?.() === 0;

/** What people do by hand with amavisd, word for word, with its own user, its own testkeys, and a real DNS. */
describe.skipIf(skip || !isRoot)(`by hand with amavisd ${reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  function setUp() {
    const { folder, store } = signerFolder();
    const exported = join(folder, "52-dkim");
    const resolver = () =>
      createResolver({ servers: [parseServerAddress(zone.named.server)], timeoutMs: 2000, retries: 0 });
    const dkimctl = async (...argv: string[]): Promise<CliResult> =>
      runCli(argv, { store, createResolver: resolver, now: new Date() });
    const works = async (...argv: string[]) => {
      const result = await dkimctl(...argv);
      expect(result.exitCode, `${argv.join(" ")}: ${result.stdout}${result.stderr}`).toBe(0);
      return result.stdout;
    };
    return { folder, store, exported, dkimctl, works, resolver };
  }

  /** As nsupdate takes it; `showkeys` says what. */
  function publish(records: string, verb: "add" | "delete" = "add"): void {
    const { records: list } = JSON.parse(records) as { records: { name: string; value: string }[] };
    const quote = (value: string) => (value.match(/.{1,200}/g) ?? []).map((part) => `"${part}"`).join(" ");
    const lines = list.map(({ name, value }) =>
      verb === "add" ? `update add ${name}. 1 IN TXT ${quote(value)}` : `update delete ${name}. TXT`,
    );
    execFileSync("nsupdate", ["-k", zone.keyFile], {
      input: `server 127.0.0.1 ${zone.named.port}\nzone ${zone.zone}.\n${lines.join("\n")}\nsend\n`,
    });
  }

  async function amavisTest(folder: string, exported: string, user = "nobody", group = "nogroup"): Promise<string[]> {
    const conf = amavisConfiguration(folder, exported);
    const resolver = `Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ['127.0.0.1'], port => ${zone.named.port}));\n1;\n`;
    const users = "$daemon_user = 'nobody'; $daemon_group = 'nogroup'";
    const own = `$daemon_user = '${user}'; $daemon_group = '${group}'`;
    const text = readFileSync(conf, "utf8").replace(users, () => own);
    writeFileSync(conf, `${text}use Net::DNS; use Mail::DKIM::DNS;\n${resolver}`);
    const output = await run(findBinary("amavisd") ?? "amavisd", ["-c", conf, "testkeys"]);
    return output.trim().split("\n");
  }

  test("one key for many domains; chgrp amavis and g+r", { timeout: 60_000 }, async () => {
    const { folder, store, exported, dkimctl, works } = setUp();
    const domains = ["one", "two", "three"].map((name) => `${name}.shared.example.test`);
    await works("keygen", ...domains.flatMap((domain) => ["-d", domain]), "-s", "mail", "-b", "1024", "--share", "-q");
    publish(await works("showkeys", "--json"));
    await works("export", "amavis", "--output", exported);
    const check = ["check-signer", "amavis", exported, "--user", "amavis"];
    const barred = await dkimctl(...check);
    expect([barred.exitCode, barred.stdout.match(/unreadable: user amavis cannot read/g)?.length]).toEqual([1, 3]);
    execFileSync("sh", ["-c", `chgrp amavis ${store} ${store}/*.pem && chmod g+rX ${store} ${store}/*.pem`]);
    await works("testkeys");
    expect(await works(...check)).toBe(
      ["one", "three", "two"]
        .map((name, index) => `ok: mail._domainkey.${name}.shared.example.test (${exported}:${6 + index})\n`)
        .join(""),
    );
    expect((await amavisTest(folder, exported, "amavis", "amavis")).sort()).toEqual([
      "TESTING#1 one.shared.example.test: mail._domainkey.one.shared.example.test => pass",
      "TESTING#2 three.shared.example.test: mail._domainkey.three.shared.example.test => pass",
      "TESTING#3 two.shared.example.test: mail._domainkey.two.shared.example.test => pass",
    ]);
  });

  test("a second key is added, waited for, switched to, and the old one retired", { timeout: 120_000 }, async () => {
    const { folder, store, exported, dkimctl, works, resolver } = setUp();
    const domain = "recipe.example.test";
    const message = Buffer.from(`From: <a@${domain}>\r\nTo: <b@example.org>\r\nSubject: x\r\n\r\nhello\r\n`);
    const mode = ["-b", "1024", "--mode", "0640", "--group", "nogroup", "-q"];
    const signs = async () => {
      const [signed] = await signWithAmavis(folder, [message], exported);
      const client = resolver();
      const lookup = { lookup: (name: string) => asTxtResolver(client).lookup(name) };
      const { signatures } = await verifyMessage(signed ?? Buffer.of(), lookup, { now: new Date() });
      await client.close();
      return signatures.map(({ selector, result, reason: why }) => `${selector} ${why ?? result}`);
    };
    await works("keygen", "-d", domain, "-s", "old", ...mode);
    const old = await works("showkeys", "--json");
    publish(old);
    await works("export", "amavis", "--output", exported);
    expect(await signs()).toEqual(["old pass"]);

    // Added: nothing changes for the mail.
    await works("keygen", "-d", domain, "-s", "new", ...mode);
    expect((await dkimctl("testkeys", "--selector", "new")).exitCode).toBe(1);
    publish(await works("showkeys", "--json"));
    expect(await signs()).toEqual(["old pass"]);
    // Waited for: until a resolver has it.
    await works("testkeys", "--selector", "new");
    // Switched.
    await works("export", "amavis", "--selector", "new", "--output", exported);
    expect(await signs()).toEqual(["new pass"]);
    expect((await dkimctl("check-signer", "amavis", exported, "--user", "nobody")).stdout).toContain(
      "unused: old._domainkey",
    );
    // Retired: its record goes when no mail is on its way, its key at once.
    publish(old, "delete");
    execFileSync("rm", [join(store, `${domain}.old.pem`)]);
    expect(await works("check-signer", "amavis", exported, "--user", "nobody")).toBe(
      `ok: new._domainkey.${domain} (${exported}:6)\n`,
    );
    expect(await amavisTest(folder, exported)).toEqual([`TESTING#1 ${domain}: new._domainkey.${domain} => pass`]);
    expect(await signs()).toEqual(["new pass"]);
  });
});
