import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver, createServerPool, type ServerPool } from "../../src/dns/dns2-resolver.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { quoteTxtString } from "../../src/dns/txt-strings.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { type FaultServer, flag, reply, startFaultServer, txt } from "../helpers/fault-server.ts";
import { freePort } from "../helpers/free-port.ts";
import { hasIpv6Loopback } from "../helpers/loopback.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { signZone } from "../helpers/signed-zone.ts";
import { startUnbound, type Unbound } from "../helpers/unbound.ts";

const key = (number: number) => ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(number));
const text = (number: number) => quoteTxtString(formatKeyRecord(keyRecordFor(key(number).publicKey)));

async function storeWith(...domains: string[]): Promise<string> {
  const path = temporaryFolder();
  const store = new DirectoryKeyStore({ path });
  for (const domain of domains) await store.create(parseKeyName(domain, "s1"), { privateKey: key(1), tags: {} });
  return path;
}

const soa = (serial: number) => `$TTL 300\n@ SOA ns1 hostmaster ${serial} 3600 600 86400 30\n`;

const named = requirePeer("named");
const skip = named.skip || !hasIpv6Loopback();

describe.skipIf(skip)(`testkeys --authoritative at two nameds, which need ::1 ${named.reason}`, () => {
  const apex = "@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 AAAA ::1\n";
  const zone = (serial: number, record: string) => `${soa(serial)}${apex}${record}\n`;
  const servers: Named[] = [];
  let pool: ServerPool;
  let port: number;
  beforeAll(async () => {
    port = await freePort(["127.0.0.1", "::1"]);
    const both = { "agreed.test": zone(1, `s1._domainkey TXT ${text(1)}`), "nothing.test": zone(1, "") };
    servers.push(
      await startNamed({
        port,
        zones: { ...both, "lagging.test": zone(2, `s1._domainkey TXT ${text(1)}`), "half.test": zone(2, "") },
      }),
      await startNamed({
        port,
        addresses: ["::1"],
        zones: { ...both, "lagging.test": zone(1, `s1._domainkey TXT ${text(2)}`) },
      }),
    );
    const real = createServerPool({ timeoutMs: 2000, retries: 0 });
    // What the world has on port 53 is here on another one.
    pool = {
      connect: (server) => real.connect("port" in server ? { ...server, port } : server),
      close: () => real.close(),
    };
  });
  afterAll(async () => {
    await Promise.all([pool?.close(), ...servers.map((server) => server.stop())]);
  });

  async function run(domain: string, ...argv: string[]) {
    const resolver = createResolver({ servers: [parseServerAddress(`127.0.0.1#${port}`)], timeoutMs: 2000 });
    const held: ServerPool = { connect: (server) => pool.connect(server), close: async () => {} };
    return runCli(["testkeys", domain, ...argv], { store: await storeWith(domain), resolver, pool: held });
  }

  it("all agree, and a resolver does too", async () => {
    expect(await run("agreed.test", "--authoritative")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/=> pass\n1 key/),
    });
    const { exitCode, stdout } = await run("agreed.test", "--both", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).checks[0]).toMatchObject({
      verdict: "pass",
      authoritative: {
        state: "agree",
        servers: [
          { nameServer: "ns1.agreed.test", address: "127.0.0.1", serial: 1, serves: "our key", problem: null },
          { nameServer: "ns2.agreed.test", address: "::1", serial: 1, serves: "our key", problem: null },
        ],
      },
      dns: { status: "found" },
    });
  });

  it("one lags: a failure with a table", async () => {
    const { exitCode, stdout } = await run("lagging.test", "--authoritative");
    expect(exitCode).toBe(1);
    expect(stdout.split("\n").slice(0, 4)).toEqual([
      "TESTING#1 lagging.test: s1._domainkey.lagging.test => fail: the 2 authoritative servers of lagging.test serve 2 different things",
      "  ZONE          SERVER            ADDRESS    SERIAL  SERVES",
      "  lagging.test  ns1.lagging.test  127.0.0.1  2       our key",
      "  lagging.test  ns2.lagging.test  ::1        1       another key",
    ]);
  });

  it("one does not serve the zone", async () => {
    const { exitCode, stdout } = await run("half.test", "--both");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/ns2\.half\.test \(::1\) does not serve the record: REFUSED/);
  });

  it("none has it: never", async () => {
    const { exitCode, stdout } = await run("nothing.test", "--both");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/NXDOMAIN\): none of the 2 authoritative servers has it, so waiting alone will not help\n/);
  });
});

const validating = requirePeer("named", "unbound", "dnssec-keygen", "dnssec-signzone");
describe.skipIf(validating.skip)(`testkeys with a validating resolver ${validating.reason}`, () => {
  const tlsFile = (name: string) => fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));
  const zone = `${soa(1)}@ NS ns\nns A 127.0.0.1\ns1._domainkey TXT ${text(1)}\n`;
  let server: Named;
  let unbound: Unbound;
  beforeAll(async () => {
    const [signed, bogus] = [signZone("signed.test", zone), signZone("bogus.test", zone)];
    server = await startNamed({
      zones: {
        "signed.test": signed.text,
        "bogus.test": bogus.text.replace(/(v=DKIM1; k=ed25519; p=)./, "$1z"),
        "plain.test": zone,
        "later.test": `${soa(1)}@ NS ns\nns A 127.0.0.1\n`,
      },
    });
    unbound = await startUnbound({
      stubs: {
        "signed.test": server.port,
        "bogus.test": server.port,
        "plain.test": server.port,
        "later.test": server.port,
      },
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
    ["signed.test", 0, /=> pass\n/],
    ["plain.test", 1, /=> fail: the answer is not secured by DNSSEC\n1 key/],
    [
      "bogus.test",
      1,
      /=> fail: DNSSEC validation fails: SERVFAIL from 127\.0\.0\.1.*; unvalidated, the name does resolve\n1 key/,
    ],
  ])("%s with --require-dnssec", async (domain, status, expected) => {
    const resolver = createResolver({ servers: [parseServerAddress(unbound.server)], timeoutMs: 3000 });
    const argv = ["testkeys", domain, "--require-dnssec"];
    const { exitCode, stdout } = await runCli(argv, { store: await storeWith(domain), resolver });
    expect(stdout).toMatch(expected);
    expect(exitCode).toBe(status);
  });

  it("a resolver that remembers the absence: not yet, and for how long", async () => {
    const run = async (...argv: string[]) => {
      const resolver = createResolver({ servers: [parseServerAddress(unbound.server)], timeoutMs: 3000 });
      const real = createServerPool({ timeoutMs: 2000, retries: 0 });
      const connect: ServerPool["connect"] = (address) =>
        real.connect("port" in address ? { ...address, port: server.port } : address);
      const pool = { connect, close: () => real.close() };
      return runCli(["testkeys", "later.test", ...argv], { store: await storeWith("later.test"), resolver, pool });
    };
    // Before it is published: the authoritative servers say so, and the resolver hears of nothing.
    expect(await run("--both")).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/waiting alone will not help/),
    });
    // A careless look plants the "no" in the resolver's cache.
    expect(await run()).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/=> fail: no record \(NXDOMAIN\)\n/),
    });
    await server.replaceZone("later.test", `${soa(2)}@ NS ns\nns A 127.0.0.1\ns1._domainkey TXT ${text(1)}\n`);
    const { exitCode, stdout } = await run("--both");
    expect(stdout).toMatch(
      /=> temporary: not yet: every authoritative server has it, but resolvers still answer with no record \(NXDOMAIN\), for at most ([12]?[0-9]|30) s\n/,
    );
    expect(exitCode).toBe(4);
    expect(await run("--authoritative")).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["tls", () => `tls:dns.test#${unbound.tlsPort}@127.0.0.1`],
    ["https", () => `https://127.0.0.1:${unbound.httpsPort}/dns-query`],
  ])("the options lead to %s with --ca", async (transport, address) => {
    const store = await storeWith("signed.test");
    const argv = ["testkeys", "--server", address(), "--json"];
    const trusted = await runCli([...argv, "--ca", tlsFile("ca.pem")], { store, createResolver });
    expect(JSON.parse(trusted.stdout).checks[0]).toMatchObject({
      verdict: "pass",
      dns: { transport, dnssec: "secure" },
    });
    const untrusted = await runCli(argv, { store, createResolver });
    expect(untrusted.stdout).toMatch(/not signed by a known authority/);
    expect(untrusted.exitCode).toBe(4);
  });
});

describe("testkeys at a server that misbehaves", () => {
  const servers: FaultServer[] = [];
  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  async function run(script: Parameters<typeof startFaultServer>[0]) {
    const server = await startFaultServer(script);
    servers.push(server);
    const argv = ["testkeys", "--server", server.server, "--timeout", "1", "--retries", "0"];
    return runCli(argv, { store: await storeWith("fault.test"), createResolver });
  }

  it.each<[string, Parameters<typeof startFaultServer>[0], number, RegExp]>([
    ["silence", {}, 4, /=> temporary: no answer from 127\.0\.0\.1#\d+ after 1 try of 1 s\n/],
    [
      "SERVFAIL",
      { udp: (query, send) => send(reply(query, { responseCode: 2 })) },
      4,
      /=> temporary: SERVFAIL from 127\.0\.0\.1#\d+\n/,
    ],
    [
      "REFUSED",
      { udp: (query, send) => send(reply(query, { responseCode: 5, flags: flag.response })) },
      4,
      /=> temporary: REFUSED from/,
    ],
    [
      "a wrong ID",
      { udp: (query, send) => send(reply(query, { id: query.readUInt16BE(0) ^ 1, answers: [txt("x")] })) },
      4,
      /=> temporary: no answer/,
    ],
    [
      "another port",
      { udp: (query, _, elsewhere) => elsewhere(reply(query, { answers: [txt("x")] })) },
      4,
      /=> temporary: no answer/,
    ],
    [
      "garbage",
      { udp: (query, send) => send(Buffer.concat([query.subarray(0, 2), Buffer.alloc(40, 0xc0)])) },
      4,
      /=> temporary: /,
    ],
    [
      "NUL and ESC in a record",
      { udp: (query, send) => send(reply(query, { answers: [txt("v=DKIM1; \u0000\u001b[2J p=x")] })) },
      1,
      /=> fail: (?!.*[\u0000\u001b])/,
    ],
    [
      "255 strings",
      { udp: (query, send) => send(reply(query, { answers: [txt(...Array(255).fill("a"))] })) },
      1,
      /=> fail: /,
    ],
  ])("%s", async (_, script, status, expected) => {
    const { exitCode, stdout } = await run(script);
    expect(stdout).toMatch(expected);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(exitCode).toBe(status);
  });
});
