import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requirePeer } from "../helpers/peers.ts";
import { RedisServer } from "../helpers/redis-server.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

const { skip, reason } = requirePeer("redis-server", "redis-cli");
const SAMPLE = new URL("../vectors/keys/rsa1024.pem", import.meta.url).pathname;

describe.skipIf(skip)(`commands on a store in Redis ${reason}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start({ endsWithTest: false });
  });
  afterAll(() => server.end());
  beforeEach(() => {
    server.cli("FLUSHALL");
  });

  const run = (...argv: string[]) => runCli(argv, { env: { DKIMCTL_STORE: server.url() } });
  const make = async (...argv: string[]) => {
    const result = await run("keygen", "-q", "-d", "example.com", "-s", "mail", "-t", "ed25519", ...argv);
    expect(result.stderr).toBe("");
    expect(result.exitCode).toBe(0);
    return result;
  };

  test("keygen writes what rspamd reads, and showkeys prints the same record", async () => {
    const made = await make("--note", "a note");
    expect(server.cli("HGET", "DKIM_KEYS", "mail.example.com")).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    const shown = await run("showkeys");
    expect(shown.stdout).toBe(made.stdout);
    expect(shown.stdout).toContain(`n=a note; `);
    const rsa = await run("keygen", "-q", "-d", "example.com", "-s", "rsa", "-b", "1024", "--allow-weak");
    expect(rsa.exitCode).toBe(0);
    expect(server.cli("HGET", "DKIM_KEYS", "rsa.example.com")).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n[\s\S]*-----END PRIVATE KEY-----$/,
    );
  });

  test("a name that is taken: refused, or replaced and kept", async () => {
    await make();
    const again = await run("keygen", "-d", "example.com", "-s", "mail", "-t", "ed25519");
    expect(again).toMatchObject({ exitCode: 3, stdout: "" });
    expect(again.stderr).toContain(`there is already a key for mail._domainkey.example.com in ${server.url()}`);
    const before = server.cli("HGET", "DKIM_KEYS", "mail.example.com");
    const replaced = await run("keygen", "-d", "example.com", "-s", "mail", "-t", "ed25519", "-f");
    expect(replaced.stderr).toMatch(
      /the old key is kept as redis:\S+ dkimctl:\{DKIM_KEYS\}:backups mail\.example\.com 2026-/,
    );
    expect(server.cli("HVALS", "dkimctl:{DKIM_KEYS}:backups")).toBe(before);
    const all = await run("verify-key", "--all", "--format", "json");
    expect(all.stdout).toContain("KEY-BACKUP");
    const fix =
      /redis-cli (HDEL 'dkimctl:\{DKIM_KEYS\}:backups' '[^']+')/.exec(JSON.parse(JSON.stringify(all.stdout)))?.[1] ??
      "";
    expect(fix).not.toBe("");
    const [command = "", hash = "", field = ""] = fix.split(/ (?=')/).map((word) => word.replaceAll("'", ""));
    expect(server.cli(command, hash, field)).toBe("1");
    expect((await run("verify-key", "--all", "--format", "json")).stdout).not.toContain("KEY-BACKUP");
  });

  test("--share: each domain has the key", async () => {
    const { stderr } = await run(
      "keygen",
      "-d",
      "a.example",
      "-d",
      "b.example",
      "-s",
      "mail",
      "-t",
      "ed25519",
      "--share",
    );
    expect(stderr).not.toContain("error");
    const [a, b] = ["mail.a.example", "mail.b.example"].map((field) => server.cli("HGET", "DKIM_KEYS", field));
    expect(a).toBe(b);
  });

  test("import copies, and says that it cannot link", async () => {
    const argv = ["import", "files", "--domain", "example.com", "--selector", "old", SAMPLE];
    const linked = await run(...argv, "--link");
    expect(linked).toMatchObject({ exitCode: 2, stdout: "" });
    expect(linked.stderr).toBe(
      `dkimctl: error: ${server.url()} keeps no files, so it cannot link to one\ndkimctl: hint: leave --link out: the keys are copied\n`,
    );
    expect((await run(...argv, "--dry-run")).stdout).toMatch(/^would import: old\._domainkey\.example\.com/);
    expect(server.cli("DBSIZE")).toBe("0");
    expect(await run(...argv)).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^imported: /) });
    expect((await run(...argv)).stdout).toMatch(/^present: old\._domainkey\.example\.com: redis:/);
  });

  test.each([
    ["--mode", "0640"],
    ["--owner", "root"],
    ["--group", "0"],
  ])("%s is about files", async (flag, value) => {
    const { exitCode, stderr } = await run("keygen", "-d", "example.com", flag, value);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${flag} is about files, and ${server.url()} keeps none`);
    const file = join(temporaryFolder(), "k.pem");
    expect(
      (await run("keygen", "-q", "-d", "example.com", "-s", "x", "-k", file, "-t", "ed25519", "--mode", "0640"))
        .exitCode,
    ).toBe(0);
  });

  test("export: rspamd reads this store, others read files", async () => {
    await make();
    const { stdout } = await run("export", "rspamd");
    expect(stdout).toContain(`use_redis = true;\nservers = "127.0.0.1:${server.port}";\nkey_prefix = "DKIM_KEYS";\n`);
    expect(stdout).toContain(`"example.com" { selectors [ { selector = "mail"; } ] }`);
    for (const argv of [["amavis"], ["rspamd", "--form", "maps"]]) {
      const refused = await run("export", ...argv);
      expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
      expect(refused.stderr).toMatch(/reads files.*keeps none\n.*dkimctl export rspamd --form redis/);
    }
    const secret = await run("export", "rspamd", "--form", "vault", "--reveal-private-key");
    expect(JSON.parse(secret.stdout).selectors).toHaveLength(1);
  });

  test("rotate refuses to write a signer's configuration of files", async () => {
    const config = join(temporaryFolder(), "c.toml");
    const signer = `type = "rspamd"\noutput = "/tmp/none.conf"\nreload = ["true"]`;
    writeFileSync(config, `[store]\nurl = "${server.url()}"\n[signer]\n${signer}\n`);
    const argv = ["rotate", "example.com", "--config", config];
    const refused = await runCli(argv, { env: { DKIMCTL_STORE: "" }, createResolver: () => ({}) as never });
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toContain(`signer.output writes paths of key files, and ${server.url()} keeps none`);
  });

  test("keys of others: listed in order with ours; a field that is none is told, and hides nothing", async () => {
    await make();
    const key = server.cli("HGET", "DKIM_KEYS", "mail.example.com");
    for (const field of [
      "a.example.com",
      "z.example.com",
      "s.b.example",
      "nodot",
      "UP.example.com",
      "bad.example.net",
    ]) {
      server.cli("HSET", "DKIM_KEYS", field, field.startsWith("bad") ? "no key" : key);
    }
    const shown = await run("showkeys", "--format", "value");
    expect(shown.stdout.trimEnd().split("\n")).toHaveLength(4);
    const listed = (await run("showkeys", "--format", "json")).stdout;
    const names = JSON.parse(listed).records.map(
      ({ domain, selector }: Record<string, string>) => `${selector} ${domain}`,
    );
    expect(names).toEqual(["s b.example", "a example.com", "mail example.com", "z example.com"]);
    const all = await run("verify-key", "--all");
    expect(all.stdout).toMatch(/nodot: the field is not <selector>\.<domain>/);
    expect(all.stdout).toMatch(/UP\.example\.com: the field must be written up\.example\.com/);
    expect(all.stdout).toMatch(/bad\.example\.net.*is no private key|bad\.example\.net/);
    expect(all.stdout + all.stderr).not.toContain(key);
  });

  test("tags of a key are not told of one that somebody else has put in its place", async () => {
    await make("--flags", "s");
    expect((await run("showkeys")).stdout).toContain("t=s");
    await run("keygen", "-q", "-d", "example.com", "-s", "other", "-t", "ed25519");
    server.cli("HSET", "DKIM_KEYS", "mail.example.com", server.cli("HGET", "DKIM_KEYS", "other.example.com"));
    expect((await run("showkeys")).stdout).not.toContain("t=s");
    server.cli("HDEL", "DKIM_KEYS", "mail.example.com");
    expect((await run("showkeys", "--format", "value")).stdout.trimEnd().split("\n")).toHaveLength(1);
    expect((await run("verify-key", "--all")).stdout).toContain("TAGS-ORPHAN");
  });

  test("init writes the address, and asks the server first", async () => {
    const folder = temporaryFolder();
    const config = join(folder, "dkimctl.toml");
    const env = { DKIMCTL_STORE: "", DKIMCTL_CONFIG: config };
    const away = await runCli(["init", "-y", "-d", "example.com", "--store", "redis://127.0.0.1:1/0"], { env });
    expect(away.exitCode).toBe(4);
    const made = await runCli(["init", "-y", "-d", "example.com", "-t", "ed25519", "--store", server.url()], { env });
    expect(made.stderr).toContain(`wrote ${config}`);
    expect(made.exitCode).toBe(0);
    expect((await runCli(["showkeys", "--format", "value"], { env })).stdout).toMatch(/^v=DKIM1; k=ed25519/);
    expect(server.cli("HLEN", "DKIM_KEYS")).toBe("1");
  });

  test("an address with a password is refused before anything else", async () => {
    const { exitCode, stderr } = await run("showkeys", "--store", `redis://:hunter2@127.0.0.1:${server.port}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("REDISCLI_AUTH");
    expect(stderr).not.toContain("hunter2");
  });
});
