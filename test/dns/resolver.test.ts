import { describe, expect, it } from "vitest";
import type { TxtRecord } from "../../src/dns/dns-message.ts";
import {
  failureReason,
  isTemporary,
  type LookupOutcome,
  type LookupTrace,
  type TxtAnswer,
  toTxtAnswer,
} from "../../src/dns/resolver.ts";

const server = { address: "192.0.2.1#53", transport: "udp" } as const;
const trace: LookupTrace = {
  name: "s1._domainkey.example.com",
  server,
  authoritative: false,
  ttlSeconds: 60,
  dnssec: "untrusted",
  cnames: [],
  extendedErrors: [],
  attempts: [],
};
const record = (...strings: string[]): TxtRecord => ({ type: "TXT", name: "x", ttlSeconds: 60, strings });
const later = (reason: string): TxtAnswer => ({ status: "temporary-failure", reason });

describe('toTxtAnswer (RFC 6376 §6.1.2: an aborted lookup is never "no key")', () => {
  it.each<[LookupOutcome<TxtRecord>, TxtAnswer]>([
    [
      { status: "found", records: [record("a", "", "b"), record("c")] },
      { status: "found", records: ["ab", "c"] },
    ],
    [{ status: "no-name" }, { status: "no-name" }],
    [{ status: "no-data" }, { status: "no-data" }],
    [{ status: "cname-to-nothing", target: "x", missing: "name" }, { status: "no-name" }],
    [{ status: "cname-to-nothing", target: "x", missing: "data" }, { status: "no-data" }],
    [{ status: "servfail" }, later("SERVFAIL from 192.0.2.1")],
    [{ status: "refused" }, later("REFUSED from 192.0.2.1")],
    [{ status: "error-code", responseCode: "NOTIMP" }, later("NOTIMP from 192.0.2.1")],
    [{ status: "truncated" }, later("the TCP answer from 192.0.2.1 was cut short")],
    [
      { status: "malformed", reason: "it repeats no question" },
      later("malformed answer from 192.0.2.1: it repeats no question"),
    ],
    [{ status: "cname-loop" }, later("the CNAMEs at s1._domainkey.example.com lead in a circle, or on for too long")],
    [{ status: "aborted" }, later("the lookup of s1._domainkey.example.com was not finished")],
    [
      { status: "lame", referral: undefined },
      later("192.0.2.1 neither resolves names nor serves the zone of s1._domainkey.example.com"),
    ],
    [
      { status: "unreachable", cause: "network", reason: "no route to that network" },
      later("cannot reach 192.0.2.1: no route to that network"),
    ],
    [{ status: "cname-elsewhere", target: "x\x1b.test" }, later("192.0.2.1 knows a CNAME to x\\027.test and no more")],
  ])("%o", (outcome, answer) => {
    expect(toTxtAnswer({ ...trace, ...outcome })).toEqual(answer);
    if (outcome.status !== "cname-elsewhere") expect(isTemporary(outcome)).toBe(answer.status === "temporary-failure");
  });

  it("names every silent server", () => {
    const other = { ...server, address: "[2001:db8::1]#53" };
    const attempts = [server, other, server, other].map((to) => ({
      server: to,
      outcome: "timeout" as const,
      timeoutMs: 3000,
    }));
    const reason = failureReason({ ...trace, attempts, status: "timeout" });
    expect(reason).toBe("no answer from 192.0.2.1#53, [2001:db8::1]#53 after 2 tries of 3 s");
  });
});
