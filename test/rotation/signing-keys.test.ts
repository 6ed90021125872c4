import { describe, expect, test } from "vitest";
import { type DomainName, parseDomainName } from "../../src/keys/domain-name.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import type { Journal, KeyState } from "../../src/rotation/rotation-key.ts";
import { SigningKeys } from "../../src/rotation/signing-keys.ts";

const key = (selector: string, state: KeyState): Journal["keys"][number] => ({
  selector: parseSelector(selector),
  algorithm: "rsa",
  state,
  entered: {},
  staleSeconds: 0,
  ttlSeconds: 60,
});

const journals: Record<string, Journal> = {
  "a.example": { domain: "a.example", keys: [key("old", "draining"), key("now", "active"), key("next", "ready")] },
  "b.example": { domain: "b.example", keys: [key("first", "new")] },
};

describe("the keys that shall sign now", () => {
  const read: string[] = [];
  const store = {
    domains: async () => Object.keys(journals).map(parseDomainName),
    read: async (domain: DomainName) => {
      read.push(domain);
      return journals[domain];
    },
  };

  test.each([
    ["a.example", "old", false],
    ["a.example", "now", true],
    ["a.example", "next", false],
    ["a.example", "unknown", false],
    ["b.example", "first", false],
    ["c.example", "any", true],
  ])("of %s: %s %s", async (domain, selector, signs) => {
    const signing = await SigningKeys.read(store);
    expect(signing.includes(parseKeyName(domain, selector))).toBe(signs);
  });

  test("of a domain whose journal has gone since: as of one that rotation does not manage", async () => {
    const signing = await SigningKeys.read({ ...store, domains: async () => [parseDomainName("z.example")] });
    expect(signing.includes(parseKeyName("z.example", "any"))).toBe(true);
  });

  test("the journals of other domains are not read", async () => {
    read.length = 0;
    await SigningKeys.read(store, (domain) => domain === "b.example");
    expect(read).toEqual(["b.example"]);
  });
});
