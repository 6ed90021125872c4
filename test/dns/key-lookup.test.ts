import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../../src/dns/embedded-server.ts";
import {
  dnssecState,
  lookupSibling,
  pastedCnameTarget,
  probeWrongNames,
  readWildcard,
  wrongNames,
} from "../../src/dns/key-lookup.ts";
import type { Resolver, TxtLookup } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { reply, startFaultServer, txt } from "../helpers/fault-server.ts";

const key = parseKeyName("example.com", "s1");
const answerOf = async (resolver: Resolver, { domain }: typeof key, lookup: TxtLookup) =>
  readWildcard(lookup, await lookupSibling(resolver, domain));

describe("wrong names", () => {
  let server: EmbeddedServer;
  let resolver: Resolver;
  beforeAll(async () => {
    server = await startEmbeddedServer({ zones: ["example.com"] });
    resolver = createResolver({ servers: [parseServerAddress(server.address)], timeoutMs: 2000 });
  });
  afterAll(async () => {
    await resolver.close();
    await server.close();
  });

  it("are those at which records land", () => {
    expect(wrongNames(key, [parseSelector("s2"), key.selector]).map(({ name }) => name)).toEqual([
      "s1._domainkey.example.com.example.com",
      "s1.example.com",
      "_domainkey.s1.example.com",
      "_domainkey.example.com",
      "s1.domainkey.example.com",
      "s2._domainkey.example.com",
    ]);
  });

  it("are never longer than DNS allows", async () => {
    const long = parseKeyName(`${`${"a".repeat(60)}.`.repeat(3)}example`, "s1");
    for (const { name } of wrongNames(long)) expect(name.length).toBeLessThanOrEqual(253);
    const longest = parseKeyName(`${"a".repeat(60)}.`.repeat(3) + "b".repeat(50), "s1");
    expect(
      await answerOf(resolver, longest, {
        ...(await resolver.lookupTxt("example.com")),
        status: "found",
        records: [],
      }),
    ).toBe("unknown");
  });

  it("are probed, and only what is found is told", async () => {
    server.publish("s1._domainkey.example.com.example.com", [{ type: "TXT", strings: ["v=DKIM1; p="] }]);
    server.publish("s2._domainkey.example.com", [{ type: "TXT", strings: ["other"] }]);
    const found = await probeWrongNames(resolver, wrongNames(key, [parseSelector("s2")]));
    expect(found.map(({ name, mistake }) => [name, mistake])).toEqual([
      ["s1._domainkey.example.com.example.com", "the provider added the domain once more"],
      ["s2._domainkey.example.com", "it is at selector s2"],
    ]);
  });

  it("pastedCnameTarget sees a host name in TXT", async () => {
    for (const [text, expected] of [
      ["s1.domainkey.u1.wl.provider.net.", "s1.domainkey.u1.wl.provider.net."],
      [" s1._domainkey.provider.net ", "s1._domainkey.provider.net"],
      ["v=DKIM1; p=", undefined],
      ["example", undefined],
      ["192.0.2.1", undefined],
      ["a.b.example\x1b", undefined],
    ] as const) {
      server.publish("paste.example.com", [{ type: "TXT", strings: [text] }]);
      expect(pastedCnameTarget(await resolver.lookupTxt("paste.example.com"))).toBe(expected);
    }
  });

  it("no wildcard: a record of its own", async () => {
    server.publish("s1._domainkey.example.com", [{ type: "TXT", strings: ["mine"] }]);
    expect(await answerOf(resolver, key, await resolver.lookupTxt("s1._domainkey.example.com"))).toBe("own");
  });
});

/** Answers with `mine` at the key's name and with `others` at any other; CD=1 answers always. */
async function withServer(mine: string | number, others: string | number, run: (resolver: Resolver) => Promise<void>) {
  const server = await startFaultServer({
    udp: (query, send) => {
      const what = query.includes("\x02s1\x0a_domainkey") ? mine : others;
      const checkingDisabled = (query.readUInt16BE(2) & 0x10) !== 0;
      if (typeof what === "string") send(reply(query, { answers: [txt(what)] }));
      else if (checkingDisabled && what === 2) send(reply(query, { answers: [txt("bogus")] }));
      else send(reply(query, { responseCode: what }));
    },
  });
  const resolver = createResolver({ servers: [parseServerAddress(server.server)], timeoutMs: 500, retries: 0 });
  await run(resolver).finally(async () => {
    await resolver.close();
    await server.close();
  });
}

describe("a wildcard", () => {
  it.each([
    ["same", "same", "wildcard"],
    ["mine", "other", "own"],
    ["mine", 3, "own"],
    ["mine", 5, "unknown"],
    [3, "wild", "own"],
  ])("%s here, %s elsewhere: %s", async (mine, others, expected) => {
    await withServer(mine, others, async (resolver) => {
      const lookup = await resolver.lookupTxt("s1._domainkey.example.com");
      expect(await answerOf(resolver, key, lookup)).toBe(expected);
    });
  });
});

describe("dnssecState", () => {
  it("RFC 4035 §3.2.2: SERVFAIL that CD=1 turns into an answer is bogus", async () => {
    await withServer(2, 3, async (resolver) => {
      expect(await dnssecState(resolver, await resolver.lookupTxt("s1._domainkey.example.com"))).toBe("bogus");
    });
  });
});
