import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { formatJournal } from "../../src/rotation/journal.ts";
import type { Journal, KeyState } from "../../src/rotation/rotation-key.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { startVault, type VaultServer } from "../helpers/vault-server.ts";

const START = Date.parse("2026-11-21T12:00:00Z");

/** Keys of two domains, one of them rotated. */
async function source(): Promise<string> {
  const store = temporaryFolder();
  for (const argv of [
    ["-d", "a.example", "-s", "s1", "-t", "ed25519", "--note", "a note"],
    ["-d", "a.example", "-s", "s2", "-t", "rsa", "-b", "1024"],
    ["-d", "b.example", "-s", "mail", "-t", "ed25519"],
  ]) {
    const { exitCode, stderr } = await runCli(["keygen", ...argv], { store });
    expect(exitCode, stderr).toBe(0);
  }
  mkdirSync(join(store, ".dkimctl/journal"), { recursive: true });
  writeFileSync(join(store, ".dkimctl/journal/a.example.json"), journal("active"));
  return store;
}

function journal(state: KeyState): string {
  const key = { selector: "s1", algorithm: "ed25519", state, entered: { [state]: START }, record: "v=DKIM1; p=A" };
  const { domain, keys } = { domain: "a.example", keys: [{ ...key, staleSeconds: 0, ttlSeconds: 60 }] };
  return formatJournal({ domain: parseDomainName(domain), keys } as unknown as Journal);
}

const copy = (from: string, to: string, ...argv: string[]) =>
  runCli(["copy", "--from", from, "--to", to, ...argv], {
    store: temporaryFolder(),
    env: { DKIMCTL_STORE: "", VAULT_TOKEN: token },
  });
let token = "t";

async function vaultAddress(): Promise<[VaultServer, string]> {
  const vault = await startVault({ casRequired: true });
  token = vault.token;
  return [vault, `vault+http://${new URL(vault.origin).host}/secret/dkim`];
}

const shown = async (store: string) =>
  (await runCli(["showkeys", "--format", "plain", "--store", store], { env: { VAULT_TOKEN: token } })).stdout;

describe("copy", () => {
  test("to Vault and back: the same keys, tags and journal; again: nothing to do", async () => {
    const [from, back] = [await source(), temporaryFolder()];
    const [, vault] = await vaultAddress();
    const there = await copy(from, vault);
    expect(there).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("copied 4; from now on") });
    expect(there.stdout.match(/^copied: .*$/gm)).toEqual([
      expect.stringMatching(/^copied: s1\._domainkey\.a\.example: /),
      expect.stringMatching(/^copied: s2\._domainkey\.a\.example: /),
      expect.stringMatching(/^copied: the journal of a\.example: /),
      expect.stringMatching(/^copied: mail\._domainkey\.b\.example: /),
    ]);
    expect(await copy(vault, back)).toMatchObject({ exitCode: 0 });
    expect(await shown(back)).toBe(await shown(from));
    expect(await shown(vault)).toBe(await shown(from));
    expect((await shown(back)).match(/n=a note/g)).toHaveLength(1);
    const again = await copy(vault, back, "--json");
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    const { schema, items } = JSON.parse(again.stdout);
    expect(schema).toBe("dkimctl/copy/1");
    expect(
      items.map(
        ({ kind, domain, selector, result }: Record<string, string>) => `${kind} ${domain} ${selector} ${result}`,
      ),
    ).toEqual([
      "key a.example s1 present",
      "key a.example s2 present",
      "journal a.example null present",
      "key b.example mail present",
    ]);
  });

  test("from a Vault that cannot be rotated, which is why it is left", async () => {
    const vault = await startVault({ kv: 1 });
    token = vault.token;
    const address = `vault+http://${new URL(vault.origin).host}/secret/dkim`;
    await runCli(["keygen", "-q", "-d", "a.example", "-t", "ed25519", "--store", address], {
      env: { VAULT_TOKEN: token },
    });
    const { exitCode, stdout, stderr } = await copy(address, temporaryFolder());
    expect(stdout).toMatch(/^copied: /);
    expect(stderr).toContain("cannot be locked: let nobody rotate it meanwhile");
    expect(exitCode).toBe(0);
    expect((await copy(await source(), address)).stderr).toContain("KV version 2");
  });

  test("--dry-run writes nothing", async () => {
    const [from, to] = [await source(), join(temporaryFolder(), "new")];
    expect((await copy(from, to, "-n")).stdout.match(/^would copy: /gm)).toHaveLength(4);
    expect(existsSync(to)).toBe(false);
    const [, vault] = await vaultAddress();
    const foretold = await copy(from, vault, "-n");
    expect(foretold.exitCode).toBe(0);
    expect(foretold.stdout.match(/^would copy: /gm)).toHaveLength(4);
    expect(await shown(vault)).toBe("");
  });

  test("another key of the same name: its domain is left as it is, the others are copied", async () => {
    const [from, to] = [await source(), temporaryFolder()];
    await runCli(["keygen", "-d", "a.example", "-s", "s2", "-t", "ed25519"], { store: to });
    const before = await shown(to);
    const { exitCode, stdout, stderr } = await copy(from, to);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^conflict: s2\._domainkey\.a\.example: another key is stored at /m);
    expect(stdout).toMatch(/^failed: s1\._domainkey\.a\.example: left out/m);
    expect(stdout).toMatch(/^failed: the journal of a\.example: left out/m);
    expect(stdout).toMatch(/^copied: mail\._domainkey\.b\.example: /m);
    expect(stderr).toContain("3 were not copied; nothing was overwritten");
    expect(await shown(to)).toContain(before.trim());
    expect(readdirSync(to).filter((name) => name.endsWith(".pem"))).toEqual(["a.example.s2.pem", "b.example.mail.pem"]);
  });

  test("another journal is a conflict", async () => {
    const [from, to] = [await source(), await source()];
    writeFileSync(join(to, ".dkimctl/journal/a.example.json"), journal("draining"));
    expect((await copy(from, to, "a.example")).stdout).toMatch(/^conflict: the journal of a\.example: /m);
  });

  test("cut off at any request, and carried on by the next", async () => {
    const from = await source();
    for (let at = 0; at < 40; at += 3) {
      const [vault, address] = await vaultAddress();
      vault.fault = (_, index) => (index >= at ? "cut-before" : undefined);
      const first = await copy(from, address);
      vault.fault = () => undefined;
      // A lease that could not be given back runs out.
      vault.clockAheadMs = 6 * 60_000;
      const second = await copy(from, address);
      expect(second, `${at} ${first.stderr}`).toMatchObject({ exitCode: 0 });
      expect(await shown(address), `${at}`).toBe(await shown(from));
    }
  }, 60_000);

  test.each([
    [["--from", "/a", "--to", "/a"], "cannot be copied to itself"],
    [["--from", "/a", "--to", "/b", "--store", "/c"], "copy has two stores"],
    [["--from", "/a"], "--to"],
    [["--from", "/a", "--to", "http://x"], "no kind of store"],
  ])("%j is refused", async (argv, message) => {
    expect(await runCli(["copy", ...argv])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});
