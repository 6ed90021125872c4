import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createResolver, createServerPool } from "../../src/dns/dns2-resolver.ts";
import { asTxtResolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { RedisServer } from "../helpers/redis-server.ts";
import { runCli } from "../helpers/run-cli.ts";
import { signerFolder, signWithRspamd } from "../helpers/signer-daemons.ts";

const peer = requirePeer("named", "nsupdate", "dig", "redis-server", "redis-cli", "rspamd");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.skipIf(peer.skip)(`keys in Redis, from the first to the second, signed with by rspamd ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  }, 30_000);
  afterAll(() => zone?.stop());

  test.each(["rspamd", "mailcow"])("layout %s", { timeout: 120_000 }, async (layout) => {
    const server = await RedisServer.start();
    const { folder } = signerFolder();
    const domain = `${layout}.example.test`;
    const config = join(folder, "dkimctl.toml");
    // Where Redis has a hash of selectors, nothing else has to be told.
    const signer = layout === "mailcow" ? "" : `[signer]\nactivate = ["true"]\n`;
    writeFileSync(
      config,
      `[store]\nurl = "${server.url(`layout=${layout}`)}"
[dns]\nservers = ["127.0.0.1#${zone.named.port}"]\nauthoritative-port = ${zone.named.port}
[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${zone.keyFile}"
${signer}[rotation]\nalgorithms = ["rsa"]\nbits = 1024\nselector = "k{n}"\n`,
    );
    const start = Date.now();
    const named = parseServerAddress(zone.named.server);
    const run = async (laterMs: number, ...argv: string[]) => {
      const pool = createServerPool({ timeoutMs: 2000 });
      const result = await runCli(argv, {
        env: { DKIMCTL_STORE: "", DKIMCTL_CONFIG: config, PATH: process.env.PATH ?? "" },
        now: new Date(start + laterMs),
        createResolver: () => createResolver({ servers: [named], timeoutMs: 2000 }),
        pool,
      });
      await pool.close();
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
      return result.stdout;
    };
    const [keys, selectors] = layout === "mailcow" ? ["DKIM_PRIV_KEYS", "DKIM_SELECTORS"] : ["DKIM_KEYS", "NONE"];
    const signs = async () => {
      const module = await run(0, "export", "rspamd", domain);
      const text = `From: a@${domain}\r\nTo: b@example.org\r\nSubject: t\r\nDate: ${new Date().toUTCString()}\r\nMessage-ID: <1@${domain}>\r\n\r\nbody\r\n`;
      const [signed = new Uint8Array()] = await signWithRspamd(folder, [Buffer.from(text)], module);
      const receiver = createResolver({ servers: [named], timeoutMs: 2000 });
      const { signatures } = await verifyMessage(signed, asTxtResolver(receiver), { now: new Date() });
      await receiver.close();
      return signatures.map(({ selector, result }) => `${selector} ${result}`);
    };

    await run(0, "rotate", domain);
    expect(server.cli("HKEYS", keys ?? "")).toBe(`k1.${domain}`);
    expect(server.cli("HGET", selectors ?? "", domain)).toBe("");
    await run(1000, "rotate");
    await run(2 * HOUR, "rotate");
    expect(await run(2 * HOUR, "status")).toMatch(/k1 .*active/);
    expect(server.cli("HGET", selectors ?? "", domain)).toBe(layout === "mailcow" ? "k1" : "");
    expect(await signs()).toEqual(["k1 pass"]);
    expect(await run(0, "testkeys")).toContain("pass");
    await run(0, "publish", domain);

    await run(3 * HOUR, "rotate", domain, "--now");
    await run(3 * HOUR + 1000, "rotate");
    // Not before the world can have it.
    expect(server.cli("HGET", selectors ?? "", domain)).toBe(layout === "mailcow" ? "k1" : "");
    await run(6 * HOUR, "rotate");
    expect(server.cli("HGET", selectors ?? "", domain)).toBe(layout === "mailcow" ? "k2" : "");
    expect(await signs()).toEqual(["k2 pass"]);
    await run(9 * DAY, "rotate");
    await run(41 * DAY, "rotate");
    await run(42 * DAY, "rotate");
    expect(server.cli("HKEYS", keys ?? "")).toBe(`k2.${domain}`);
    expect(zone.txt(`k1._domainkey.${domain}`)).toEqual([]);
    expect(await run(42 * DAY, "status", "--state", "gone")).toMatch(/k1 .*gone/);
    expect(await signs()).toEqual(["k2 pass"]);
  });
});
