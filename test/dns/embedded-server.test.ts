import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../../src/dns/embedded-server.ts";
import type { Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";

describe("the embedded server", () => {
  let server: EmbeddedServer;
  let resolver: Resolver;
  beforeAll(async () => {
    server = await startEmbeddedServer({ zones: ["example.com"] });
    resolver = createResolver({ servers: [parseServerAddress(server.address)], timeoutMs: 2000 });
    server.publish("s1._domainkey.example.com", [{ type: "TXT", strings: ["é\u0000".padEnd(600, "x"), ""] }]);
    server.publish("alias.example.com", [{ type: "CNAME", target: "s1._domainkey.example.com" }]);
    server.publish("big.example.com", [{ type: "TXT", strings: ["y".repeat(3000)] }]);
    server.publish("two.example.com", [
      { type: "TXT", strings: ["a"] },
      { type: "TXT", strings: ["b"] },
      { type: "A", address: "192.0.2.1" },
    ]);
  });
  afterAll(async () => {
    await resolver.close();
    await server.close();
  });

  it.each([
    ["S1._DomainKey.example.com", [["é\u0000".padEnd(255, "x"), "x".repeat(255), "x".repeat(90), ""]]],
    ["alias.example.com", [["é\u0000".padEnd(255, "x"), "x".repeat(255), "x".repeat(90), ""]]],
    ["two.example.com", [["a"], ["b"]]],
  ])("%s keeps its octets", async (name, strings) => {
    const found = await resolver.lookupTxt(name);
    expect(found.status === "found" && found.records.map((record) => record.strings)).toEqual(strings);
  });

  it("answers by TCP what does not fit", async () => {
    expect(await resolver.lookupTxt("big.example.com")).toMatchObject({
      status: "found",
      server: { transport: "tcp" },
    });
  });

  it.each([
    ["no.example.com", "no-name"],
    ["_domainkey.example.com", "no-data"],
    ["example.com", "no-data"],
    ["example.net", "refused"],
  ])("%s: %s", async (name, status) => {
    expect((await resolver.lookupTxt(name)).status).toBe(status);
  });

  it("has SOA and NS", async () => {
    expect(await resolver.lookup("example.com", "SOA")).toMatchObject({ status: "found", records: [{ serial: 1 }] });
    expect(await resolver.lookup("example.com", "NS")).toMatchObject({ status: "found" });
  });

  it("serves what was published last", async () => {
    server.publish("two.example.com", []);
    expect((await resolver.lookupTxt("two.example.com")).status).toBe("no-name");
  });
});
