import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import type { Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { hasIpv6Loopback } from "../helpers/loopback.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";

const SOA = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\nns A 127.0.0.1\n";
const LONG = "x".repeat(250);
const EXAMPLE = `${SOA}
short TXT "v=DKIM1; k=rsa; p=abc" "def"
two TXT "one"
two TXT "two"
octets TXT "a\\000b\\027c\\255\\195\\169"
long TXT ${`"${LONG}" `.repeat(8)}
empty TXT ""
elsewhere A 127.0.0.1
alias CNAME short
chain CNAME alias
dangling CNAME nothing
datales CNAME elsewhere
loop1 CNAME loop2
loop2 CNAME loop1
out CNAME short.other.test.
away CNAME short.not-served.test.
sub NS ns.sub
ns.sub A 127.0.0.1
Mixed TXT "case"
`;

const peer = requirePeer("named");

describe.skipIf(peer.skip)(`lookups at named ${peer.reason}`, () => {
  let named: Named;
  let resolver: Resolver;
  beforeAll(async () => {
    named = await startNamed({
      zones: { "example.test": EXAMPLE, "other.test": `${SOA}short TXT "over there"\n` },
      addresses: ["127.0.0.1", ...(hasIpv6Loopback() ? ["::1"] : [])],
    });
    resolver = createResolver({ servers: [parseServerAddress(named.server)], timeoutMs: 2000 });
  });
  afterAll(async () => {
    await resolver?.close();
    await named?.stop();
  });

  const lookup = (name: string) => resolver.lookupTxt(`${name}.example.test`);

  it.each([
    ["short", [["v=DKIM1; k=rsa; p=abc", "def"]]],
    ["octets", [["a\u0000b\u001bc\u00ff\u00c3\u00a9"]]],
    ["long", [Array(8).fill(LONG)]],
    ["empty", [[""]]],
    ["alias", [["v=DKIM1; k=rsa; p=abc", "def"]]],
    ["chain", [["v=DKIM1; k=rsa; p=abc", "def"]]],
    ["out", [["over there"]]],
    ["MIXED", [["case"]]],
  ])("%s is found", async (name, strings) => {
    const found = await lookup(name);
    expect(found).toMatchObject({ status: "found", authoritative: true, ttlSeconds: 60, dnssec: "insecure" });
    expect(found.status === "found" && found.records.map((record) => record.strings)).toEqual(strings);
  });

  it("tells records one by one", async () => {
    const found = await lookup("two");
    expect(found.status === "found" && found.records.map((r) => r.strings.join("")).sort()).toEqual(["one", "two"]);
  });

  it("asks by TCP what does not fit", async () => {
    expect((await lookup("long")).server?.transport).toBe("tcp");
    expect((await lookup("short")).server?.transport).toBe("udp");
  });

  it("shows the CNAMEs", async () => {
    expect((await lookup("chain")).cnames).toEqual([
      { from: "chain.example.test", to: "alias.example.test", ttlSeconds: 60 },
      { from: "alias.example.test", to: "short.example.test", ttlSeconds: 60 },
    ]);
  });

  it.each([
    ["missing", { status: "no-name", ttlSeconds: 30 }],
    ["elsewhere", { status: "no-data", ttlSeconds: 30 }],
    ["dangling", { status: "cname-to-nothing", target: "nothing.example.test", missing: "name" }],
    ["datales", { status: "cname-to-nothing", target: "elsewhere.example.test", missing: "data" }],
    ["loop1", { status: "cname-loop" }],
    ["away", { status: "refused" }],
    ["key.sub", { status: "lame" }],
  ])("%s: %o", async (name, expected) => {
    expect(await lookup(name)).toMatchObject(expected);
  });

  it("answers over TCP only", async () => {
    await expectLong(`tcp:${named.server}`);
  });

  it.skipIf(!hasIpv6Loopback())("answers over IPv6", async () => {
    await expectLong(`[::1]:${named.port}`);
    await expectLong(`tcp:::1#${named.port}`);
  });

  async function expectLong(server: string) {
    const other = createResolver({ servers: [parseServerAddress(server)], timeoutMs: 2000 });
    expect(await other.lookupTxt("long.example.test")).toMatchObject({ status: "found", server: { transport: "tcp" } });
    await other.close();
  }

  it("looks up SOA, NS, A and CNAME", async () => {
    expect(await resolver.lookup("example.test", "SOA")).toMatchObject({ status: "found", records: [{ serial: 1 }] });
    expect(await resolver.lookup("example.test", "NS")).toMatchObject({ records: [{ target: "ns.example.test" }] });
    expect(await resolver.lookup("ns.example.test", "A")).toMatchObject({ records: [{ address: "127.0.0.1" }] });
    expect(await resolver.lookup("chain.example.test", "CNAME")).toMatchObject({
      records: [{ target: "alias.example.test" }],
    });
  });

  it("carries 2000 lookups at once, none lost", async () => {
    const all = await Promise.all(Array.from({ length: 2000 }, () => lookup("short")));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(["found"]));
  });

  it("sees a reloaded zone", async () => {
    await named.replaceZone("other.test", `${SOA}new TXT "fresh"\n`);
    expect(await resolver.lookupTxt("new.other.test")).toMatchObject({ status: "found" });
    expect(await resolver.lookupTxt("short.other.test")).toMatchObject({ status: "no-name" });
  });
});
