import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtCli } from "../helpers/built-cli.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";

const peer = requirePeer("named");
const DOMAINS = ["example.com", "xn--bcher-kva.example"];

/** The records of one domain out of what showkeys printed, as the zone that holds them. */
function zoneOf(domain: string, records: string): string {
  const own = records.split("\n\n").filter((record) => record.includes(`, d=${domain},`));
  return `$TTL 60\n${domain}. SOA ns.${domain}. hostmaster.${domain}. 1 60 60 60 60\n${domain}. NS ns.${domain}.\nns.${domain}. A 127.0.0.1\n${own.join("\n\n")}\n`;
}

describe.skipIf(peer.skip)(`the main job, with the printed zone text at named ${peer.reason}`, () => {
  const store = mkdtempSync(join(tmpdir(), "dkimctl-main-job-"));
  const cli = builtCli();
  const run = (...argv: string[]) => cli.run(argv, { DKIMCTL_STORE: store, DKIMCTL_CONFIG: "/dev/null" });
  let records = "";
  let named: Named;

  beforeAll(async () => {
    const made = await run("keygen", "-d", "example.com", "-d", "bücher.example", "-t", "both", "-s", "m");
    expect(made).toMatchObject({ status: 0, signal: null });
    const shown = await run("showkeys");
    expect(shown).toMatchObject({ status: 0, stderr: "" });
    records = shown.stdout;
    named = await startNamed({ zones: Object.fromEntries(DOMAINS.map((domain) => [domain, zoneOf(domain, records)])) });
  });

  afterAll(async () => {
    await named.stop();
    cli.remove();
    rmSync(store, { recursive: true });
  });

  test("published keys pass", async () => {
    const { status, stdout } = await run("testkeys", "--server", named.server);
    expect(stdout.split("\n")).toEqual([
      "TESTING#1 example.com: m-ed25519._domainkey.example.com => pass",
      "TESTING#2 example.com: m-rsa._domainkey.example.com => pass",
      "TESTING#3 xn--bcher-kva.example: m-ed25519._domainkey.xn--bcher-kva.example => pass",
      "TESTING#4 xn--bcher-kva.example: m-rsa._domainkey.xn--bcher-kva.example => pass",
      "4 keys: 4 pass",
      "",
    ]);
    expect(status).toBe(0);
  });

  test("a record that was deleted fails its key, by name", async () => {
    const without = records
      .split("\n\n")
      .filter((record) => !record.includes("m-rsa._domainkey.example.com."))
      .join("\n\n");
    await named.replaceZone("example.com", zoneOf("example.com", without));
    const { status, stdout } = await run("testkeys", "--server", named.server);
    expect(stdout).toContain("TESTING#2 example.com: m-rsa._domainkey.example.com => fail: no record (NXDOMAIN)\n");
    expect(stdout).toContain("4 keys: 3 pass, 1 fail\n");
    expect(status).toBe(1);
  });

  test("a name server that is down is told from a record that is missing", async () => {
    await named.stop();
    const { status, stdout } = await run("testkeys", "--server", named.server, "--timeout", "1", "--retries", "0");
    expect(stdout).toContain("=> temporary: ");
    expect(stdout).toContain("4 keys: 4 temporary\n");
    expect(status).toBe(4);
  });
});
