import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createResolver, createServerPool } from "../../src/dns/dns2-resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { type KillableSource, killableSource } from "../helpers/killable-source.ts";
import { startNamed } from "../helpers/named.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";
import { type CliResult, runCli } from "../helpers/run-cli.ts";
import { amavisConfiguration, signerFolder, startRspamd } from "../helpers/signer-daemons.ts";
import { journalStates } from "../helpers/stored-journal.ts";

/** The daemons have clocks of their own. */
const START = Date.now();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const isRoot = process.getuid?.() === 0;

const peer = requirePeer("named", "nsupdate", "dig");

describe.skipIf(peer.skip || !isRoot)(`rotate writes and reloads a signer ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  interface Signer {
    readonly folder: string;
    readonly store: string;
    readonly config: string;
    now: number;
    run(...argv: string[]): Promise<CliResult>;
    configure(signer: string, rest?: string): void;
    states(domain: string): Record<string, string>;
    only(domain: string, state: string): string;
    /** Until the first key signs, or would. */
    bringUp(...domains: string[]): Promise<CliResult>;
    /** The next key is ready; the next run changes the signer. */
    prepareNext(): Promise<void>;
  }

  /** A store whose keys the user "nobody" can read, and a folder for the signer. */
  function setUp(): Signer {
    const { folder, store } = signerFolder();
    const config = join(folder, "dkimctl.toml");
    const signer: Signer = {
      folder,
      store,
      config,
      now: START,
      configure(lines, rest = `[store]\nmode = "0640"\ngroup = "nogroup"\n`) {
        writeFileSync(
          config,
          `${rest}[dns]\nservers = ["127.0.0.1#${zone.named.port}"]\nauthoritative-port = ${zone.named.port}
[records]\nttl = 1
[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${zone.keyFile}"
[rotation]\nbits = 1024\nselector = "k{n}"
[signer]\nuser = "nobody"\n${lines}\n`,
        );
      },
      async run(...argv) {
        const pool = createServerPool({ timeoutMs: 2000, retries: 0 });
        try {
          return await runCli(argv, {
            store,
            env: { DKIMCTL_CONFIG: config, ...(process.env.PATH && { PATH: process.env.PATH }) },
            now: new Date(signer.now),
            createResolver: () =>
              createResolver({ servers: [parseServerAddress(zone.named.server)], timeoutMs: 2000, retries: 0 }),
            pool,
          });
        } finally {
          await pool.close();
        }
      },
      states: (domain) => journalStates(store, domain),
      only(domain, state) {
        const states = signer.states(domain);
        return Object.keys(states).find((selector) => states[selector] === state) ?? "";
      },
      async bringUp(...domains) {
        const first = await signer.run("rotate", ...domains);
        expect(first, first.stderr).toMatchObject({ exitCode: 0 });
        signer.now += 2 * HOUR;
        return signer.run("rotate");
      },
      async prepareNext() {
        await signer.run("rotate", "--now");
        signer.now += 2 * HOUR;
      },
    };
    return signer;
  }

  const rspamd = requirePeer("rspamd");

  test.skipIf(rspamd.skip)(
    `rspamd signs with the new key as soon as rotate says so ${rspamd.reason}`,
    { timeout: 60_000 },
    async () => {
      const own = setUp();
      const output = join(own.folder, "dkim_signing.conf");
      const daemon = await startRspamd(own.folder, `.include(try=true) "${output}"`);
      onTestFinished(() => daemon.stop(), 30_000);
      own.configure(
        `type = "rspamd"\noutput = "${output}"\nreload = ["kill", "-HUP", "${daemon.pid}"]\ntime-limit = "10s"\ntest-url = "${daemon.url}"`,
      );
      const domains = ["one.example.test", "two.example.test"];
      const up = await own.bringUp(...domains);
      expect(up, up.stderr).toMatchObject({ exitCode: 0, stderr: "" });
      const signatures = async (domain: string) => {
        const [signed] = await daemon.sign([Buffer.from(`From: <a@${domain}>\r\nSubject: x\r\n\r\nhello\r\n`)]);
        return [
          ...Buffer.from(signed ?? [])
            .toString()
            .matchAll(/\bs=([^;]+);/g),
        ].map(([, selector]) => selector);
      };
      for (const domain of domains) expect(await signatures(domain)).toEqual([own.only(domain, "active")]);
      await own.prepareNext();
      const { stdout, exitCode, stderr } = await own.run("rotate");
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toMatch(/^one\.example\.test: .*k2 signs instead of k1\ntwo\.example\.test: .*k2 signs instead/);
      for (const domain of domains) expect(await signatures(domain)).toEqual(["k2"]);
      // Nothing is left of the change.
      expect(readdirSync(own.folder).filter((name) => name.includes("dkimctl-"))).toEqual([]);
    },
  );

  test.skipIf(rspamd.skip)("keys are made as rspamd can load them: both sign", { timeout: 60_000 }, async () => {
    const own = setUp();
    const output = join(own.folder, "dkim_signing.conf");
    const daemon = await startRspamd(own.folder, `.include(try=true) "${output}"`);
    onTestFinished(() => daemon.stop(), 30_000);
    const domain = "both.example.test";
    own.configure(
      `type = "rspamd"\noutput = "${output}"\nreload = ["kill", "-HUP", "${daemon.pid}"]\ntime-limit = "10s"\ntest-url = "${daemon.url}"
[domain."${domain}"]\nalgorithms = ["rsa", "ed25519"]`,
    );
    const up = await own.bringUp(domain);
    expect(up, up.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect(own.states(domain)).toEqual({ k1: "active", k2: "active" });
    const [signed] = await daemon.sign([Buffer.from(`From: <a@${domain}>\r\nSubject: x\r\n\r\nhello\r\n`)]);
    const text = Buffer.from(signed ?? []).toString();
    expect([...text.matchAll(/ a=([^;]+);/g)].map(([, algorithm]) => algorithm).sort()).toEqual([
      "ed25519-sha256",
      "rsa-sha256",
    ]);
  });

  test.skipIf(rspamd.skip)(
    `an rspamd that was not reloaded is found out, and put back`,
    { timeout: 60_000 },
    async () => {
      const own = setUp();
      const output = join(own.folder, "dkim_signing.conf");
      const daemon = await startRspamd(own.folder, `.include(try=true) "${output}"`);
      onTestFinished(() => daemon.stop(), 30_000);
      own.configure(
        `type = "rspamd"\noutput = "${output}"\nreload = ["true"]\ntest-url = "${daemon.url}"\ntime-limit = "2s"`,
      );
      const domain = "deaf.example.test";
      const { exitCode, stderr } = await own.bringUp(domain);
      expect([exitCode, own.states(domain)]).toEqual([1, { k1: "ready" }]);
      expect(stderr).toContain(
        "rspamd was asked to sign for k1._domainkey.deaf.example.test and does not sign with it; the signer was put back to what it used",
      );
      expect(existsSync(output)).toBe(false);
    },
  );

  /** A signer that is only files: its reload notes what it reads, or fails. */
  function fakeReload(own: Signer, output: string): string {
    const script = join(own.folder, "reload");
    writeFileSync(
      script,
      `#!/bin/sh\n[ ! -e ${own.folder}/fail ] || { rm ${own.folder}/fail; echo no; exit 1; }\ncat ${output} > ${own.folder}/loaded 2>/dev/null || :\necho >> ${own.folder}/reloads\n`,
    );
    chmodSync(script, 0o755);
    return script;
  }

  const reloads = (own: Signer) => readFileSync(join(own.folder, "reloads"), "utf8").length;

  test("a failing reload: file and signer are as before, to the octet, and the next run tries again", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]\nttl = "30d"`);
    const domain = "fail.example.test";
    expect((await own.bringUp(domain)).exitCode).toBe(0);
    chmodSync(output, 0o640);
    const before = readFileSync(output, "utf8");
    expect(before).toContain("s => 'k1', a => 'rsa-sha256', c => 'relaxed/simple', ttl => 2592000");
    await own.prepareNext();
    writeFileSync(join(own.folder, "fail"), "");
    chmodSync(output, 0o644);
    const failed = await own.run("rotate");
    expect([failed.exitCode, own.states(domain)]).toEqual([1, { k1: "active", k2: "ready" }]);
    expect(failed.stderr).toMatch(/failed with exit status 1: no; the signer was put back to k1\n/);
    expect(readFileSync(output, "utf8")).toBe(before);
    expect(readFileSync(join(own.folder, "loaded"), "utf8")).toBe(before);
    expect((await own.run("rotate")).exitCode).toBe(0);
    expect(own.states(domain)).toEqual({ k1: "draining", k2: "active" });
    expect(readFileSync(join(own.folder, "loaded"), "utf8")).toContain("s => 'k2'");
  });

  test("a key that the signer's user cannot read never gets into its configuration", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`, "");
    chmodSync(own.store, 0o755);
    const { exitCode, stderr } = await own.bringUp("closed.example.test");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("would fail in the signer: user nobody cannot read");
    expect(existsSync(output)).toBe(false);
  });

  test("a configuration that the signer's user cannot read is put back before the reload", async () => {
    const own = setUp();
    const closed = join(own.folder, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const output = join(closed, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    const { exitCode, stderr } = await own.bringUp("hidden.example.test");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`the new configuration: user nobody cannot look into ${closed}`);
    expect([existsSync(output), existsSync(join(own.folder, "reloads"))]).toEqual([false, false]);
  });

  test("a file of another hand is never replaced", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    writeFileSync(output, "use strict;\n# mine\n1;\n");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    const { exitCode, stderr } = await own.bringUp("mine.example.test");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${output} was not written by dkimctl`);
    expect(readFileSync(output, "utf8")).toContain("# mine");
  });

  test("domains that nobody rotates stay as the configuration has them", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    for (const selector of ["old", "unpublished"]) {
      await own.run("keygen", "-d", "other.example", "-s", selector, "-b", "1024", "-q");
    }
    await own.run("export", "amavis", "--selector", "old", "--output", output, "-q");
    expect((await own.bringUp("new.example.test")).stderr).not.toContain("new.example.test");
    const text = readFileSync(output, "utf8");
    expect([...text.matchAll(/^dkim_key\('(.*?)', '(.*?)'/gm)].map(([, d, s]) => `${s}@${d}`)).toEqual([
      "k1@new.example.test",
      "old@other.example",
    ]);
  });

  test("a domain whose first key is on its way goes on with what the configuration has", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    const domain = "begun.example.test";
    await own.run("keygen", "-d", domain, "-s", "old", "-b", "1024", "-q");
    await own.run("export", "amavis", "--output", output, "-q");
    const elsewhere = join(own.folder, "old.pem");
    renameSync(join(own.store, `${domain}.old.pem`), elsewhere);
    writeFileSync(output, readFileSync(output, "utf8").replace(/[^']*old\.pem/, elsewhere));
    const signing = () =>
      [...readFileSync(output, "utf8").matchAll(/^dkim_key\('(.*?)', '(.*?)'/gm)].map(([, d, s]) => `${s}@${d}`);
    await own.run("rotate", "another.example.test");
    own.now += 2 * HOUR;
    await own.run("rotate", domain);
    await own.run("rotate");
    expect(own.states(domain)).toEqual({ k1: "published" });
    expect(signing()).toEqual(["k1@another.example.test", `old@${domain}`]);
    // One that was lost signs nothing any more, and holds up nobody.
    rmSync(elsewhere);
    own.now += 2 * HOUR;
    await own.run("rotate");
    expect(signing()).toEqual(["k1@another.example.test", `k1@${domain}`]);
  });

  test("many domains cost few reloads, and one that fails holds up no other", { timeout: 60_000 }, async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    const domains = Array.from({ length: 40 }, (_, index) => `d${String(index).padStart(2, "0")}.example.test`);
    expect((await own.run("rotate", ...domains)).exitCode).toBe(0);
    own.now += 2 * HOUR;
    chmodSync(join(own.store, "d17.example.test.k1.pem"), 0o600);
    const { exitCode, stderr } = await own.run("rotate");
    expect(exitCode).toBe(1);
    expect(stderr.match(/warning/g)).toHaveLength(1);
    expect(stderr).toContain("d17.example.test: activate: k1._domainkey.d17.example.test would fail in the signer");
    expect(readFileSync(output, "utf8").match(/^dkim_key/gm)).toHaveLength(39);
    expect(own.states("d16.example.test")).toEqual({ k1: "active" });
    expect(own.states("d17.example.test")).toEqual({ k1: "ready" });
    expect(reloads(own)).toBeLessThan(20);
  });

  test("domains with a configuration of their own; two ways to write one file are refused", async () => {
    const own = setUp();
    const [common, other] = [join(own.folder, "common"), join(own.folder, "other")];
    const reload = fakeReload(own, common);
    own.configure(`type = "amavis"\noutput = "${common}"\nreload = ["${reload}"]
[domain."own.example.test".signer]\ntype = "amavis"\nuser = "nobody"\noutput = "${other}"\nreload = ["true"]
[domain."same.example.test".signer]\ntype = "amavis"\nuser = "nobody"\noutput = "${common}"\nreload = ["true"]`);
    const domains = ["common.example.test", "own.example.test"];
    expect(await own.bringUp(...domains)).toMatchObject({ exitCode: 0, stderr: "" });
    for (const domain of domains) expect(own.states(domain)).toEqual({ k1: "active" });
    expect(readFileSync(common, "utf8")).toMatch(/common\.example\.test/);
    expect(readFileSync(common, "utf8")).not.toMatch(/own\.example\.test/);
    expect(readFileSync(other, "utf8")).toMatch(/own\.example\.test/);
    expect(readFileSync(other, "utf8")).not.toMatch(/common\.example\.test/);
    const before = readFileSync(common, "utf8");
    const { exitCode, stderr } = await own.run("rotate", "common.example.test", "same.example.test");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`same.example.test: signer.output is ${common} for other domains too`);
    expect(readFileSync(common, "utf8")).toBe(before);
  });

  test("a key that the signer cannot load is refused, and one of another domain stays out", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    const lines = `type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`;
    const edwards = "edwards.example.test";
    const policy = `\n[domain."${edwards}"]\nalgorithms = ["ed25519"]`;
    own.configure(`activate = ["true"]${policy}`);
    expect((await own.bringUp(edwards)).exitCode).toBe(0);
    own.configure(lines + policy);
    const domain = "rsa.example.test";
    const { stderr } = await own.bringUp(domain);
    expect(own.states(domain)).toEqual({ k1: "active" });
    expect(readFileSync(output, "utf8")).not.toContain(edwards);
    expect(stderr).toContain(`${edwards}: k1: the signer does not use it: ${output} does not name it`);
    await own.prepareNext();
    const refused = await own.run("rotate");
    expect([refused.exitCode, own.states(edwards), own.states(domain)]).toEqual([
      1,
      { k1: "active", k2: "ready" },
      { k1: "draining", k2: "active" },
    ]);
    expect(refused.stderr).toContain(`k2._domainkey.${edwards} cannot sign: amavisd cannot load Ed25519 keys`);
  });

  test("a signer that fails for every domain is soon left alone, as it was", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(
      `type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]\ntest = ["false"]\ntime-limit = "1s"`,
    );
    const domains = Array.from({ length: 8 }, (_, index) => `e${index}.example.test`);
    const { exitCode, stderr } = await own.bringUp(...domains);
    expect(exitCode).toBe(1);
    expect(stderr.match(/warning/g)).toHaveLength(8);
    expect(stderr.match(/the signer was put back to what it used/g)).toHaveLength(3);
    expect(stderr.match(/not tried, for the signer failed for 3 domains one after another/g)).toHaveLength(5);
    expect(existsSync(output)).toBe(false);
  });

  test("a key that another configuration still names is not revoked", { timeout: 90_000 }, async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    const other = join(own.folder, "KeyTable");
    const lines = `output = "${output}"\nreload = ["${fakeReload(own, output)}"]\nconfiguration = ["${other}"]`;
    const domain = "held.example.test";
    const named = (selector: string) =>
      `dkim_key('${domain}', '${selector}', '${own.store}/${domain}.${selector}.pem');\n`;
    writeFileSync(other, "# nothing so far\n");
    own.configure(`type = "amavis"\n${lines}`);
    await own.bringUp(domain);
    writeFileSync(other, `# another host's\n${named("k1")}`);
    await own.prepareNext();
    await own.run("rotate");
    own.now += 8 * DAY;
    const held = await own.run("rotate");
    expect([held.exitCode, own.states(domain).k1]).toEqual([1, "draining"]);
    expect(held.stderr).toContain(`k1: ${other}:2 still names it: its record stays until that is put right`);
    expect(zone.txt(`k1._domainkey.${domain}`)).toEqual([expect.stringContaining("p=MI")]);
    rmSync(other);
    const unknown = await own.run("rotate");
    expect(unknown.stderr).toMatch(/k1: the signer's configuration: .*KeyTable.*: its record stays/);
    // Who waits need not begin anew once the file is there.
    setTimeout(() => writeFileSync(other, named("k2")), 1500);
    expect((await own.run("rotate", "--wait", "60s")).exitCode).toBe(0);
    expect(own.states(domain).k1).toBe("tombstone");
  });

  test("the signer was changed behind our back: a person is told which key it does not use", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    const domain = "behind.example.test";
    await own.bringUp(domain);
    writeFileSync(output, readFileSync(output, "utf8").replace(/^dkim_key.*\n/m, ""));
    const { exitCode, stderr } = await own.run("rotate", domain);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`k1: the signer does not use it: ${output} does not name it`),
    ]);
  });

  test("--adopt reads from the configuration which key signs", async () => {
    const own = setUp();
    const output = join(own.folder, "52-dkim");
    own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${fakeReload(own, output)}"]`);
    const domain = "taken.example.test";
    await own.bringUp(domain);
    await own.prepareNext();
    // The journal is lost while two keys are proven.
    rmSync(join(own.store, ".dkimctl"), { recursive: true });
    const adopted = await own.run("rotate", "--adopt");
    expect(adopted.exitCode, adopted.stderr).toBe(0);
    expect(own.states(domain)).toEqual({ k1: "active", k2: "ready" });
    rmSync(join(own.store, ".dkimctl"), { recursive: true });
    await own.run("rotate", domain, "--adopt", "--active", "k2");
    expect(own.states(domain)).toEqual({ k1: "ready", k2: "active" });
  });

  const amavis = requirePeer("amavisd");
  test.skipIf(amavis.skip)(
    `amavisd loads what rotate wrote, and its testkeys decides ${amavis.reason}`,
    { timeout: 60_000 },
    async () => {
      const own = setUp();
      const output = join(own.folder, "52-dkim");
      const conf = amavisConfiguration(own.folder, output);
      const resolver = (port: number) =>
        `use Net::DNS; use Mail::DKIM::DNS;\nMail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ['127.0.0.1'], port => ${port}));\n1;\n`;
      const original = readFileSync(conf, "utf8");
      const amavisd = findBinary("amavisd") ?? "amavisd";
      own.configure(
        `type = "amavis"\noutput = "${output}"\nreload = ["${amavisd}", "-c", "${conf}", "showkeys"]
test = ["${amavisd}", "-c", "${conf}", "testkeys", "{domain}"]\ntime-limit = "10s"`,
      );
      writeFileSync(conf, original + resolver(zone.named.port));
      const domain = "amavis.example.test";
      const up = await own.bringUp(domain);
      expect(up.exitCode, up.stderr).toBe(0);
      await own.prepareNext();
      // amavisd asks a server that knows nothing of these keys.
      const ignorant = await startNamed({
        zones: { ".": "$TTL 60\n@ SOA ns. root. 1 60 60 60 60\n@ NS ns.\nns. A 127.0.0.1\n" },
      });
      onTestFinished(() => ignorant.stop());
      writeFileSync(conf, original + resolver(ignorant.port));
      const blind = await own.run("rotate");
      expect(blind.exitCode).toBe(1);
      expect(blind.stderr).toMatch(
        /amavisd testkeys says of k2\._domainkey\.amavis\.example\.test: .*; the signer was put back to k1\n/,
      );
      writeFileSync(conf, original + resolver(zone.named.port));
      const seeing = await own.run("rotate");
      expect(seeing.exitCode, seeing.stderr).toBe(0);
      expect(own.states(domain)).toEqual({ k1: "draining", k2: "active" });
    },
  );

  const opendkim = requirePeer("opendkim", "opendkim-testkey");
  test.skipIf(opendkim.skip)(
    `opendkim accepts what rotate wrote; one that does not is put back ${opendkim.reason}`,
    { timeout: 60_000 },
    async () => {
      const own = setUp();
      const tables = join(own.folder, "tables");
      mkdirSync(tables);
      const conf = join(own.folder, "opendkim.conf");
      writeFileSync(conf, `Include ${tables}/dkimctl.conf\nMode s\nRequireSafeKeys false\n`);
      const binary = findBinary("opendkim") ?? "opendkim";
      const check = JSON.stringify([binary, "-n", "-x", conf]);
      own.configure(`type = "opendkim"\noutput = "${tables}"\nreload = ["true"]\ntest = ${check}\ntime-limit = "2s"`);
      const domain = "opendkim.example.test";
      const up = await own.bringUp(domain);
      expect(up.exitCode, up.stderr).toBe(0);
      const files = () => readdirSync(tables).map((name) => readFileSync(join(tables, name), "utf8"));
      const before = files();
      expect(before.join("")).toContain(`k1._domainkey.${domain} ${domain}:k1:${own.store}/${domain}.k1.pem`);
      await own.prepareNext();
      writeFileSync(conf, `${readFileSync(conf, "utf8")}NoSuchSetting yes\n`);
      const refused = await own.run("rotate");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(/the test of the signer: .*opendkim.* failed .*; the signer was put back to k1/);
      expect(files()).toEqual(before);
    },
  );

  describe("a real process, killed by SIGKILL", () => {
    let source: KillableSource;
    beforeAll(() => {
      source = killableSource();
    }, 60_000);
    afterAll(() => source?.remove());

    /** DKIMCTL_KILL_STRIDE=1 kills at every one. */
    const stride = Number(process.env.DKIMCTL_KILL_STRIDE ?? 4);

    /** @param killAt the number of the call that changes the world at which the process is killed; 0: none */
    function rotate(own: Signer, offset: number, killAt: number, ...options: string[]) {
      return source.run({ store: own.store, config: own.config, offset, killAt, argv: ["rotate", ...options] });
    }

    /** The first key signs, and the next run changes to the second. */
    async function beforeTheChange(domain: string) {
      const own = setUp();
      const output = join(own.folder, "52-dkim");
      const reload = fakeReload(own, output);
      const configure = (program: string) =>
        own.configure(`type = "amavis"\noutput = "${output}"\nreload = ["${program}"]`);
      configure(reload);
      await rotate(own, 0, 0, domain);
      await rotate(own, 2 * HOUR, 0);
      expect(own.states(domain)).toEqual({ k1: "active" });
      await rotate(own, 2 * HOUR, 0, "--now");
      return { own, output, reload, configure };
    }

    /** What is left of a change in a folder; nothing, when it is through. */
    const leftovers = (folder: string) => readdirSync(folder).filter((name) => /^\.(?!dkimctl$)/.test(name));

    test("between the new file and the reload: the next run puts it back, and then changes it", {
      timeout: 60_000,
    }, async () => {
      const domain = "killed.example.test";
      const { own, output, reload, configure } = await beforeTheChange(domain);
      const killer = join(own.folder, "killer");
      writeFileSync(
        killer,
        `#!/bin/sh\n[ -e ${own.folder}/killed ] && exec ${reload}\ntouch ${own.folder}/killed\nkill -9 $PPID\n`,
      );
      chmodSync(killer, 0o755);
      const before = readFileSync(output, "utf8");
      configure(killer);
      expect(await rotate(own, 4 * HOUR, 0)).toMatchObject({ signal: "SIGKILL" });
      // The worst moment: the file is new, the signer is not, and the journal does not know.
      expect(readFileSync(output, "utf8")).toContain("'k2'");
      expect(readFileSync(join(own.folder, "loaded"), "utf8")).toBe(before);
      expect(own.states(domain)).toEqual({ k1: "active", k2: "ready" });
      const loads = reloads(own);
      const next = await rotate(own, 4 * HOUR + 1000, 0);
      expect(next, next.output).toMatchObject({ exitCode: 0 });
      expect(own.states(domain)).toEqual({ k1: "draining", k2: "active" });
      expect(readFileSync(join(own.folder, "loaded"), "utf8")).toContain("'k2'");
      // Once with the old file, once with the new.
      expect(reloads(own) - loads).toBe(2);
      expect(statSync(output).mode & 0o777).toBe(0o644);
      expect(leftovers(own.folder)).toEqual([]);
    });

    test("ended by SIGTERM in the middle of the reload: the signer is put back before the process ends", {
      timeout: 60_000,
    }, async () => {
      const domain = "ended.example.test";
      const { own, output, reload, configure } = await beforeTheChange(domain);
      const ender = join(own.folder, "ender");
      writeFileSync(
        ender,
        `#!/bin/sh\n[ -e ${own.folder}/ended ] && exec ${reload}\ntouch ${own.folder}/ended\nkill -TERM $PPID\nsleep 30\n`,
      );
      chmodSync(ender, 0o755);
      const before = readFileSync(output, "utf8");
      const loads = reloads(own);
      configure(ender);
      expect(await rotate(own, 4 * HOUR, 0)).toMatchObject({ signal: "SIGTERM", output: "" });
      expect(readFileSync(output, "utf8")).toBe(before);
      expect(reloads(own) - loads).toBe(1);
      expect(own.states(domain)).toEqual({ k1: "active", k2: "ready" });
      expect(leftovers(own.folder)).toEqual([]);
      expect(await rotate(own, 4 * HOUR + 1000, 0)).toMatchObject({ exitCode: 0 });
      expect(own.states(domain)).toEqual({ k1: "draining", k2: "active" });
    });

    test("at any boundary: the same end, and nothing signs that nobody can verify", {
      timeout: 240_000,
    }, async () => {
      const domain = "boundary.example.test";
      const { own, output } = await beforeTheChange(domain);
      const kept = `${own.folder}.kept`;
      onTestFinished(() => rmSync(kept, { recursive: true }));
      cpSync(own.folder, kept, { recursive: true, preserveTimestamps: true });
      const named = (path: string) =>
        [...readFileSync(path, "utf8").matchAll(/^dkim_key\('.*?', '(.*?)'/gm)].map(([, s]) => s);
      let kills = 0;
      for (let killAt = 1; ; killAt += stride) {
        rmSync(own.folder, { recursive: true });
        cpSync(kept, own.folder, { recursive: true, preserveTimestamps: true });
        handOverToGroup(own.store);
        const { signal, output: said } = await rotate(own, 4 * HOUR, killAt);
        for (const path of [output, join(own.folder, "loaded")]) {
          expect([["k1"], ["k2"]], `${path} after ${killAt}: ${said}`).toContainEqual(named(path));
        }
        const next = await rotate(own, 4 * HOUR + 1000, 0);
        expect(next, `${killAt}: ${next.output}`).toMatchObject({ exitCode: 0 });
        expect([own.states(domain), named(output), named(join(own.folder, "loaded"))], String(killAt)).toEqual([
          { k1: "draining", k2: "active" },
          ["k2"],
          ["k2"],
        ]);
        expect([leftovers(own.folder), leftovers(own.store)], String(killAt)).toEqual([[], []]);
        if (signal !== "SIGKILL") break;
        kills++;
      }
      expect(kills).toBeGreaterThan(10 / stride);
    });
  });
});

/** A copy does not keep the group. */
function handOverToGroup(store: string): void {
  for (const name of readdirSync(store)) if (name.endsWith(".pem")) chownSync(join(store, name), 0, 65534);
}
