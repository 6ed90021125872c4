import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createResolver, type ResolverOptions } from "../../src/dns/dns2-resolver.ts";
import { dnssecState } from "../../src/dns/key-lookup.ts";
import { failureReason, type Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { freePort } from "../helpers/free-port.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";
import { signZone } from "../helpers/signed-zone.ts";
import { startUnbound, type Unbound } from "../helpers/unbound.ts";

const peer = requirePeer("named", "unbound", "dnssec-keygen", "dnssec-signzone");
const tlsFile = (name: string) => fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));
const ca = readFileSync(tlsFile("ca.pem"), "utf8");

const ZONE = `$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\nns A 127.0.0.1\ns1._domainkey TXT "v=DKIM1; p=abc"\nlong TXT ${`"${"x".repeat(250)}" `.repeat(12)}\nout CNAME s1._domainkey.plain.test.\n`;

describe.skipIf(peer.skip)(`a validating resolver ${peer.reason}`, () => {
  let named: Named;
  let namedTlsPort: number;
  let namedHttpsPort: number;
  let unbound: Unbound;
  const open: Resolver[] = [];
  beforeAll(async () => {
    const [signed, bogus] = [signZone("signed.test", ZONE), signZone("bogus.test", ZONE)];
    [namedTlsPort, namedHttpsPort] = [await freePort(), await freePort()];
    named = await startNamed({
      options: `
        listen-on port ${namedTlsPort} tls dns-test { 127.0.0.1; };
        listen-on port ${namedHttpsPort} tls dns-test http default { 127.0.0.1; };
      `,
      statements: `tls dns-test { key-file "${tlsFile("server.key")}"; cert-file "${tlsFile("server.pem")}"; };`,
      zones: { "signed.test": signed.text, "bogus.test": bogus.text.replace("p=abc", "p=abd"), "plain.test": ZONE },
    });
    unbound = await startUnbound({
      stubs: { "signed.test": named.port, "bogus.test": named.port, "plain.test": named.port, "dead.test": named.port },
      trustAnchors: [signed.trustAnchor, bogus.trustAnchor],
      certificate: tlsFile("server.pem"),
      key: tlsFile("server.key"),
    });
  });
  afterEach(async () => {
    for (const resolver of open.splice(0)) await resolver.close();
  });
  afterAll(async () => {
    await unbound?.stop();
    await named?.stop();
  });

  function resolverAt(server: string, options: Partial<ResolverOptions> = {}): Resolver {
    const resolver = createResolver({
      servers: [parseServerAddress(server)],
      timeoutMs: 3000,
      retries: 0,
      ca,
      ...options,
    });
    open.push(resolver);
    return resolver;
  }

  it.each([
    ["s1._domainkey.signed.test", "found", "secure"],
    ["nothing.signed.test", "no-name", "secure"],
    ["s1._domainkey.plain.test", "found", "insecure"],
    ["out.signed.test", "found", "insecure"],
    ["s1._domainkey.bogus.test", "servfail", "bogus"],
    ["long.bogus.test", "found", "secure"],
  ])("%s: %s, %s", async (name, status, dnssec) => {
    const resolver = resolverAt(unbound.server);
    const lookup = await resolver.lookupTxt(name);
    expect(lookup.status).toBe(status);
    expect(await dnssecState(resolver, lookup)).toBe(dnssec);
  });

  it("tells why by RFC 8914", async () => {
    const lookup = await resolverAt(unbound.server).lookupTxt("s1._domainkey.bogus.test");
    expect(failureReason(lookup)).toMatch(/^SERVFAIL from 127\.0\.0\.1#[0-9]+ \(dnssec bogus/);
  });

  it("a server that does not validate makes nothing secure", async () => {
    expect((await resolverAt(named.server).lookupTxt("s1._domainkey.signed.test")).dnssec).toBe("insecure");
  });

  it("SERVFAIL for another reason is not bogus", async () => {
    const resolver = resolverAt(unbound.server);
    const lookup = await resolver.lookupTxt("s1._domainkey.dead.test");
    expect(lookup.status).toBe("servfail");
    expect(await dnssecState(resolver, lookup)).toBe("insecure");
  });

  it.each([
    ["tls", () => `tls:dns.test#${unbound.tlsPort}@127.0.0.1`],
    ["tls", () => `tls:127.0.0.1#${unbound.tlsPort}`],
    ["https", () => `https://127.0.0.1:${unbound.httpsPort}/dns-query`],
  ])("answers over %s, long ones too, many at once", async (transport, server) => {
    const resolver = resolverAt(server());
    const names = ["s1._domainkey.signed.test", "long.signed.test", ...Array(100).fill("s1._domainkey.plain.test")];
    const lookups = await Promise.all(names.map((name) => resolver.lookupTxt(name)));
    expect(new Set(lookups.map((lookup) => failureReason(lookup)))).toEqual(new Set(["found"]));
    expect(lookups[0]).toMatchObject({ dnssec: "secure", server: { transport } });
    expect(await resolver.lookupTxt("no.signed.test")).toMatchObject({ status: "no-name" });
  });

  it.each([
    ["tls", () => `tls:dns.test#${namedTlsPort}@127.0.0.1`],
    ["https", () => `https://127.0.0.1:${namedHttpsPort}/dns-query`],
  ])("named answers over %s", async (transport, server) => {
    const lookup = await resolverAt(server()).lookupTxt("long.plain.test");
    expect(lookup).toMatchObject({ status: "found", authoritative: true, server: { transport } });
  });

  it.each<[string, () => string, Partial<ResolverOptions>, RegExp]>([
    [
      "an authority it does not know (TLS)",
      () => `tls:dns.test#${unbound.tlsPort}@127.0.0.1`,
      { ca: undefined },
      /not signed by a known authority/,
    ],
    [
      "an authority it does not know (HTTPS)",
      () => `https://127.0.0.1:${unbound.httpsPort}/dns-query`,
      { ca: undefined },
      /not signed by a known authority/,
    ],
    ["another name", () => `tls:other.test#${unbound.tlsPort}@127.0.0.1`, {}, /for another name/],
    ["another path", () => `https://127.0.0.1:${unbound.httpsPort}/elsewhere`, {}, /HTTP status 404/],
    ["a port that is closed", () => "tls:dns.test#1@127.0.0.1", {}, /the port is closed/],
    ["a port that is closed", () => "https://127.0.0.1:1/", {}, /the port is closed/],
  ])("refuses %s", async (_, server, options, reason) => {
    const lookup = await resolverAt(server(), options).lookupTxt("s1._domainkey.signed.test");
    expect(lookup.status).toBe("unreachable");
    expect(failureReason(lookup)).toMatch(reason);
  });
});
