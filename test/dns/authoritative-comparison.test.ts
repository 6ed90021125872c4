import { describe, expect, it } from "vitest";
import { type ServerSurvey, zoneCandidates } from "../../src/dns/authoritative.ts";
import { compareServers, compareWithResolver } from "../../src/dns/authoritative-comparison.ts";
import type { TxtRecord } from "../../src/dns/dns-message.ts";
import type { LookupOutcome, LookupTrace, TxtLookup } from "../../src/dns/resolver.ts";

const NAME = "s1._domainkey.example.com";
const SERVER = { address: "192.0.2.1#53", transport: "udp" } as const;

function lookup(outcome: LookupOutcome<TxtRecord>, trace: Partial<LookupTrace> = {}): TxtLookup {
  const attempts = [{ server: SERVER, outcome: outcome.status, timeoutMs: 1000 }];
  const rest = { name: NAME, server: SERVER, ttlSeconds: 60, cnames: [], extendedErrors: [], attempts };
  return { ...rest, authoritative: true, dnssec: "untrusted", ...trace, ...outcome };
}
const found = (...texts: string[]) =>
  lookup({
    status: "found",
    records: texts.map((text) => ({ type: "TXT", name: NAME, ttlSeconds: 60, strings: [text] })),
  });

let count = 0;
function server(udp: TxtLookup, tcp = udp, serial: number | undefined = 1): ServerSurvey {
  return { nameServer: "ns.example.com", address: `192.0.2.${++count}`, udp, tcp, serial };
}
const compare = (...servers: ServerSurvey[]) => compareServers({ name: NAME, zone: "example.com", servers });

describe("compareServers", () => {
  it("takes no offence at the order of records", () => {
    expect(compare(server(found("a", "b")), server(found("b", "a"))).agree).toBe(true);
  });

  it("puts what most servers have first", () => {
    const { agree, versions, rows } = compare(server(found("old")), server(found("new")), server(found("new")));
    expect(agree).toBe(false);
    expect(versions.map(({ served, servers }) => [served, servers.length])).toEqual([
      [{ kind: "records", records: ["new"] }, 2],
      [{ kind: "records", records: ["old"] }, 1],
    ]);
    expect(rows.map(({ version }) => version)).toEqual([1, 0, 0]);
  });

  it.each<[string, TxtLookup, TxtLookup, string, RegExp | undefined]>([
    ["the same twice", found("a"), found("a"), "serves", undefined],
    [
      "no answer at all",
      lookup({ status: "timeout" }),
      lookup({ status: "timeout" }),
      "no-answer",
      /^no answer from 192/,
    ],
    ["no TCP", found("a"), lookup({ status: "timeout" }), "serves", /^over TCP: no answer/],
    ["no UDP", lookup({ status: "timeout" }), found("a"), "serves", /^over UDP: no answer/],
    ["one thing over UDP and another over TCP", found("a"), found("b"), "contradicts", /one thing over UDP/],
    [
      "an answer that is not authoritative",
      { ...found("a"), authoritative: false },
      { ...found("a"), authoritative: false },
      "lame",
      /not authoritative/,
    ],
    ["REFUSED", lookup({ status: "refused" }), lookup({ status: "refused" }), "lame", /^REFUSED/],
    ["NXDOMAIN beside NODATA", lookup({ status: "no-name" }), lookup({ status: "no-data" }), "serves", undefined],
  ])("%s", (_, udp, tcp, state, problem) => {
    const { rows, agree } = compare(server(udp, tcp));
    expect(rows[0]?.state).toBe(state);
    if (problem === undefined) expect(rows[0]?.problem).toBeUndefined();
    else expect(rows[0]?.problem).toMatch(problem);
    expect(agree).toBe(problem === undefined);
  });

  it("does not let a server speak for a zone that is not this one", () => {
    const cnames = [{ from: NAME, to: "s1.provider.test", ttlSeconds: 60 }];
    const along = server({ ...found("a"), cnames });
    const only = server(lookup({ status: "cname-elsewhere", target: "S1.provider.test" }, { cnames }));
    expect(compare(along, only)).toMatchObject({
      agree: true,
      versions: [{ served: { kind: "cname", target: "s1.provider.test" } }],
    });
  });

  it("agrees on nothing without servers", () => {
    expect(compare().agree).toBe(false);
    expect(compare({ nameServer: "ns.test", address: undefined, reason: "it has no address" })).toMatchObject({
      agree: false,
      versions: [],
      rows: [{ state: "no-address", problem: "it has no address" }],
    });
  });

  it("tells that serials differ", () => {
    expect(compare(server(found("a"), found("a"), 1), server(found("a"), found("a"), 2))).toMatchObject({
      agree: true,
      serialsDiffer: true,
    });
  });
});

describe("compareWithResolver", () => {
  const key = { kind: "records", records: ["new"] } as const;
  it.each<[TxtLookup, object]>([
    [found("new"), { state: "same" }],
    [lookup({ status: "no-name" }), { state: "not-yet", secondsLeft: 60 }],
    [found("old"), { state: "not-yet", secondsLeft: 60 }],
    [lookup({ status: "servfail" }), { state: "no-answer", reason: "SERVFAIL from 192.0.2.1" }],
  ])("%#", (seen, expected) => {
    expect(compareWithResolver(key, seen)).toEqual(expected);
  });
});

describe("zoneCandidates", () => {
  it.each([
    ["s1._domainkey.a.example.com", ["a.example.com", "example.com", "com"]],
    ["s1.provider.net", ["provider.net", "net"]],
    ["com", ["com"]],
  ])("%s", (name, expected) => {
    expect(zoneCandidates(name)).toEqual(expected);
  });
});
