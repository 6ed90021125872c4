import { describe, expect, test } from "vitest";
import { type KeygenRequest, planKeys } from "../../src/commands/keygen-plan.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { keyRecordName } from "../../src/keys/key-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { DEFAULT_SELECTOR_TEMPLATE, parseSelectorTemplate } from "../../src/keys/selector-template.ts";

function plan(
  domains: string[],
  request: Partial<Omit<KeygenRequest, "domains">> & { taken?: string[] } = {},
): string[] {
  const { taken = [], ...rest } = request;
  const jobs = planKeys({
    domains: domains.map(parseDomainName),
    algorithms: ["rsa"],
    selector: undefined,
    template: DEFAULT_SELECTOR_TEMPLATE,
    share: false,
    now: new Date("2026-11-21T00:00:00Z"),
    random: () => "0badcafe",
    isTaken: (name) => taken.includes(keyRecordName(name)),
    ...rest,
  });
  return jobs.map(({ algorithm, names }) => `${algorithm} ${names.map(keyRecordName).join(" ")}`);
}

describe("which keys keygen makes", () => {
  test("one for each domain, in their order", () => {
    expect(plan(["b.example", "a.example"])).toEqual([
      "rsa rsa-20261121._domainkey.b.example",
      "rsa rsa-20261121._domainkey.a.example",
    ]);
  });

  test("one for each algorithm", () => {
    expect(plan(["a.example"], { algorithms: ["rsa", "ed25519"] })).toEqual([
      "rsa rsa-20261121._domainkey.a.example",
      "ed25519 ed25519-20261121._domainkey.a.example",
    ]);
  });

  test("under -2, -3 when the selector is taken, for that domain alone", () => {
    const taken = ["rsa-20261121._domainkey.a.example", "rsa-20261121-2._domainkey.a.example"];
    expect(plan(["a.example", "b.example"], { taken })).toEqual([
      "rsa rsa-20261121-3._domainkey.a.example",
      "rsa rsa-20261121._domainkey.b.example",
    ]);
  });

  test("never two of one name in a run", () => {
    const template = parseSelectorTemplate("k{yyyy}");
    expect(plan(["a.example"], { algorithms: ["rsa", "ed25519"], template })).toEqual([
      "rsa k2026._domainkey.a.example",
      "ed25519 k2026-2._domainkey.a.example",
    ]);
  });

  test("with -s as given, and with the algorithm behind it when there are two", () => {
    const selector = parseSelector("mail");
    expect(plan(["a.example"], { selector, taken: ["mail._domainkey.a.example"] })).toEqual([
      "rsa mail._domainkey.a.example",
    ]);
    expect(plan(["a.example"], { selector, algorithms: ["rsa", "ed25519"] })).toEqual([
      "rsa mail-rsa._domainkey.a.example",
      "ed25519 mail-ed25519._domainkey.a.example",
    ]);
  });

  test("with --share one for all, under a selector that is free everywhere", () => {
    expect(plan(["a.example", "b.example"], { share: true, taken: ["rsa-20261121._domainkey.b.example"] })).toEqual([
      "rsa rsa-20261121-2._domainkey.a.example rsa-20261121-2._domainkey.b.example",
    ]);
  });
});
