import { describe, expect, test } from "vitest";
import { PROVIDER_NAMES, providerFaults } from "../../src/checks/provider-limits.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { ed25519Key, rsaKeyOfBits } from "../helpers/printed-records.ts";

const rsa = (bits: number, note?: string) =>
  formatKeyRecord(keyRecordFor(rsaKeyOfBits(bits), note === undefined ? {} : { note }));
const ED25519 = formatKeyRecord(keyRecordFor(ed25519Key));
const octets = (length: number) => "x".repeat(length);

describe("the length of a record", () => {
  test.each([
    ["unifi", 255],
    ["loopia", 450],
    ["sakura", 500],
    ["alibaba", 512],
    ["dnsimple", 1000],
    ["transip", 1024],
  ] as const)("%s holds %i octets and no more", (provider, most) => {
    expect(providerFaults(provider, octets(most))).toEqual([]);
    expect(providerFaults(provider, octets(most + 1)).map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(`^the record has ${most + 1} octets, and \\S.* holds ${most} at most$`)),
    ]);
  });

  // "…" "…": two strings cost five octets more than their text.
  test.each([
    ["digitalocean", 509 - 5],
    ["namedotcom", 512 - 5],
  ] as const)("%s counts quotes and spaces too", (provider, most) => {
    expect(providerFaults(provider, octets(most))).toEqual([]);
    expect(providerFaults(provider, octets(most + 1))[0]?.message).toContain(`holds ${most} at most`);
  });

  test("nothing is known against Cloudflare", () => expect(providerFaults("cloudflare", octets(3000))).toEqual([]));
});

describe("what to do about a record that is too long", () => {
  test.each([
    ["loopia", rsa(4096), /^an RSA key of 2048 bits fits; or let a CNAME/],
    ["dnsimple", rsa(8192), /^an RSA key of 4096 bits fits/],
    ["alibaba", rsa(3072), /^an RSA key of 2048 bits fits/],
    // With this note not even 2048 bits are left.
    ["loopia", rsa(4096, octets(60)), /^let a CNAME .* Ed25519 fits/],
    ["unifi", rsa(2048), /^let a CNAME .*; of the strong keys only Ed25519 fits/],
  ] as const)("%s", (provider, text, hint) => {
    expect(providerFaults(provider, text)[0]?.hint).toMatch(hint);
  });

  test.each([
    ["loopia", 2048],
    ["dnsimple", 4096],
    ["alibaba", 2048],
    ["sakura", 2048],
  ] as const)("%s does hold the key of %s bits that is advised", (provider, bits) => {
    expect(providerFaults(provider, rsa(bits))).toEqual([]);
  });

  test("Ed25519 fits everywhere", () => {
    expect(PROVIDER_NAMES.filter((provider) => providerFaults(provider, ED25519).length > 0)).toEqual([]);
  });
});

describe("characters that a provider spoils", () => {
  test.each([
    ["sakura", `a"b\\`, `" and \\`],
    ["transip", "a`b", "`"],
    ["cloudns", `"`, `"`],
  ] as const)("%s: %j", (provider, text, found) => {
    expect(providerFaults(provider, text).map(({ message }) => message)).toEqual([
      expect.stringContaining(`the record holds ${found}, which `),
    ]);
  });
});
