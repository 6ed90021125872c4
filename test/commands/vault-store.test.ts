import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeResolver } from "../helpers/fake-resolver.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { startVault, type VaultServer } from "../helpers/vault-server.ts";

const address = (vault: VaultServer) => `vault+http://${new URL(vault.origin).host}/secret/dkim`;

function run(vault: VaultServer, argv: readonly string[], env: Record<string, string> = { VAULT_TOKEN: vault.token }) {
  return runCli([...argv, "--store", address(vault)], { env });
}

describe("commands on a store in Vault", () => {
  test("keygen, showkeys, import and export", async () => {
    const vault = await startVault();
    const made = await run(vault, ["keygen", "-d", "example.com", "-t", "both", "-b", "1024"]);
    expect(made).toMatchObject({ exitCode: 0 });
    const shown = await run(vault, ["showkeys", "--format", "plain"]);
    expect(shown.stdout.match(/^\S+\._domainkey\.example\.com\.?\t/gm)).toHaveLength(2);
    const report = await run(vault, ["verify-key", "--all"]);
    expect(report).toMatchObject({ exitCode: 0 });
  });

  test("status tells of keys that nobody manages", async () => {
    const vault = await startVault();
    await run(vault, ["keygen", "-d", "a.example", "-t", "ed25519"]);
    const { exitCode, stdout, stderr } = await run(vault, ["status"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toContain("the keys of a.example are not managed");
  });

  test("as rspamadm does not: a key of the same name is refused, and nothing is written", async () => {
    const vault = await startVault();
    const argv = ["keygen", "-d", "example.com", "-s", "mail", "-t", "ed25519"];
    expect(await run(vault, argv)).toMatchObject({ exitCode: 0 });
    const before = JSON.stringify(vault.versions("dkim/example.com"));
    const again = await run(vault, argv);
    expect(again.exitCode).not.toBe(0);
    expect(JSON.stringify(vault.versions("dkim/example.com"))).toBe(before);
  });

  test("as rspamadm does not: a document without selectors hides no other, and a failure is an exit status", async () => {
    const vault = await startVault();
    vault.put("dkim/a.example", {});
    await run(vault, ["keygen", "-d", "b.example", "-s", "s1", "-t", "ed25519"]);
    expect((await run(vault, ["showkeys"])).stdout).toContain("s1._domainkey.b.example");
    vault.fault = () => "sealed";
    expect(await run(vault, ["showkeys"])).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("sealed") });
    vault.fault = () => "denied";
    expect(await run(vault, ["showkeys"])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining("does not allow"),
    });
  });

  test.each<[string[], number, RegExp]>([
    [[], 0, /^$/],
    [["--dry-run"], 0, /^$/],
    [["--json"], 0, /"steps": \[\],\n/],
    [["a.example", "--algorithms", "ed25519"], 0, /made the ed25519 key/],
  ])("a document without keys is no domain that was asked for: rotate %j", async (argv, exitCode, said) => {
    const vault = await startVault();
    vault.put("dkim/a.example", { selectors: [] });
    const resolver = fakeResolver({});
    const result = await runCli(["rotate", ...argv, "--store", address(vault)], {
      env: { VAULT_TOKEN: vault.token },
      resolver,
      pool: { connect: () => resolver, close: async () => {} },
    });
    expect(result.stdout).toMatch(said);
    expect(result.exitCode, result.stderr).toBe(exitCode);
    const { selectors } = vault.stored("dkim/a.example") as { selectors: unknown[] };
    expect(selectors.length > 0).toBe(argv[0] === "a.example");
  });

  test.each<[RegExp, ...string[]]>([
    [/mail\S* of a\.example/, "publish", "a.example", "--publish-method", "exec", "--publish-command", "true"],
    [/no key of a\.example is proven/, "rotate", "a.example", "--adopt"],
  ])("reads the document of no other domain: %s: %s %s", async (said, ...argv) => {
    const vault = await startVault();
    await run(vault, ["keygen", "-d", "a.example", "-d", "b.example", "-s", "mail", "-t", "ed25519"]);
    const from = vault.requests.length;
    const resolver = fakeResolver({});
    const { stderr } = await runCli([...argv, "--store", address(vault)], {
      env: { VAULT_TOKEN: vault.token },
      resolver,
      pool: { connect: () => resolver, close: async () => {} },
    });
    const requests = vault.requests.slice(from).join("\n");
    expect(requests).toContain("dkim/a.example");
    expect(requests).not.toContain("b.example");
    expect(stderr).toMatch(said);
  });

  test("without credentials, with a file that everybody can read, and with a password in the address", async () => {
    const vault = await startVault();
    const nothing = await run(vault, ["showkeys"], {});
    expect(nothing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("VAULT_TOKEN_FILE") });
    const file = join(temporaryFolder(), "token");
    writeFileSync(file, `${vault.token}\n`, { mode: 0o644 });
    chmodSync(file, 0o644);
    const open = await run(vault, ["showkeys"], { VAULT_TOKEN_FILE: file });
    expect(open).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("every user") });
    chmodSync(file, 0o600);
    expect(await run(vault, ["keygen", "-d", "a.example", "-t", "ed25519"], { VAULT_TOKEN_FILE: file })).toMatchObject({
      exitCode: 0,
    });
    const told = await runCli(["showkeys", "--store", "vault://user:hunter2@vault.example/secret"], {});
    expect(told.exitCode).toBe(2);
    expect(told.stderr).not.toContain("hunter2");
  });
});
