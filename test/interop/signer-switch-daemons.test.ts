import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { startNamed } from "../helpers/named.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";
import { amavisConfiguration, startRspamd } from "../helpers/signer-daemons.ts";
import { switchedSigner } from "../helpers/switched-signer.ts";

const isRoot = process.getuid?.() === 0;
const peer = requirePeer("named", "nsupdate", "dig");

describe.skipIf(peer.skip || !isRoot)(`rotate writes and reloads a real daemon ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());
  const setUp = () => switchedSigner(zone);

  const rspamd = requirePeer("rspamd");

  /** One that reads what rotate is to write to `output`. */
  async function withRspamd() {
    const own = setUp();
    const output = join(own.folder, "dkim_signing.conf");
    const daemon = await startRspamd(own.folder, `.include(try=true) "${output}"`);
    onTestFinished(() => daemon.stop(), 30_000);
    return { own, output, daemon };
  }

  test.skipIf(rspamd.skip)(
    `rspamd signs with the new key as soon as rotate says so ${rspamd.reason}`,
    { timeout: 60_000 },
    async () => {
      const { own, output, daemon } = await withRspamd();
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
    const { own, output, daemon } = await withRspamd();
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
      const { own, output, daemon } = await withRspamd();
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
});
