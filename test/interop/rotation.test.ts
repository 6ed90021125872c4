import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { onlyIn, type RotationFleet, rotationFleet } from "../helpers/rotation-fleet.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";

const peer = requirePeer("named", "nsupdate", "dig");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.skipIf(peer.skip)(`rotate against BIND ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  /** As a person or another program would; wildcards too. */
  async function publishByHand(name: string, record: string | undefined): Promise<void> {
    const add = record === undefined ? "" : `update add ${name}. 1 IN TXT "${record}"\n`;
    const { port } = zone.named;
    execFileSync("nsupdate", ["-k", zone.keyFile], {
      input: `server 127.0.0.1 ${port}\nzone ${zone.zone}.\nupdate delete ${name}. TXT\n${add}send\n`,
    });
  }

  const fleet = (settings = "", { publish = nsupdate(zone.keyFile), signer = true } = {}): RotationFleet =>
    rotationFleet(zone.named.port, { publish, signer, settings });
  const nsupdate = (keyFile: string) =>
    `[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${keyFile}"\n`;

  test("a whole life: new, published, ready, active, draining, tombstone, gone", { timeout: 60_000 }, async () => {
    const domain = "life.example.test";
    const life = fleet();
    const first = await life.run("rotate", domain);
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout).toMatch(
      /^life\.example\.test: made the ed25519 key (k\w+); asked for the record of \1; \1 is published\n$/,
    );
    const [old = ""] = onlyIn(life.states(domain), "published");
    const name = `${old}._domainkey.${domain}`;
    expect(zone.txt(name)).toHaveLength(1);

    // Nothing more before caches have forgotten: the negative TTL of a second, and the margin of an hour.
    life.now += HOUR;
    expect(await life.run("rotate")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    life.now += 2000;
    const signs = await life.run("rotate");
    expect(signs).toMatchObject({ exitCode: 0, stdout: `${domain}: ${old} is ready; ${old} signs\n`, stderr: "" });
    expect(life.signs()).toBe(`${domain} ${old}`);

    life.now += 90 * DAY;
    await life.run("rotate");
    expect(life.signs()).toBe(`${domain} ${old}`);
    life.now += 2 * HOUR;
    await life.run("rotate");
    const [next = ""] = onlyIn(life.states(domain), "active");
    expect(life.states(domain)).toEqual({ [old]: "draining", [next]: "active" });
    expect(life.signs()).toBe(`${domain} ${next}`);

    life.now += 7 * DAY;
    const revoked = await life.run("rotate");
    expect(revoked.stdout).toBe(`${domain}: asked for ${old} to be revoked; ${old} is revoked\n`);
    expect(zone.txt(name)).toEqual(["v=DKIM1; p="]);

    life.now += 30 * DAY;
    const gone = await life.run("rotate");
    expect(gone.stdout).toBe(`${domain}: asked for the record of ${old} to be removed; ${old} is gone\n`);
    expect(zone.txt(name)).toEqual([]);
    expect(gone.files).toEqual([`${domain}.${next}.pem`]);

    const status = await life.run("status", "--state", "active", "--state", "gone");
    expect(status.stdout.split("\n").map((line) => line.split(/\s{2,}/))).toMatchObject([
      ["domain", "selector", "algorithm", "state", "since", "next", "due"],
      [domain, old, "ed25519", "gone", expect.any(String)],
      [domain, next, "ed25519", "active", expect.any(String), "to be replaced", expect.stringMatching(/^in 5[0-9]d/)],
      [""],
    ]);
  });

  test("the day a key leaks: the standby signs in the same run, and the leaked key is revoked", async () => {
    const domain = "leak.example.test";
    const leak = fleet("standby = true");
    await leak.run("rotate", domain);
    leak.now += 2 * HOUR;
    await leak.run("rotate");
    leak.now += 2 * HOUR;
    await leak.run("rotate");
    const [bad = ""] = onlyIn(leak.states(domain), "active");
    const [standby = ""] = onlyIn(leak.states(domain), "ready");
    const { exitCode, stdout } = await leak.run("rotate", domain, "--compromised", bad);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${standby} signs instead of ${bad}`);
    expect(leak.signs()).toBe(`${domain} ${standby}`);
    expect(zone.txt(`${bad}._domainkey.${domain}`)).toEqual(["v=DKIM1; p="]);
    expect(leak.states(domain)).toMatchObject({ [bad]: "tombstone", [standby]: "active" });
  });

  test("RSA and Ed25519 sign together, from the same moment", async () => {
    const domain = "both.example.test";
    const both = fleet(`[domain."${domain}"]\nalgorithms = ["rsa", "ed25519"]\nbits = 1024`);
    await both.run("rotate", domain);
    both.now += 2 * HOUR;
    await both.run("rotate");
    expect(Object.values(both.states(domain))).toEqual(["active", "active"]);
    expect(both.signs().split(" ")).toHaveLength(3);
  });

  test("a publisher that is refused: a person is told, other domains go on, and nothing signs", async () => {
    const refused = fleet("", { publish: nsupdate(zone.powerlessKeyFile) });
    const { exitCode, stdout, stderr } = await refused.run("rotate", "r1.example.test", "r2.example.test");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^r1\.example\.test: made .*\nr2\.example\.test: made .*\n$/);
    expect(stderr).toMatch(/^dkimctl: warning: r1\.example\.test: k\w+: publish: 127\.0\.0\.1#\d+ refused the update/);
    refused.now += 30 * DAY;
    await refused.run("rotate");
    expect(Object.values(refused.states("r1.example.test"))).toEqual(["new"]);
  });

  test("a publisher that lies is found out by asking", async () => {
    const lies = fleet("", { publish: `[publish]\nmethod = "exec"\ncommand = ["/bin/true"]\n` });
    expect(await lies.run("rotate", "lies.example.test")).toMatchObject({ exitCode: 0 });
    lies.now += DAY + 1000;
    const late = await lies.run("rotate");
    expect(late).toMatchObject({ exitCode: 4 });
    expect(late.stderr).toMatch(/no server has the record, 1d 1s after it was asked for/);
    expect(Object.values(lies.states("lies.example.test"))).toEqual(["new"]);
  });

  test("by hand: the record is printed, and a person tells when the signer has changed", async () => {
    const domain = "hand.example.test";
    const hand = fleet("", { publish: "", signer: false });
    const asked = await hand.run("rotate", domain);
    expect(asked.exitCode).toBe(1);
    const [, name = "", record = ""] = /publish this TXT record at (\S+): (.*)/.exec(asked.stderr) ?? [];
    // Asked once: cron must not nag every hour.
    expect(await hand.run("rotate")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    await publishByHand(name, record);
    await hand.run("rotate");
    const [selector = ""] = onlyIn(hand.states(domain), "published");
    const early = await hand.run("rotate", domain, "--active", selector);
    expect(early).toMatchObject({ exitCode: 1, stdout: "" });
    expect(early.stderr).toContain(`${selector} of ${domain} must not sign: it is published`);
    hand.now += 2 * HOUR;
    const ready = await hand.run("rotate");
    expect(ready.exitCode).toBe(1);
    expect(ready.stderr).toContain(`make the signer use ${selector}`);
    expect(hand.states(domain)).toEqual({ [selector]: "ready" });
    await hand.run("rotate", domain, "--active", selector);
    expect(hand.states(domain)).toEqual({ [selector]: "active" });
  });

  test("a reload that fails: the signer is put back, the old key signs on, and the next run tries again", async () => {
    const domain = "reload.example.test";
    const reload = fleet();
    await reload.run("rotate", domain);
    reload.now += 2 * HOUR;
    await reload.run("rotate");
    const before = reload.signs();
    const [old = ""] = onlyIn(reload.states(domain), "active");
    await reload.run("rotate", "--now");
    reload.now += 2 * HOUR;
    reload.failNext();
    const failed = await reload.run("rotate");
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain(`the signer was put back to ${old}`);
    expect(reload.signs()).toBe(before);
    expect(reload.states(domain)[old]).toBe("active");
    await reload.run("rotate");
    expect(reload.states(domain)[old]).toBe("draining");
  });

  test("keys of other tools: an error without a journal, taken over after proof", async () => {
    const domain = "adopt.example.test";
    const foreign = fleet();
    await foreign.run("rotate", domain);
    const [selector = ""] = onlyIn(foreign.states(domain), "published");
    rmSync(join(foreign.store, ".dkimctl"), { recursive: true });
    const lost = await foreign.run("rotate");
    expect(lost).toMatchObject({ exitCode: 1, stdout: "" });
    expect(lost.stderr).toContain(`take them over: dkimctl rotate ${domain} --adopt`);
    const files = readdirSync(foreign.store).sort();
    await foreign.run("keygen", "-d", domain, "-s", "unproven", "-t", "ed25519", "-q");
    const adopted = await foreign.run("rotate", "--adopt");
    expect(adopted.exitCode).toBe(0);
    expect(adopted.stderr).toContain(`unproven is left out: no server has its record`);
    expect(foreign.states(domain)).toEqual({ [selector]: "active" });
    expect(files.every((file) => readdirSync(foreign.store).includes(file))).toBe(true);
  });

  test("a ring of selectors that are CNAMEs: proof and publishing happen in the zone they lead to", async () => {
    const domain = "ring.example.test";
    const ring = fleet(`selector-ring = ["s1", "s2", "s3"]\noverlap = "1d"\ntombstone = "1d"\nperiod = "10d"`);
    await ring.run("rotate", domain);
    expect(zone.txt("s1.ring.provider.test")).toEqual([expect.stringContaining("k=ed25519")]);
    ring.now += 2 * HOUR;
    await ring.run("rotate");
    for (const next of ["s2", "s3", "s1"]) {
      ring.now += 10 * DAY;
      await ring.run("rotate");
      ring.now += 2 * HOUR;
      await ring.run("rotate");
      expect(ring.signs()).toBe(`${domain} ${next}`);
      for (let day = 0; day < 2; day++) {
        ring.now += DAY + HOUR;
        expect(await ring.run("rotate")).toMatchObject({ exitCode: 0, stderr: "" });
      }
    }
    expect(zone.txt("s2.ring.provider.test")).toEqual([]);
  });

  test("a selector that somebody has given to a key of theirs is passed over", async () => {
    const domain = "theirs.example.test";
    const theirs = fleet(`selector-ring = ["s1", "s2", "s3"]`);
    await theirs.run("rotate", domain);
    await theirs.run("keygen", "-d", domain, "-s", "s2", "-t", "ed25519", "-q");
    theirs.now += 2 * HOUR;
    await theirs.run("rotate");
    const plan = await theirs.run("rotate", domain, "--now", "--dry-run");
    expect(plan.stdout).toContain("make the ed25519 key s3 (asked for)");
    await theirs.run("rotate", domain, "--now");
    expect(theirs.states(domain)).toEqual({ s1: "active", s3: "published" });
  });

  test("hooks are told after the fact; one that fails changes nothing, and is said", async () => {
    const domain = "hooks.example.test";
    const log = join(temporaryFolder(), "log");
    const script =
      "fs.appendFileSync(process.argv[1], fs.readFileSync(0)); process.exit(process.env.DKIMCTL_EVENT === 'activate' ? 3 : 0)";
    const argv = JSON.stringify([process.execPath, "-e", script, log]);
    const hooks = fleet(`[hooks]\non-publish = ${argv}\non-activate = ${argv}\n`);
    expect(await hooks.run("rotate", domain)).toMatchObject({ exitCode: 0, stderr: "" });
    hooks.now += 2 * HOUR;
    const { exitCode, stderr } = await hooks.run("rotate");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("the hook on-activate:");
    const [selector = ""] = onlyIn(hooks.states(domain), "active");
    const events = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events).toEqual([
      { event: "publish", domain, selectors: [selector] },
      { event: "activate", domain, selectors: [selector] },
    ]);
  });

  test("machine-readable: steps, waits and findings", async () => {
    const domain = "json.example.test";
    const { stdout } = await fleet().run("rotate", domain, "--json");
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      schema: "dkimctl/rotate/1",
      dryRun: false,
      domains: [
        {
          domain,
          steps: [{ kind: "create" }, { kind: "publish" }, { kind: "advance", to: "published" }],
          waits: [{ what: "caches that may hold an older answer", until: "2026-11-21T13:00:01.000Z" }],
          findings: [],
        },
      ],
    });
  });

  test("a dry run tells the same plan and changes nothing", async () => {
    const dry = fleet();
    await dry.run("rotate", "dry.example.test");
    dry.now += 2 * HOUR;
    const journal = join(dry.store, ".dkimctl", "journal", "dry.example.test.json");
    const before = readFileSync(journal, "utf8");
    const { stdout, exitCode } = await dry.run("rotate", "--dry-run");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^dry\.example\.test: count k\w+ as ready \(no cache holds an older answer\)\n/);
    expect(readFileSync(journal, "utf8")).toBe(before);
  });

  test("the record of the active key is lost: a person is told, and it is published again", async () => {
    const domain = "rollback.example.test";
    const lost = fleet();
    await lost.run("rotate", domain);
    lost.now += 2 * HOUR;
    await lost.run("rotate");
    const [selector = ""] = onlyIn(lost.states(domain), "active");
    const name = `${selector}._domainkey.${domain}`;
    await publishByHand(name, undefined);
    lost.now += HOUR;
    const told = await lost.run("rotate");
    expect(told.exitCode).toBe(1);
    expect(told.stderr).toContain("no server has the record, and mail that was signed with this key fails");
    expect(await lost.run("rotate")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    expect(zone.txt(name)).toHaveLength(1);
    expect(lost.states(domain)).toEqual({ [selector]: "active" });
  });

  test("publish and withdraw, by hand", async () => {
    const domain = "hand2.example.test";
    const name = `mail._domainkey.${domain}`;
    const hand = fleet();
    await hand.run("keygen", "-d", domain, "-s", "mail", "-t", "ed25519", "-q");
    for (let turn = 0; turn < 2; turn++) {
      const published = await hand.run("publish", domain);
      expect(published).toMatchObject({
        exitCode: 0,
        stdout: "",
        stderr: `dkimctl: ${name}: every server has it so\n`,
      });
    }
    expect(zone.txt(name)).toHaveLength(1);
    expect((await hand.run("publish", domain, "other")).exitCode).toBe(2);
    await hand.run("rotate", "--adopt");
    const refused = await hand.run("withdraw", domain, "mail");
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(
      "mail of hand2.example.test is active: mail that it signed would no longer verify",
    );
    expect(zone.txt(name)).toHaveLength(1);
    expect(await hand.run("withdraw", domain, "mail", "--revoke", "--force")).toMatchObject({ exitCode: 0 });
    expect(zone.txt(name)).toEqual(["v=DKIM1; p="]);
    expect(await hand.run("withdraw", domain, "mail", "--force")).toMatchObject({ exitCode: 0 });
    expect(zone.txt(name)).toEqual([]);
  });

  test("publish without a publisher says how to go on", async () => {
    const { exitCode, stderr } = await fleet("", { publish: "" }).run("publish", "example.test");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("no publisher is configured");
  });

  test("under a wildcard: its answers are waited for, and our record comes before it", async () => {
    const domain = "wild.example.test";
    const wild = fleet();
    await publishByHand(`*._domainkey.${domain}`, "v=DKIM1; p=");
    await wild.run("rotate", domain);
    const [selector = ""] = onlyIn(wild.states(domain), "published");
    expect(zone.txt(`${selector}._domainkey.${domain}`)).toEqual([expect.stringContaining("k=ed25519")]);
  });

  test("a damaged journal: this domain stops with a reason, the others go on", async () => {
    const damaged = fleet();
    await damaged.run("rotate", "d1.example.test", "d2.example.test");
    writeFileSync(join(damaged.store, ".dkimctl", "journal", "d1.example.test.json"), "{");
    damaged.now += 2 * HOUR;
    const { exitCode, stdout, stderr } = await damaged.run("rotate");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^d2\.example\.test: /);
    expect(stderr).toMatch(/d1\.example\.test: .*d1\.example\.test\.json is damaged/);
  });

  test("the clock was set back: nothing is done, and a person is told", async () => {
    const clock = fleet();
    await clock.run("rotate", "clock.example.test");
    clock.now -= DAY;
    const { exitCode, stdout, stderr } = await clock.run("rotate");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("the clock was or is wrong, and nothing is done");
  });

  test("the clock was set forward: no wait is shortened", async () => {
    const clock = fleet();
    clock.uptimeMs = DAY;
    const pass = (clockMs: number, realMs: number) => {
      clock.now += clockMs;
      clock.uptimeMs = (clock.uptimeMs ?? 0) + realMs;
    };
    await clock.run("rotate", "forward.example.test");
    pass(30 * DAY, 60_000);
    expect((await clock.run("rotate", "--dry-run")).stdout).toContain("caches that may hold an older answer");
    await clock.run("rotate");
    expect(Object.values(clock.states("forward.example.test"))).toEqual(["published"]);
    pass(2 * HOUR, 2 * HOUR);
    await clock.run("rotate");
    expect(Object.values(clock.states("forward.example.test"))).toEqual(["active"]);
  });
});
