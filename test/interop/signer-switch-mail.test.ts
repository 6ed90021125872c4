import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { run } from "../helpers/daemon-process.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { verifyWithDkimpy, verifyWithMailDkim } from "../helpers/mail-peers.ts";
import { startDkimpyMilter } from "../helpers/milter-daemons.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";
import { type RunningSigner, startExim, startRspamd } from "../helpers/signer-daemons.ts";
import { failingReload, HOUR, type Signer, switchedSigner } from "../helpers/switched-signer.ts";

const isRoot = process.getuid?.() === 0;
const peer = requirePeer("named", "nsupdate", "dig", "perl", "dkimverify");

/** Otherwise rspamd looks after its maps each minute. */
const MAPS_AT_ONCE = "options { map_watch_interval = 1s; }";

const SIGNATURE = /^DKIM-Signature:(?:.*\r\n[ \t])*.*\r\n/gim;

/** Mail goes through the daemon before and after each change, and is verified by others with the records that BIND has. */
describe.skipIf(peer.skip || !isRoot)(`mail while rotate changes a real daemon ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  /** For each signature of a message that the daemon signs now: algorithm, selector, and what a verifier says of it alone. */
  async function signatures(daemon: RunningSigner, domain: string): Promise<string[]> {
    const fields = [`From: <a@${domain}>`, "To: <b@example.org>", "Subject: x", "", "hello", ""];
    const [signed = Buffer.of()] = await daemon.sign([Buffer.from(fields.join("\r\n"))]);
    const text = Buffer.from(signed).toString("latin1");
    const verdicts = (text.match(SIGNATURE) ?? []).map(async (field) => {
      const [algorithm, selector] = ["a", "s"].map((tag) => new RegExp(`[\\s;]${tag}=([^;]+);`).exec(field)?.[1]);
      const record = `${selector}._domainkey.${domain}`;
      const alone = Buffer.from(field + text.replaceAll(SIGNATURE, ""), "latin1");
      const verify = algorithm === "rsa-sha256" ? verifyWithMailDkim : verifyWithDkimpy;
      return `${algorithm} ${selector} ${await verify([alone], { [record]: zone.txt(record).join() })}`;
    });
    return (await Promise.all(verdicts)).sort();
  }

  /** A signer with a folder for its configuration, which signs with both algorithms. */
  function setUp(type: string, domain: string) {
    const own = switchedSigner(zone);
    const output = join(own.folder, "output");
    mkdirSync(output);
    const configure = (reload: string, test: readonly string[], algorithms = ["rsa", "ed25519"], timeLimit = "10s") =>
      own.configure(`type = "${type}"\noutput = "${output}"\nreload = ["${reload}"]\ntime-limit = "${timeLimit}"
test = ${JSON.stringify(test)}\n[domain."${domain}"]\nalgorithms = ${JSON.stringify(algorithms)}`);
    /** Its files by name, hidden ones too. */
    const files = () =>
      Object.fromEntries(readdirSync(output).map((name) => [name, readFileSync(join(output, name), "utf8")]));
    return { own, output, configure, files };
  }

  const FIRST = ["ed25519-sha256 k2 pass", "rsa-sha256 k1 pass"];
  const SECOND = ["ed25519-sha256 k4 pass", "rsa-sha256 k3 pass"];

  /** From the first keys to the second, with a reload and a test that fail on the way. @returns the files of before */
  async function changeKeys(
    { own, configure, files }: ReturnType<typeof setUp>,
    domain: string,
    daemon: RunningSigner,
    { reload, works }: { reload: string; works: readonly string[] },
  ): Promise<Record<string, string>> {
    configure(reload, works);
    const up = await own.bringUp(domain);
    expect(up, up.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await signatures(daemon, domain)).toEqual(FIRST);
    await own.prepareNext();
    const before = files();
    const isAsBefore = async () => {
      expect(own.states(domain)).toEqual({ k1: "active", k2: "active", k3: "ready", k4: "ready" });
      expect(files()).toEqual(before);
      expect(await signatures(daemon, domain)).toEqual(FIRST);
    };

    writeFileSync(join(own.folder, "fail"), "");
    const { exitCode, stderr } = await own.run("rotate");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/reload" failed with exit status 1: no; the signer was put back to k1 and k2\n/);
    await isAsBefore();

    configure(reload, ["false"], undefined, "1s");
    const untested = await own.run("rotate");
    expect(untested.exitCode).toBe(1);
    expect(untested.stderr).toMatch(
      /the test of the signer: "false" failed .*; the signer was put back to k1 and k2\n/,
    );
    await isAsBefore();

    configure(reload, works);
    const changed = await own.run("rotate");
    expect(changed, changed.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect(changed.stdout).toContain("k3 and k4 sign instead of k1 and k2");
    expect(own.states(domain)).toEqual({ k1: "draining", k2: "draining", k3: "active", k4: "active" });
    expect(Object.keys(files())).toEqual(Object.keys(before));
    expect(await signatures(daemon, domain)).toEqual(SECOND);
    return before;
  }

  const exim = requirePeer("exim4");
  test.skipIf(exim.skip)(
    `Exim: every mail is signed, and by a key that is published ${exim.reason}`,
    {
      timeout: 60_000,
    },
    async () => {
      const domain = "exim.example.test";
      const signer = setUp("exim", domain);
      const { own, output, files } = signer;
      const daemon = await startExim(own.folder, `.include_if_exists ${output}/transport`);
      onTestFinished(() => daemon.stop(), 30_000);
      const works = [findBinary("exim4") ?? "", "-C", daemon.conf, "-bV"];
      const reload = failingReload(own, daemon.reload.join(" "));
      const before = await changeKeys(signer, domain, daemon, { reload, works });
      // As a run that is killed between the files leaves them, and as a delivery sees them that began before the change.
      writeFileSync(join(output, "selectors"), before.selectors ?? "");
      expect(await signatures(daemon, domain)).toEqual(FIRST);
      expect(files().keys).not.toBe(before.keys);
    },
  );

  const dkimpy = requirePeer("dkimpy-milter", "miltertest");
  /** The tables are named before they are there: the milter comes up with the first keys. */
  async function startMilter({ own, output }: { own: Signer; output: string }) {
    const tables = `KeyTable ${output}/KeyTable\nSigningTable refile:${output}/SigningTable\n`;
    const daemon = await startDkimpyMilter(own.folder, `${tables}KeyTableEd25519 ${output}/KeyTableEd25519\n`);
    onTestFinished(() => daemon.stop(), 30_000);
    return { daemon, change: { reload: failingReload(own, daemon.restart), works: daemon.test } };
  }

  test.skipIf(dkimpy.skip)(
    `dkimpy-milter: restarted with its new tables ${dkimpy.reason}`,
    {
      timeout: 60_000,
    },
    async () => {
      const domain = "dkimpy.example.test";
      const signer = setUp("dkimpy-milter", domain);
      const { daemon, change } = await startMilter(signer);
      await changeKeys(signer, domain, daemon, change);
    },
  );

  test.skipIf(dkimpy.skip)(
    "dkimpy-milter: a table that it would go on reading is not left behind",
    {
      timeout: 60_000,
    },
    async () => {
      const domain = "rsa-only.example.test";
      const signer = setUp("dkimpy-milter", domain);
      const { own, output, configure, files } = signer;
      const { daemon, change } = await startMilter(signer);
      configure(change.reload, change.works);
      expect(await own.bringUp(domain)).toMatchObject({ exitCode: 0, stderr: "" });
      // It reads keys before it becomes its own user: root's are no fault.
      for (const selector of ["k1", "k2"]) chmodSync(join(own.store, `${domain}.${selector}.pem`), 0o600);
      await run(change.reload, []);
      expect(await signatures(daemon, domain)).toEqual(FIRST);
      const checked = await own.run("check-signer", "dkimpy-milter", `${output}/dkimctl.conf`);
      expect(checked.exitCode, checked.stdout).toBe(0);
      configure(change.reload, change.works, ["rsa"]);
      await own.prepareNext();
      const before = files();
      const refused = await own.run("rotate");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain(
        `${output}/KeyTableEd25519 is to name no key any more, and dkimpy-milter.conf may still name it`,
      );
      expect(refused.stderr).toContain(
        `take its line out of dkimpy-milter.conf and of ${output}/dkimctl.conf, then remove it`,
      );
      expect(files()).toEqual(before);
      expect(await signatures(daemon, domain)).toEqual(FIRST);

      for (const path of [daemon.conf, join(output, "dkimctl.conf")]) {
        writeFileSync(path, readFileSync(path, "utf8").replace(/^KeyTableEd25519 .*\n/m, ""));
      }
      rmSync(join(output, "KeyTableEd25519"));
      own.now += HOUR;
      const changed = await own.run("rotate");
      expect(changed, changed.stderr).toMatchObject({ exitCode: 0, stderr: "" });
      expect(own.states(domain)).toEqual({ k1: "draining", k2: "draining", k3: "active" });
      expect(await signatures(daemon, domain)).toEqual(["rsa-sha256 k3 pass"]);
    },
  );

  const rspamd = requirePeer("rspamd");

  /** All that a signer knows which reads each of the files when it likes: some of before the change, some of after it. */
  function mixtures(before: Record<string, string>, after: Record<string, string>): Record<string, string>[] {
    return Object.entries(after).reduce<Record<string, string>[]>(
      (all, [name, text]) =>
        all.flatMap((files) =>
          [...new Set([before[name] ?? text, text])].map((either) => ({ ...files, [name]: either })),
        ),
      [{}],
    );
  }

  test.skipIf(rspamd.skip).each(["maps", "tables"])(
    `rspamd, %s: whichever files are of before a change, what is signed verifies ${rspamd.reason}`,
    { timeout: 120_000 },
    async (form) => {
      const [added, present] = [`added.${form}.example.test`, `present.${form}.example.test`];
      const { own, output, files } = setUp("rspamd", present);
      own.configure(`type = "rspamd"\nform = "${form}"\noutput = "${output}"\nreload = ["true"]`);
      /** What a rspamd that has read these files makes of mail of both domains; each mixture once. */
      const signedFrom = async (before: Record<string, string>, after: Record<string, string>) => {
        const seen = new Set<string>();
        for (const mixture of mixtures(before, after)) {
          for (const [name, text] of Object.entries(mixture)) writeFileSync(join(output, name), text);
          const daemon = await startRspamd(own.folder, mixture["dkim_signing.conf"] ?? "");
          try {
            seen.add([await signatures(daemon, added), await signatures(daemon, present)].join(" / "));
          } finally {
            await daemon.stop();
          }
        }
        return [...seen].sort();
      };
      const warned = form === "tables" ? /^dkimctl: warning: .*dkim_signing\.conf: rspamd before 4\.1\.2 .*\n$/ : /^$/;
      expect(await own.bringUp(present)).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(warned) });
      const alone = files();
      // In the order of the names it comes before the other.
      expect(await own.bringUp(added)).toMatchObject({ exitCode: 0, stderr: "" });
      const both = files();
      expect(both).not.toEqual(alone);
      expect(await signedFrom(alone, both)).toEqual([
        " / rsa-sha256 k1 pass",
        "rsa-sha256 k1 pass / rsa-sha256 k1 pass",
      ]);
      await own.prepareNext();
      const changed = await own.run("rotate");
      expect(changed, changed.stderr).toMatchObject({ exitCode: 0, stderr: "" });
      expect(own.states(present)).toEqual({ k1: "draining", k2: "active" });
      expect(await signedFrom(both, files())).toEqual([
        "rsa-sha256 k1 pass / rsa-sha256 k1 pass",
        "rsa-sha256 k2 pass / rsa-sha256 k2 pass",
      ]);
    },
  );

  test.skipIf(rspamd.skip)(
    "rspamd, maps: it sees the one map that changes, and needs no reload",
    { timeout: 60_000 },
    async () => {
      const domain = "reread.example.test";
      const { own, output, files } = setUp("rspamd", domain);
      const configure = (rest: string) =>
        own.configure(`type = "rspamd"\nform = "maps"\noutput = "${output}"\nreload = ["true"]\n${rest}`);
      configure("");
      expect(await own.bringUp(domain)).toMatchObject({ exitCode: 0, stderr: "" });
      const before = files();
      const daemon = await startRspamd(own.folder, before["dkim_signing.conf"] ?? "", MAPS_AT_ONCE);
      onTestFinished(() => daemon.stop(), 30_000);
      expect(await signatures(daemon, domain)).toEqual(["rsa-sha256 k1 pass"]);
      await own.prepareNext();
      configure(`test-url = "${daemon.url}"\ntime-limit = "20s"`);
      const changed = await own.run("rotate");
      expect(changed, changed.stderr).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await signatures(daemon, domain)).toEqual(["rsa-sha256 k2 pass"]);
      const after = files();
      expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(["dkim_selectors.map"]);
    },
  );
});
