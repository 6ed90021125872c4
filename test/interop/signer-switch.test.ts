import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { fakeReload, HOUR, reloads, switchedSigner } from "../helpers/switched-signer.ts";

const DAY = 24 * HOUR;
const isRoot = process.getuid?.() === 0;
const peer = requirePeer("named", "nsupdate", "dig");

/** The domain's next key is made to sign, and nobody is told of anything but that. */
async function expectSilentChange(own: ReturnType<typeof switchedSigner>, domain: string): Promise<void> {
  await own.run("rotate", domain, "--now");
  own.now += 2 * HOUR;
  expect(await own.run("rotate")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("signs"),
    stderr: "",
  });
}

describe.skipIf(peer.skip || !isRoot)(`rotate writes and reloads a signer ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());
  const setUp = () => switchedSigner(zone);

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

  test("what export warns of is told once, by the run that writes it", async () => {
    const own = setUp();
    const [dotted, plain] = ["dotted.example.test", "plain.example.test"];
    const output = join(own.folder, "local.d");
    mkdirSync(output);
    own.configure(
      `type = "rspamd"\nform = "maps"\noutput = "${output}"\nreload = ["true"]\n[domain."${dotted}"]\nselector = "k.{n}"`,
    );
    const told = (selector: string) =>
      `^dkimctl: warning: ${selector}\\._domainkey\\.dotted\\.example\\.test: its selector has a dot, [^\n]*\n$`;
    const first = await own.bringUp(dotted, plain);
    expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(told("k\\.1")) });
    expect(await own.run("rotate")).toMatchObject({ exitCode: 0, stderr: "" });
    await expectSilentChange(own, plain);
    await own.run("rotate", dotted, "--now");
    own.now += 2 * HOUR;
    const failing = readFileSync(own.config, "utf8");
    writeFileSync(own.config, failing.replace('["true"]', '["false"]'));
    expect((await own.run("rotate")).stderr).not.toContain("has a dot");
    writeFileSync(own.config, failing);
    const next = await own.run("rotate");
    expect(next).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(told("k\\.2")) });
  });

  test("a key of another domain that a new configuration takes in is warned of too", async () => {
    const own = setUp();
    const [edwards, domain] = ["edwards2.example.test", "rsa2.example.test"];
    const policy = `[domain."${edwards}"]\nalgorithms = ["ed25519"]`;
    own.configure(`activate = ["true"]\n${policy}`);
    expect((await own.bringUp(edwards)).exitCode).toBe(0);
    const output = join(own.folder, "dkim_signing.conf");
    own.configure(`type = "rspamd"\noutput = "${output}"\nreload = ["true"]\n${policy}`);
    const { stderr } = await own.bringUp(domain);
    expect(readFileSync(output, "utf8")).toContain(edwards);
    expect(stderr).toContain(`warning: k1._domainkey.${edwards}: rspamd before 3.13.2 cannot load`);
    await expectSilentChange(own, domain);
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
});
