import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createResolver, type ResolverOptions } from "../../src/dns/dns2-resolver.ts";
import { failureReason, type Resolver, toTxtAnswer } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import {
  extendedError,
  type FaultScript,
  type FaultServer,
  flag,
  framed,
  nameOctets,
  questionOf,
  record,
  reply,
  startFaultServer,
  txt,
  typeCode,
} from "../helpers/fault-server.ts";

const NAME = "s1._domainkey.example.com";
const KEY = "v=DKIM1; p=";

describe("a server that misbehaves", () => {
  const open: (Resolver | FaultServer)[] = [];
  afterEach(async () => {
    vi.useRealTimers();
    for (const one of open.splice(0)) await one.close();
  });

  /** Asks a server that follows `script`, once and for 150 ms unless told otherwise. */
  async function ask(script: FaultScript, options: Partial<ResolverOptions> = {}, scheme = "") {
    const server = await startFaultServer(script);
    const servers = [parseServerAddress(`${scheme}${server.server}`)];
    const resolver = createResolver({ servers, timeoutMs: 150, retries: 0, ...options });
    open.push(resolver, server);
    const lookup = await resolver.lookupTxt(NAME);
    return { lookup, server, resolver, answer: toTxtAnswer(lookup) };
  }
  const truncatedUdp: FaultScript["udp"] = (query, send) => send(reply(query, { flags: 0x8180 | flag.truncated }));

  it("keeps octets: NUL, ESC, 8-bit, empty strings, 255 strings (RFC 1035 §3.3.14)", async () => {
    const strings = ["a\0b\x1b[31mc\xff", "", ...Array(253).fill("x")];
    const { lookup } = await ask({ udp: (query, send) => send(reply(query, { answers: [txt(...strings)] })) });
    expect(lookup.status === "found" && lookup.records[0]?.strings).toEqual(strings);
  });

  it("reads an answer of 64 KiB over TCP", async () => {
    const answers = Array.from({ length: 240 }, () => txt("x".repeat(255)));
    const { lookup } = await ask({
      udp: truncatedUdp,
      tcp: (query, socket) => socket.write(framed(reply(query, { answers }))),
    });
    expect(lookup).toMatchObject({ status: "found", server: { transport: "tcp" } });
    expect(lookup.status === "found" && lookup.records.length).toBe(240);
  });

  it("tells SERVFAIL with its extended error (RFC 8914)", async () => {
    const { lookup, answer, server } = await ask(
      {
        udp: (query, send) => send(reply(query, { responseCode: 2, additionals: [extendedError(6, "bad\x1b[31m")] })),
      },
      { retries: 2 },
    );
    expect(server.queries.udp).toBe(1);
    expect(lookup).toMatchObject({ status: "servfail", extendedErrors: [{ code: 6, purpose: "dnssec bogus" }] });
    const reason = `SERVFAIL from ${server.server} (dnssec bogus: bad\\027[31m)`;
    expect(answer).toEqual({ status: "temporary-failure", reason });
  });

  it.each([
    [5, "refused", /^REFUSED from /],
    [9, "error-code", /^NOTAUTH from /],
  ])("tells response code %i", async (responseCode, status, reason) => {
    const { lookup } = await ask({ udp: (query, send) => send(reply(query, { responseCode })) });
    expect(lookup.status).toBe(status);
    expect(failureReason(lookup)).toMatch(reason);
  });

  it("tells silence, and asks again", async () => {
    const { lookup, server, answer } = await ask({}, { retries: 1, timeoutMs: 100 });
    expect(lookup.status).toBe("timeout");
    expect(server.queries.udp).toBe(2);
    expect(answer).toEqual({
      status: "temporary-failure",
      reason: `no answer from ${server.server} after 2 tries of 0.1 s`,
    });
  });

  it("survives a lost packet", async () => {
    let count = 0;
    const { lookup } = await ask(
      { udp: (query, send) => (count++ === 0 ? undefined : send(reply(query, { answers: [txt(KEY)] }))) },
      { retries: 1 },
    );
    expect(lookup).toMatchObject({ status: "found", attempts: [{ outcome: "timeout" }, { outcome: "found" }] });
  });

  it("passes over an answer from another address, with another ID, or to another question", async () => {
    const forged = [txt("forged")];
    const { lookup } = await ask({
      udp: (query, send, elsewhere) => {
        elsewhere(reply(query, { answers: forged }));
        send(reply(query, { answers: forged, id: query.readUInt16BE(0) ^ 1 }));
        send(
          reply(query, {
            answers: forged,
            question: Buffer.concat([nameOctets("other.test"), Buffer.from([0, 16, 0, 1])]),
          }),
        );
        send(reply(query, { answers: forged, flags: 0x0100 }));
        send(Buffer.alloc(1));
        setTimeout(() => send(reply(query, { answers: [txt(KEY)] })), 20);
      },
    });
    expect(toTxtAnswer(lookup)).toEqual({ status: "found", records: [KEY] });
  });

  it.each<[string, (query: Buffer) => Uint8Array, string]>([
    ["another ID", (query) => reply(query, { id: query.readUInt16BE(0) ^ 1 }), "timeout"],
    [
      "another question",
      (query) => reply(query, { question: Buffer.concat([nameOctets("a.b"), Buffer.from([0, 16, 0, 1])]) }),
      "malformed",
    ],
    [
      "no question",
      (query) => Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0])]),
      "malformed",
    ],
    ["a query instead of an answer", (query) => Buffer.from(query), "malformed"],
    ["garbage after the ID", (query) => Buffer.concat([query.subarray(0, 2), Buffer.alloc(40, 0xff)]), "malformed"],
    ["two octets", (query) => query.subarray(0, 2), "malformed"],
    [
      "a TXT string past its record",
      (query) => reply(query, { answers: [record(typeCode.TXT, Buffer.from([9, 65]))] }),
      "malformed",
    ],
    [
      "a TXT without strings",
      (query) => reply(query, { answers: [record(typeCode.TXT, Buffer.alloc(0))] }),
      "malformed",
    ],
    [
      "a name that points to itself",
      (query) =>
        reply(query, {
          answers: [
            record(typeCode.TXT, Buffer.from([1, 65]), { owner: Buffer.from([0xc0, questionOf(query).length + 12]) }),
          ],
        }),
      "malformed",
    ],
    [
      "another owner",
      (query) =>
        reply(query, { answers: [record(typeCode.TXT, Buffer.from([1, 65]), { owner: nameOctets("other.test") })] }),
      "no-data",
    ],
    [
      "a record of another class",
      (query) => reply(query, { answers: [record(typeCode.TXT, Buffer.from([1, 65]), { classCode: 3 })] }),
      "no-data",
    ],
    [
      "a referral (lame)",
      (query) => reply(query, { flags: 0x8100, authorities: [record(typeCode.NS, nameOctets("ns.test"))] }),
      "lame",
    ],
    [
      "a CNAME to itself",
      (query) => reply(query, { answers: [record(typeCode.CNAME, Buffer.from([0xc0, 12]))] }),
      "cname-loop",
    ],
  ])("%s", async (_, answer, status) => {
    const { lookup } = await ask({ udp: (query, send) => send(Buffer.from(answer(query))) });
    expect(lookup.status).toBe(status);
  });

  it("bounds a CNAME chain that never ends", async () => {
    let count = 0;
    const { lookup, server } = await ask({
      udp: (query, send) => send(reply(query, { answers: [record(typeCode.CNAME, nameOctets(`n${count++}.test`))] })),
    });
    expect(lookup.status).toBe("cname-loop");
    expect(server.queries.udp).toBeLessThan(25);
  });

  it("asks a server without EDNS once more without it (RFC 6891 §7)", async () => {
    const { lookup } = await ask({
      udp: (query, send) =>
        send(reply(query, query.readUInt16BE(10) > 0 ? { responseCode: 1 } : { answers: [txt(KEY)] })),
    });
    expect(lookup.status).toBe("found");
  });

  it("sends EDNS with 1232 octets and AD (RFC 6840 §5.7)", async () => {
    const asked: Buffer[] = [];
    await ask({ udp: (octets) => asked.push(octets) });
    const query = asked[0] ?? Buffer.alloc(0);
    expect(query.subarray(-11).toString("hex")).toBe("00002904d0000000000000");
    expect(query.readUInt16BE(2)).toBe(0x0120);
  });

  it("draws IDs and ports anew", async () => {
    const ids = new Set<number>();
    const { resolver } = await ask({
      udp: (query, send) => {
        ids.add(query.readUInt16BE(0));
        send(reply(query, { answers: [txt(KEY)] }));
      },
    });
    for (let i = 0; i < 50; i++) await resolver.lookupTxt(NAME);
    expect(ids.size).toBeGreaterThan(45);
  });

  it("sees a closed port at once", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    socket.close();
    for (const scheme of ["", "tcp:"]) {
      const servers = [parseServerAddress(`${scheme}127.0.0.1#${port}`)];
      const resolver = createResolver({ servers, timeoutMs: 60_000, retries: 0 });
      open.push(resolver);
      const lookup = await resolver.lookupTxt(NAME);
      expect(lookup).toMatchObject({ status: "unreachable", cause: "port-closed" });
      expect(failureReason(lookup)).toBe(`cannot reach 127.0.0.1#${port}: the port is closed`);
    }
  });

  it("tells a network that cannot be reached from silence", async () => {
    // Linux answers EACCES to whoever sends to everybody; other systems have their own words for it.
    const servers = [parseServerAddress("255.255.255.255")];
    const resolver = createResolver({ servers, timeoutMs: 60_000, retries: 0 });
    open.push(resolver);
    expect(await resolver.lookupTxt(NAME)).toMatchObject({ status: "unreachable", cause: "network" });
  });

  describe("over TCP", () => {
    it.each<[string, NonNullable<FaultScript["tcp"]>, string]>([
      ["silence", () => {}, "timeout"],
      ["half an answer, then silence", (query, socket) => socket.write(framed(reply(query)).subarray(0, 9)), "timeout"],
      ["half an answer, then the end", (query, socket) => socket.end(framed(reply(query)).subarray(0, 9)), "truncated"],
      ["the end", (_, socket) => socket.end(), "unreachable"],
      ["a reset", (_, socket) => socket.resetAndDestroy(), "unreachable"],
      [
        "garbage",
        (query, socket) => socket.write(framed(Buffer.concat([query.subarray(0, 2), Buffer.alloc(30, 0xc0)]))),
        "malformed",
      ],
      [
        "another ID",
        (query, socket) => socket.write(framed(reply(query, { id: query.readUInt16BE(0) ^ 1 }))),
        "timeout",
      ],
      ["TC again", (query, socket) => socket.write(framed(reply(query, { flags: 0x8380 }))), "truncated"],
      [
        "an answer octet by octet",
        (query, socket) => {
          const octets = framed(reply(query, { answers: [txt(KEY)] }));
          for (let i = 0; i < octets.length; i++) socket.write(octets.subarray(i, i + 1));
        },
        "found",
      ],
      [
        "an answer, then the end",
        (query, socket) => socket.end(framed(reply(query, { answers: [txt(KEY)] }))),
        "found",
      ],
    ])("%s", async (_, tcp, status) => {
      const { lookup } = await ask({ udp: truncatedUdp, tcp });
      expect(lookup).toMatchObject({ status, server: { transport: "tcp" } });
    });

    it("pipelines, and goes on after the server closes each connection", async () => {
      const { resolver, server } = await ask(
        { tcp: (query, socket) => socket.end(framed(reply(query, { answers: [txt(KEY)] }))) },
        { timeoutMs: 2000 },
        "tcp:",
      );
      const all = await Promise.all(Array.from({ length: 20 }, () => resolver.lookupTxt(NAME)));
      expect(all.map(({ status }) => status)).toEqual(Array(20).fill("found"));
      expect(server.queries.udp).toBe(0);
    });
  });

  it("asks the next server when one gives no usable answer, and the dead one last from then on", async () => {
    const dead = await startFaultServer({});
    const broken = await startFaultServer({ udp: (query, send) => send(reply(query, { responseCode: 2 })) });
    const good = await startFaultServer({ udp: (query, send) => send(reply(query, { answers: [txt(KEY)] })) });
    open.push(dead, broken, good);
    const servers = [dead, broken, good].map(({ server }) => parseServerAddress(server));
    const resolver = createResolver({ servers, timeoutMs: 150 });
    open.unshift(resolver);
    expect((await resolver.lookupTxt(NAME)).attempts.map(({ outcome }) => outcome)).toEqual([
      "timeout",
      "servfail",
      "found",
    ]);
    expect((await resolver.lookupTxt(NAME)).attempts.map(({ outcome }) => outcome)).toEqual(["servfail", "found"]);
    expect(dead.queries.udp).toBe(1);
  });

  it("ends what is under way when it is closed, or told to", async () => {
    const { resolver } = await silent();
    const told = new AbortController();
    const lookups = [resolver.lookupTxt(NAME), resolver.lookupTxt(NAME, { signal: told.signal })];
    told.abort();
    expect(await lookups[1]).toMatchObject({ status: "aborted" });
    await resolver.close();
    expect(await lookups[0]).toMatchObject({ status: "aborted" });
    expect(await resolver.lookupTxt(NAME)).toMatchObject({ status: "aborted" });
  });

  it("ends its pause before the next round when it is closed, or told to", async () => {
    // No pause ends by itself.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const servers = [parseServerAddress(`127.0.0.1#${socket.address().port}`)];
    socket.close();
    const resolver = createResolver({ servers, retries: 1 });
    const told = new AbortController();
    const lookups = [resolver.lookupTxt(NAME), resolver.lookupTxt(NAME, { signal: told.signal })];
    await sleep(100);
    told.abort();
    expect(await lookups[1]).toMatchObject({ status: "aborted", attempts: [{ outcome: "unreachable" }] });
    await resolver.close();
    expect(await lookups[0]).toMatchObject({ status: "aborted", attempts: [{ outcome: "unreachable" }] });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no timer behind, and closes its connections", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    let closed: Promise<unknown> | undefined;
    const { resolver } = await ask(
      {
        udp: truncatedUdp,
        tcp: (query, socket) => {
          closed = once(socket, "end");
          socket.write(framed(reply(query, { answers: [txt(KEY)] })));
        },
      },
      { timeoutMs: 60_000 },
    );
    expect(timers()).toBe(before);
    await resolver.close();
    await closed;
    expect(closed).toBeDefined();
  });

  it("sends nothing more once it is told to end", async () => {
    const { resolver, server } = await silent(100);
    const told = new AbortController();
    const lookups = Array.from({ length: 50 }, () => resolver.lookupTxt(NAME, { signal: told.signal }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    told.abort();
    expect(new Set((await Promise.all(lookups)).map(({ status }) => status))).toEqual(new Set(["aborted"]));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.queries.udp).toBeLessThanOrEqual(32);
  });

  it("is not troubled by many lookups on one signal", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const { signal } = new AbortController();
    const { resolver } = await ask({ udp: (query, send) => send(reply(query, { answers: [txt(KEY)] })) });
    const lookups = await Promise.all(Array.from({ length: 200 }, () => resolver.lookupTxt(NAME, { signal })));
    expect(new Set(lookups.map(({ status }) => status))).toEqual(new Set(["found"]));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  async function silent(timeoutMs = 60_000) {
    const server = await startFaultServer({});
    const resolver = createResolver({ servers: [parseServerAddress(server.server)], timeoutMs, retries: 0 });
    open.push(resolver, server);
    return { resolver, server };
  }
});
