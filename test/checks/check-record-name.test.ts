import { describe, expect, test } from "vitest";
import { checkRecordName } from "../../src/checks/check-record-name.ts";

describe("where a key record stands (RFC 6376 §3.6.2.1)", () => {
  test.each<[string, string[]]>([
    ["s1._domainkey.example.com", []],
    ["s1.mail._DomainKey.Example.com.", []],
    ["s1._domainkey.bücher.example", []],
    ["s_1._domainkey.example.com", ["NAME-UNDERSCORE"]],
    ["_adsp._domainkey.example.com", ["NAME-RESERVED"]],
    ["s1._domainkey.example.com.example.com", ["NAME-DOUBLED"]],
    ["s1.example.com", ["NAME-SYNTAX"]],
    ["_domainkey.example.com", ["NAME-SYNTAX"]],
    ["s1._domainkey._domainkey.example.com", ["NAME-SYNTAX"]],
    ["-s._domainkey.example.com", ["NAME-SYNTAX"]],
    [`${"a".repeat(64)}._domainkey.example.com`, ["NAME-SYNTAX"]],
    ["s1._domainkey.", ["NAME-SYNTAX"]],
    ["", ["NAME-SYNTAX"]],
  ])("%s", (name, codes) => {
    expect(checkRecordName(name).map(({ code }) => code)).toEqual(codes);
  });
});
