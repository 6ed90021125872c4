import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver, createServerPool, type ServerPool } from "../../src/dns/dns2-resolver.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { quoteTxtString } from "../../src/dns/txt-strings.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { freePort } from "../helpers/free-port.ts";
import { hasIpv6Loopback } from "../helpers/loopback.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { signZone } from "../helpers/signed-zone.ts";
import { startUnbound, type Unbound } from "../helpers/unbound.ts";

const key = (number: number) => ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(number));
const text = (number: number) => quoteTxtString(formatKeyRecord(keyRecordFor(key(number).publicKey)));
const soa = (serial: number) => `$TTL 300\n@ SOA ns1 hostmaster ${serial} 3600 600 86400 30\n`;

async function storeWith(domain: string): Promise<string> {
  const path = temporaryFolder();
  await new DirectoryKeyStore({ path }).create(parseKeyName(domain, "s1"), { privateKey: key(1), tags: {} });
  return path;
}

/** What the world has on port 53 is here on another one. */
function poolAt(port: number): ServerPool {
  const real = createServerPool({ timeoutMs: 2000, retries: 0 });
  return {
    connect: (server) => real.connect("port" in server ? { ...server, port } : server),
    close: () => real.close(),
  };
}

async function verify(domain: string, argv: readonly string[], server: string, port: number) {
  const resolver = createResolver({ servers: [parseServerAddress(server)], timeoutMs: 3000 });
  const store = await storeWith(domain);
  return runCli(["verify-key", domain, "s1", ...argv], { store, resolver, pool: poolAt(port) });
}

const named = requirePeer("named");
const skip = named.skip || !hasIpv6Loopback();
describe.skipIf(skip)(`verify-key DOMAIN SELECTOR at two nameds, which need ::1 ${named.reason}`, () => {
  const zone = (serial: number, record: string) =>
    `${soa(serial)}@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 AAAA ::1\n${record}\n`;
  const servers: Named[] = [];
  let port: number;
  beforeAll(async () => {
    port = await freePort(["127.0.0.1", "::1"]);
    const both = {
      "agreed.test": zone(1, `s1._domainkey TXT ${text(1)}`),
      "doubled.test": zone(1, `s1._domainkey.doubled.test TXT ${text(1)}`),
      "wild.test": zone(1, `*._domainkey TXT ${text(1)}`),
    };
    const lagging = (serial: number) => zone(serial, `s1._domainkey TXT ${text(serial)}`);
    servers.push(
      await startNamed({ port, zones: { ...both, "lagging.test": lagging(1) } }),
      await startNamed({ port, addresses: ["::1"], zones: { ...both, "lagging.test": lagging(2) } }),
    );
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  it.each([
    ["agreed.test", "--authoritative", 0, /all 2 authoritative servers agree\n.*it verifies with what is published\n/],
    ["agreed.test", "--both", 0, /it verifies with what is published\n/],
    [
      "lagging.test",
      "--authoritative",
      1,
      /ns1\.lagging\.test {2}127\.0\.0\.1 {2}1 {7}our key\n.*ns2\.lagging\.test {2}::1 {8}2 {7}another key\n.*\(DNS-SERVERS-DIFFER\)\n/,
    ],
    [
      "doubled.test",
      "--both",
      1,
      /waiting alone will not help .*s1\._domainkey\.doubled\.test\.doubled\.test: .*\(DNS-MISPLACED\)/s,
    ],
    ["wild.test", "--authoritative", 0, /\(DNS-WILDCARD\)\n/],
  ])("%s %s: exit status %i", async (domain, option, status, expected) => {
    const { exitCode, stdout } = await verify(domain, [option], `127.0.0.1#${port}`, port);
    expect(stdout).toMatch(expected);
    expect(exitCode).toBe(status);
  });
});

const validating = requirePeer("named", "unbound", "dnssec-keygen", "dnssec-signzone");
describe.skipIf(validating.skip)(`verify-key DOMAIN SELECTOR with a validating resolver ${validating.reason}`, () => {
  const tlsFile = (name: string) => fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));
  const zone = `${soa(1)}@ NS ns\nns A 127.0.0.1\n`;
  const keyed = `${zone}s1._domainkey TXT ${text(1)}\n`;
  let server: Named;
  let unbound: Unbound;
  beforeAll(async () => {
    const [signed, bogus] = [signZone("signed.test", keyed), signZone("bogus.test", keyed)];
    server = await startNamed({
      zones: {
        "signed.test": signed.text,
        "bogus.test": bogus.text.replace(/(v=DKIM1; k=ed25519; p=)./, "$1z"),
        "plain.test": keyed,
        "later.test": zone,
      },
    });
    const { port } = server;
    unbound = await startUnbound({
      stubs: { "signed.test": port, "bogus.test": port, "plain.test": port, "later.test": port },
      trustAnchors: [signed.trustAnchor, bogus.trustAnchor],
      certificate: tlsFile("server.pem"),
      key: tlsFile("server.key"),
    });
  });
  afterAll(async () => {
    await unbound?.stop();
    await server?.stop();
  });

  it.each([
    ["signed.test", 0, /DNSSEC {7}secure\n/],
    ["plain.test", 1, /\(DNS-INSECURE\)\n/],
    ["bogus.test", 1, /DNSSEC {7}bogus: .*\(DNS-BOGUS\)\n/s],
  ])("%s with --require-dnssec", async (domain, status, expected) => {
    const { exitCode, stdout } = await verify(domain, ["--require-dnssec"], unbound.server, server.port);
    expect(stdout).toMatch(expected);
    expect(exitCode).toBe(status);
  });

  it("never, then not yet", async () => {
    const run = (...argv: string[]) => verify("later.test", argv, unbound.server, server.port);
    expect(await run("--both")).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/waiting alone/) });
    expect(await run()).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/\(DNS-NO-RECORD\)/) });
    await server.replaceZone("later.test", `${soa(2)}@ NS ns\nns A 127.0.0.1\ns1._domainkey TXT ${text(1)}\n`);
    const { exitCode, stdout } = await run("--both");
    expect(stdout).toMatch(/no record \(NXDOMAIN\), for at most ([12]?[0-9]|30) s \(DNS-NOT-YET\)\n/);
    expect(exitCode).toBe(4);
  });
});
