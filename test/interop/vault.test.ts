import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createResolver, createServerPool } from "../../src/dns/dns2-resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { parseJournal } from "../../src/rotation/journal.ts";
import type { RotationKey } from "../../src/rotation/rotation-key.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { type CliResult, runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { signerFolder, signWithRspamd } from "../helpers/signer-daemons.ts";
import { zone as zoneOf } from "../helpers/signing-keys.ts";
import { startVault, type VaultServer } from "../helpers/vault-server.ts";

/*
 * rotate with its keys in Vault (the stand-in), the records in a real BIND, and the mail signed by a real rspamd, which
 * reads what rotation has written. Debian's rspamd knows KV version 1 only; the documents of version 2 are the same.
 */

const peer = requirePeer("rspamd", "named", "nsupdate", "dig");
const HOUR = 3_600_000;
const DOMAIN = "vault.example.test";

interface Entry {
  readonly selector: string;
  readonly key: string;
  readonly valid_start?: number;
  readonly valid_end?: number;
}

describe.skipIf(peer.skip)(`keys in Vault, against BIND and rspamd ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  function fleet(vault: VaultServer, options = "", rotation = 'selector = "k{random}"') {
    const config = join(temporaryFolder(), "dkimctl.toml");
    writeFileSync(
      config,
      `[dns]\nservers = ["127.0.0.1#${zone.named.port}"]\nauthoritative-port = ${zone.named.port}\n[records]\nttl = 1
[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${zone.keyFile}"
[rotation]\nalgorithms = ["rsa", "ed25519"]\nbits = 1024\n${rotation}\n`,
    );
    return async (now: number, ...argv: string[]): Promise<CliResult> => {
      const pool = createServerPool({ timeoutMs: 2000, retries: 0 });
      try {
        return await runCli([...argv, "--store", `vault+http://${new URL(vault.origin).host}/secret/dkim${options}`], {
          env: {
            DKIMCTL_CONFIG: config,
            VAULT_TOKEN: vault.token,
            ...(process.env.PATH && { PATH: process.env.PATH }),
          },
          now: new Date(now),
          createResolver: () =>
            createResolver({ servers: [parseServerAddress(zone.named.server)], timeoutMs: 2000, retries: 0 }),
          pool,
        });
      } finally {
        await pool.close();
      }
    };
  }

  function keysOf(vault: VaultServer): readonly RotationKey[] {
    const { dkimctl } = vault.stored(`dkim/${DOMAIN}`) as { dkimctl: { journal: string } };
    return parseJournal(dkimctl.journal, "the journal").keys;
  }

  /** `selector result` of each signature that rspamd makes now, sorted. */
  async function signatures(vault: VaultServer): Promise<string[]> {
    const { folder } = signerFolder();
    const module = `use_vault = true; vault_url = "${vault.origin}"; vault_token = "${vault.token}"; vault_path = "secret/dkim"; use_esld = false;`;
    const message = `From: <jo@${DOMAIN}>\r\nTo: <b@example.org>\r\nSubject: a test\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\nhello\r\n`;
    const [signed = new Uint8Array()] = await signWithRspamd(folder, [Buffer.from(message)], module);
    const records = keysOf(vault).flatMap(({ selector, record, state }) =>
      record === undefined || state === "gone" ? [] : [[`${selector}._domainkey.${DOMAIN}`, [record]] as const],
    );
    const { signatures: found } = await verifyMessage(signed, zoneOf(Object.fromEntries(records)), { now: new Date() });
    return found.map(({ selector, result, reason }) => `${selector} ${reason ?? result}`).sort();
  }

  /** What rspamd would sign with at that moment. */
  function entriesAt(vault: VaultServer, now: number): Entry[] {
    const { selectors } = vault.stored(`dkim/${DOMAIN}`) as { selectors: Entry[] };
    return selectors.filter(
      ({ valid_start = 0, valid_end = Infinity }) => valid_start <= now / 1000 && now / 1000 < valid_end,
    );
  }

  const only = (keys: readonly RotationKey[], state: string) =>
    keys
      .filter((key) => key.state === state)
      .map(({ selector }) => `${selector} pass`)
      .sort();

  test("rspamd signs with what rotation has made active, and with nothing else", { timeout: 60_000 }, async () => {
    const vault = await startVault({ kv: 1 });
    const rotate = fleet(vault, "?single-writer=yes");
    const start = Date.now() - 200 * 24 * HOUR;
    expect(await rotate(start, "rotate", DOMAIN)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(keysOf(vault).map(({ state }) => state)).toEqual(["published", "published"]);
    expect(await signatures(vault)).toEqual([]);
    expect(await rotate(start + 2 * HOUR, "rotate")).toMatchObject({ exitCode: 0, stderr: "" });
    const first = only(keysOf(vault), "active");
    expect(first).toHaveLength(2);
    expect(await signatures(vault)).toEqual(first);
    await rotate(start + 100 * 24 * HOUR, "rotate");
    expect(await signatures(vault)).toEqual(first);
    await rotate(start + 100 * 24 * HOUR + 2 * HOUR, "rotate");
    const second = only(keysOf(vault), "active");
    expect(second).toHaveLength(2);
    expect(second).not.toEqual(first);
    expect(await signatures(vault)).toEqual(second);
  });

  test("what rspamadm vault gets wrong when keys are rolled twice in a day", { timeout: 60_000 }, async () => {
    const vault = await startVault({ casRequired: true });
    const rotate = fleet(vault, "", 'selector = "{algorithm}-{yyyymmdd}"');
    const start = Date.parse("2026-11-21T00:30:00Z");
    await rotate(start, "rotate", DOMAIN);
    await rotate(start + 2 * HOUR, "rotate");
    const first = entriesAt(vault, start + 2 * HOUR).map(({ selector }) => selector);
    for (const hours of [3, 6, 9]) {
      expect(await rotate(start + hours * HOUR, "rotate", DOMAIN, "--now")).toMatchObject({ exitCode: 0 });
      await rotate(start + (hours + 2) * HOUR, "rotate");
    }
    const { selectors } = vault.stored(`dkim/${DOMAIN}`) as { selectors: readonly Entry[] };
    // No name is used again, although the template knows days only.
    expect(new Set(selectors.map(({ selector }) => selector)).size).toBe(8);
    expect(entriesAt(vault, start + 11 * HOUR)).toHaveLength(2);
    // What ended once is not drawn out by the next roll.
    const ends = selectors.filter(({ selector }) => first.includes(selector)).map(({ valid_end }) => valid_end);
    expect(ends).toEqual([(start + 5 * HOUR) / 1000, (start + 5 * HOUR) / 1000]);
  });

  test("a whole life in version 2: no version keeps a key that is gone", { timeout: 60_000 }, async () => {
    const vault = await startVault({ casRequired: true });
    const rotate = fleet(vault);
    const start = Date.now();
    const times = [0, 0.1, 91, 92, 100, 101, 132, 133].map((days) => start + days * 24 * HOUR);
    let selectors: readonly Entry[] = [];
    for (const [index, now] of times.entries()) {
      await rotate(now, "rotate", DOMAIN);
      // `rspamadm vault roll` lets signatures end a day later, or has old and new keys sign at once.
      if (index > 0) expect(entriesAt(vault, now), `step ${index}`).toHaveLength(2);
      if (index === 1) selectors = entriesAt(vault, now);
    }
    const now = times.at(-1) ?? start;
    const states = Object.fromEntries(keysOf(vault).map(({ selector, state }) => [selector, state]));
    for (const { selector, key } of selectors) {
      expect(states[selector]).toBe("gone");
      expect(JSON.stringify(vault.versions(`dkim/${DOMAIN}`))).not.toContain(key);
    }
    const listed = await rotate(now, "showkeys", "--format", "plain");
    expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(listed.stdout.split("\n").filter((line) => line !== "")).toHaveLength(2);
    const tested = await rotate(now, "testkeys");
    expect(tested).toMatchObject({ exitCode: 0 });
  });
});
