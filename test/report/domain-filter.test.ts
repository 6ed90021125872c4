import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseDomainFilter } from "../../src/report/domain-filter.ts";

const STORE = [
  "example.com",
  "mail.example.com",
  "a.mail.example.com",
  "badexample.com",
  "xn--bcher-kva.example",
  "com.net",
].map(parseDomainName);

describe("parseDomainFilter", () => {
  test.each<[filters: string[], chosen: string[]]>([
    [[], STORE],
    [["."], STORE],
    [[".", "nosuch.example"], STORE],
    [["example.com"], ["example.com"]],
    [["EXAMPLE.com."], ["example.com"]],
    [[".example.com"], ["example.com", "mail.example.com", "a.mail.example.com"]],
    [[".Mail.Example.Com."], ["mail.example.com", "a.mail.example.com"]],
    [[".com"], ["example.com", "mail.example.com", "a.mail.example.com", "badexample.com"]],
    [["bücher.example"], ["xn--bcher-kva.example"]],
    [[".BÜCHER.example"], ["xn--bcher-kva.example"]],
    [
      ["com.net", ".mail.example.com"],
      ["mail.example.com", "a.mail.example.com", "com.net"],
    ],
    [["nosuch.example"], []],
    [["com"], []],
  ])("%j chooses %j", (filters, chosen) => {
    expect(STORE.filter(parseDomainFilter(filters))).toEqual(chosen);
  });

  test.each<[filter: string, hint: string | undefined]>([
    ["", `use "." for all domains`],
    ["*", `use "." for all domains`],
    ["*.example.com", `use ".example.com" for a domain and all below it`],
    [".*.example.com", `use ".example.com" for a domain and all below it`],
    ["a.*.com", `use "." for all domains`],
    ["..", undefined],
    ["..example.com", undefined],
    ["mail@example.com", 'give the part after the "@"'],
  ])("%j is refused", (filter, hint) => {
    try {
      parseDomainFilter(["example.com", filter]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      if (error instanceof UsageError) expect(error.hint).toBe(hint);
    }
  });
});
