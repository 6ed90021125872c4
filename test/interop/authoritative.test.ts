import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { surveyAuthoritativeServers } from "../../src/dns/authoritative.ts";
import { compareServers, compareWithResolver } from "../../src/dns/authoritative-comparison.ts";
import { createResolver, createServerPool, type ServerPool } from "../../src/dns/dns2-resolver.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../../src/dns/embedded-server.ts";
import type { Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { freePort } from "../helpers/free-port.ts";
import { hasIpv6Loopback } from "../helpers/loopback.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";

const peer = requirePeer("named");

const soa = (serial: number) => `$TTL 300\n@ SOA ns1 hostmaster ${serial} 3600 600 86400 30\n`;
const APEX = `@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 AAAA ::1\n`;
const agreed = (serial: number) =>
  `${soa(serial)}${APEX}s1._domainkey TXT "key"\nalias._domainkey CNAME s1._domainkey.agreed.test.\n`;
const lagging = (serial: number, key: string) => `${soa(serial)}${APEX}s1._domainkey TXT "${key}"\n`;
const trouble = `${soa(1)}${APEX}@ NS ns3\n@ NS ns4\n@ NS ns5.agreed.test.\nns3 A 127.0.0.3\nns4 A 127.0.0.4\ns1._domainkey TXT "key"\n`;
const customer = `${soa(1)}${APEX}s1._domainkey CNAME s1._domainkey.agreed.test.\nloop CNAME loop.circle.test.\n_domainkey.cut NS ns1.agreed.test.\n`;
const cut = `${soa(1)}@ NS ns1.agreed.test.\ns2 TXT "below"\n`;
const circle = `${soa(1)}${APEX}loop CNAME loop.customer.test.\n`;

// ns1 is 127.0.0.1 and up to date; ns2 is ::1 and lags; 127.0.0.3 serves nothing, 127.0.0.4 is closed.
const skip = peer.skip || !hasIpv6Loopback();

describe.skipIf(skip)(`authoritative servers at named, which need ::1 ${peer.reason}`, () => {
  const servers: Named[] = [];
  let resolver: Resolver;
  let pool: ServerPool;
  let port: number;
  let lame: EmbeddedServer;
  beforeAll(async () => {
    port = await freePort(["127.0.0.1", "::1", "127.0.0.3", "127.0.0.4"]);
    const zones = { "agreed.test": agreed(1), "trouble.test": trouble, "customer.test": customer };
    servers.push(
      await startNamed({
        port,
        zones: { ...zones, "lagging.test": lagging(2, "new"), "_domainkey.cut.customer.test": cut },
      }),
      await startNamed({
        port,
        addresses: ["::1"],
        zones: { ...zones, "lagging.test": lagging(1, "old"), "circle.test": circle },
      }),
    );
    lame = await startEmbeddedServer({ port, host: "127.0.0.3", zones: [] });
    // As a recursive resolver would be: it finds zones and addresses.
    resolver = createResolver({
      servers: [`127.0.0.1#${port}`, `::1#${port}`].map(parseServerAddress),
      timeoutMs: 2000,
    });
    pool = createServerPool({ timeoutMs: 1000, retries: 0 });
  });
  afterAll(async () => {
    await Promise.all([resolver?.close(), pool?.close(), lame?.close(), ...servers.map((server) => server.stop())]);
  });
  const survey = (name: string) =>
    surveyAuthoritativeServers(name, { resolver, connect: (server) => pool.connect(server), port });
  async function compareOne(name: string) {
    const { steps, problem } = await survey(name);
    expect(problem).toBeUndefined();
    const [step] = steps;
    if (step === undefined || steps.length !== 1) throw new Error(`${steps.length} steps`);
    return { zone: step.zone, ...compareServers(step) };
  }

  it("agree", async () => {
    expect(await compareOne("s1._domainkey.agreed.test")).toMatchObject({
      zone: "agreed.test",
      agree: true,
      serialsDiffer: false,
      versions: [
        {
          served: { kind: "records", records: ["key"] },
          servers: ["ns1.agreed.test (127.0.0.1)", "ns2.agreed.test (::1)"],
        },
      ],
    });
  });

  it("agree that there is nothing", async () => {
    expect(await compareOne("s9._domainkey.agreed.test")).toMatchObject({
      agree: true,
      versions: [{ served: { kind: "nothing" } }],
    });
  });

  it("tell an old key from a new one, and that serials differ", async () => {
    const comparison = await compareOne("s1._domainkey.lagging.test");
    expect(comparison).toMatchObject({
      agree: false,
      serialsDiffer: true,
      rows: [
        { version: 0, serial: 2 },
        { version: 1, serial: 1 },
      ],
    });
    expect(comparison.versions.map(({ served }) => served)).toEqual([
      { kind: "records", records: ["new"] },
      { kind: "records", records: ["old"] },
    ]);
  });

  it("are told apart when lame, silent, or without an address", async () => {
    const { agree, rows } = await compareOne("s1._domainkey.trouble.test");
    expect(agree).toBe(false);
    expect(rows.map(({ nameServer, address, state }) => [nameServer.slice(0, 3), address, state])).toEqual([
      ["ns1", "127.0.0.1", "serves"],
      ["ns2", "::1", "serves"],
      ["ns3", "127.0.0.3", "lame"],
      ["ns4", "127.0.0.4", "no-answer"],
      ["ns5", undefined, "no-address"],
    ]);
    expect(rows.map(({ problem }) => problem).slice(2)).toEqual(
      [
        `REFUSED from 127.0.0.3#${port}`,
        `cannot reach 127.0.0.4#${port}: the port is closed`,
        "its name does not exist",
      ].map((text) => expect.stringContaining(text)),
    );
  });

  it("are followed through a CNAME into another zone", async () => {
    const { steps, problem } = await survey("s1._domainkey.customer.test");
    expect(problem).toBeUndefined();
    expect(steps.map(({ name, zone }) => [name, zone])).toEqual([
      ["s1._domainkey.customer.test", "customer.test"],
      ["s1._domainkey.agreed.test", "agreed.test"],
    ]);
    const [first, last] = steps;
    const served = { kind: "cname", target: "s1._domainkey.agreed.test" };
    expect(first && compareServers(first)).toMatchObject({ agree: true, versions: [{ served }] });
    expect(last && compareServers(last)).toMatchObject({ agree: true, versions: [{ served: { records: ["key"] } }] });
  });

  it("are followed where a zone below is delegated", async () => {
    const { steps } = await survey("s2._domainkey.cut.customer.test");
    expect(steps.map(({ zone }) => zone)).toEqual(["_domainkey.cut.customer.test"]);
  });

  it("end in a problem when CNAMEs lead in a circle or no zone is found", async () => {
    expect((await survey("loop.customer.test")).problem).toMatch(/circle/);
    expect((await survey("s1._domainkey.nowhere.test")).problem).toMatch(/REFUSED/);
  });

  it("are compared with what resolvers see", async () => {
    const old = await pool.connect(parseServerAddress(`::1#${port}`)).lookupTxt("s1._domainkey.lagging.test");
    const { versions } = await compareOne("s1._domainkey.lagging.test");
    const [newest, oldest] = versions.map(({ served }) => served);
    expect(newest && compareWithResolver(newest, old)).toEqual({ state: "not-yet", secondsLeft: 300 });
    expect(oldest && compareWithResolver(oldest, old)).toEqual({ state: "same" });
  });
});
