import { describe, expect, it } from "vitest";
import { formatServerAddress } from "../../src/dns/server-address.ts";
import { parseResolvConf } from "../../src/dns/system-resolver.ts";

const servers = (text: string) => parseResolvConf(text).servers.map(formatServerAddress);

describe("parseResolvConf", () => {
  it.each([
    ["nameserver 192.0.2.1\nnameserver 192.0.2.2\n", ["192.0.2.1", "192.0.2.2"]],
    ["# nameserver 192.0.2.1\n ;x\nnameserver\t::1 trailing\r\n", ["::1"]],
    ["nameserver fe80::1%eth0", ["fe80::1%eth0"]],
    ["nameserver [::1]:54\nnameserver tcp:192.0.2.1\nnameserver 192.0.2.1#54\nnameserver dns.example", ["127.0.0.1"]],
    ["", ["127.0.0.1"]],
    ["search example.com\n", ["127.0.0.1"]],
    ["nameserver 192.0.2.1\noptions use-vc", ["tcp:192.0.2.1"]],
  ])("%j", (text, expected) => {
    expect(servers(text)).toEqual(expected);
  });

  it("has the C library's defaults", () => {
    expect(parseResolvConf("")).toMatchObject({ timeoutMs: 5000, retries: 1, rotate: false, trustAd: false });
  });

  it.each([
    [
      "options timeout:1 attempts:3 rotate trust-ad edns0",
      { timeoutMs: 1000, retries: 2, rotate: true, trustAd: true },
    ],
    ["options timeout:1\noptions timeout:2", { timeoutMs: 2000 }],
    ["options timeout:99 attempts:99", { timeoutMs: 30_000, retries: 4 }],
    ["options timeout:0 attempts:x", { timeoutMs: 1000, retries: 1 }],
  ])("%j", (text, expected) => {
    expect(parseResolvConf(text)).toMatchObject(expected);
  });
});
