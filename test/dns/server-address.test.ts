import { describe, expect, it } from "vitest";
import {
  formatServerAddress,
  isTrustedChannel,
  parseServerAddress,
  type ServerAddress,
} from "../../src/dns/server-address.ts";
import { UsageError } from "../../src/errors.ts";

describe("parseServerAddress", () => {
  it.each<[string, ServerAddress]>([
    ["192.0.2.1", { transport: "udp", host: "192.0.2.1", port: 53 }],
    ["192.0.2.1#5353", { transport: "udp", host: "192.0.2.1", port: 5353 }],
    ["192.0.2.1:5353", { transport: "udp", host: "192.0.2.1", port: 5353 }],
    ["udp:192.0.2.1", { transport: "udp", host: "192.0.2.1", port: 53 }],
    ["TCP:192.0.2.1#54", { transport: "tcp", host: "192.0.2.1", port: 54 }],
    ["::1", { transport: "udp", host: "::1", port: 53 }],
    ["2001:db8::53#54", { transport: "udp", host: "2001:db8::53", port: 54 }],
    ["[2001:db8::53]:54", { transport: "udp", host: "2001:db8::53", port: 54 }],
    ["[2001:db8::53]#54", { transport: "udp", host: "2001:db8::53", port: 54 }],
    ["tcp:[::1]", { transport: "tcp", host: "::1", port: 53 }],
    ["fe80::1%eth0", { transport: "udp", host: "fe80::1%eth0", port: 53 }],
    ["tls:dns.example", { transport: "tls", host: "dns.example", port: 853, serverName: "dns.example" }],
    ["tls:dns.example#8853@192.0.2.1", { transport: "tls", host: "192.0.2.1", port: 8853, serverName: "dns.example" }],
    ["tls:DNS.Example:8853", { transport: "tls", host: "dns.example", port: 8853, serverName: "dns.example" }],
    ["tls:192.0.2.1", { transport: "tls", host: "192.0.2.1", port: 853, serverName: "192.0.2.1" }],
    ["tls:dns.example@2001:db8::53", { transport: "tls", host: "2001:db8::53", port: 853, serverName: "dns.example" }],
    [
      "https://dns.example/dns-query",
      { transport: "https", host: "dns.example", url: "https://dns.example/dns-query" },
    ],
    ["https://dns.example/q{?dns}", { transport: "https", host: "dns.example", url: "https://dns.example/q" }],
    ["HTTPS://[::1]:8443/", { transport: "https", host: "[::1]", url: "https://[::1]:8443/" }],
  ])("%s", (text, expected) => {
    const parsed = parseServerAddress(text);
    expect(parsed).toEqual(expected);
    expect(parseServerAddress(formatServerAddress(parsed))).toEqual(parsed);
  });

  it.each([
    ["", "holds no address"],
    ["dns.example", "not an IP address"],
    ["192.0.2.1#0", "not a port"],
    ["192.0.2.1#65536", "not a port"],
    ["192.0.2.1#", "not a port"],
    ["192.0.2.1#5 3", "not a port"],
    ["192.0.2", "not an IP address"],
    ["192.0.2.1 ", "not an IP address"],
    ["[::1", "not an IP address"],
    ["tls:", "neither"],
    ["tls:a@b@c", "more than one"],
    ["tls:dns.example@dns.example", "not an IP address"],
    ["http://dns.example/", "needs https"],
    ["https://", "not a URL"],
    ["https://user:secret@dns.example/", "user name"],
    ["::1%$(id)", "not an IP address"],
    ["\x1b[31m", '"\\u001b[31m"'],
  ])("refuses %j", (text, message) => {
    expect(() => parseServerAddress(text)).toThrow(UsageError);
    expect(() => parseServerAddress(text)).toThrow(message);
  });

  it.each([
    ["127.0.0.53", true],
    ["::1", true],
    ["192.0.2.1", false],
    ["tls:192.0.2.1", true],
    ["https://dns.example/", true],
  ])("RFC 6840 §5.8: the AD bit of %s is believed: %s", (text, trusted) => {
    expect(isTrustedChannel(parseServerAddress(text))).toBe(trusted);
  });
});
