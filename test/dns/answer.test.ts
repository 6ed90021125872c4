import { describe, expect, it } from "vitest";
import { readAnswer } from "../../src/dns/answer.ts";
import type { DnsMessage, DnsRecord } from "../../src/dns/dns-message.ts";

const NAME = "s1._domainkey.example.com";
const base: DnsMessage = {
  id: 0,
  isResponse: true,
  authoritative: false,
  truncated: false,
  recursionAvailable: true,
  authenticData: false,
  responseCode: 0,
  questions: [],
  answers: [],
  authorities: [],
  hasEdns: true,
  extendedErrors: [],
};
const soa: DnsRecord = {
  type: "SOA",
  name: "example.com",
  ttlSeconds: 60,
  primary: "ns",
  serial: 1,
  minimumTtlSeconds: 30,
};
const ns: DnsRecord = { type: "NS", name: "sub.example.com", ttlSeconds: 60, target: "ns.test" };
const txt = (name: string, text: string, ttlSeconds = 60): DnsRecord => ({
  type: "TXT",
  name,
  ttlSeconds,
  strings: [text],
});
const cname = (name: string, target: string, ttlSeconds = 60): DnsRecord => ({
  type: "CNAME",
  name,
  ttlSeconds,
  target,
});

const read = (message: Partial<DnsMessage>) => readAnswer({ ...base, ...message }, { name: NAME, type: "TXT" });

describe("readAnswer", () => {
  it.each<[string, Partial<DnsMessage>, object]>([
    [
      "RFC 2308 §5: the smaller of SOA TTL and minimum",
      { responseCode: 3, authorities: [soa] },
      { outcome: { status: "no-name" }, ttlSeconds: 30 },
    ],
    ["RFC 2308 §2.2: NODATA", { authorities: [soa] }, { outcome: { status: "no-data" }, ttlSeconds: 30 }],
    ["a resolver's NODATA without SOA", {}, { outcome: { status: "no-data" } }],
    [
      "RFC 2181 §5.2: the smallest TTL of records and links",
      { answers: [cname(NAME, "x.test", 20), txt("x.test", "a", 50)] },
      { outcome: { status: "found" }, ttlSeconds: 20 },
    ],
    [
      "names in any case (RFC 1035 §2.3.3)",
      { answers: [cname(NAME.toUpperCase(), "X.test"), txt("x.TEST", "a")] },
      { outcome: { status: "found" } },
    ],
    [
      "links in any order",
      { answers: [txt("y", "a"), cname("x", "y"), cname(NAME, "x")] },
      { outcome: { status: "found" }, cnames: [{ to: "x" }, { to: "y" }] },
    ],
    [
      "RFC 6604 §3: NXDOMAIN at the end of a chain",
      { responseCode: 3, answers: [cname(NAME, "x")] },
      { outcome: { status: "cname-to-nothing", target: "x", missing: "name" } },
    ],
    [
      "NODATA at the end of a chain",
      { answers: [cname(NAME, "x")], authorities: [soa] },
      { outcome: { status: "cname-to-nothing", target: "x", missing: "data" } },
    ],
    ["a chain that stops", { answers: [cname(NAME, "x")] }, { kind: "follow", target: "x" }],
    [
      "a circle, with SERVFAIL as named does",
      { responseCode: 2, answers: [cname(NAME, "x"), cname("x", NAME)] },
      { outcome: { status: "cname-loop" } },
    ],
    [
      "RFC 1034 §4.3.2: a referral",
      { recursionAvailable: false, authorities: [ns] },
      { outcome: { status: "lame", referral: { zone: "sub.example.com", nameServers: ["ns.test"] } } },
    ],
    [
      "neither answer nor recursion",
      { recursionAvailable: false },
      { outcome: { status: "lame", referral: undefined } },
    ],
    [
      "an authoritative NODATA without SOA",
      { recursionAvailable: false, authoritative: true },
      { outcome: { status: "no-data" } },
    ],
    [
      "a record of another name",
      { answers: [txt("other.test", "forged")], authorities: [soa] },
      { outcome: { status: "no-data" } },
    ],
    ["SERVFAIL", { responseCode: 2 }, { outcome: { status: "servfail" } }],
    ["REFUSED", { responseCode: 5 }, { outcome: { status: "refused" } }],
    [
      "an extended code (RFC 6891 §6.1.3)",
      { responseCode: 23 },
      { outcome: { status: "error-code", responseCode: "RCODE 23" } },
    ],
  ])("%s", (_, message, expected) => {
    expect(read(message)).toMatchObject(expected);
  });

  it("finds a CNAME when it is asked for", () => {
    const question = { name: NAME, type: "CNAME" } as const;
    const { outcome } = readAnswer({ ...base, answers: [cname(NAME, "x")] }, question) as { outcome: object };
    expect(outcome).toMatchObject({ status: "found", records: [{ target: "x" }] });
  });
});
