import { describe, expect, test } from "vitest";
import { describeMailPolicy, isDmarcRecord } from "../../src/checks/mail-policy.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";

const domain = parseDomainName("mail.example.com");
const at = (place: string, ...texts: string[]) => texts.map((text) => ({ domain: place, text }));

describe("which TXT record is a DMARC record (RFC 7489 §6.3)", () => {
  test.each([
    ["v=DMARC1; p=none", true],
    ["v = DMARC1 ;p=none", true],
    ["v=DMARC1", true],
    ["v=DMARC12; p=none", false],
    ["v=dmarc1; p=none", false],
    ["p=none; v=DMARC1", false],
    ["v=spf1 -all", false],
  ])("%j: %s", (text, expected) => {
    expect(isDmarcRecord(text)).toBe(expected);
  });
});

describe("what it means for a signature", () => {
  test.each<[string, ReturnType<typeof at>, RegExp]>([
    ["none", [], /^info: no DMARC record holds for mail\.example\.com/],
    [
      "relaxed by default",
      at("mail.example.com", "v=DMARC1; p=reject"),
      /_dmarc\.mail\.example\.com asks for "reject"; .* \(adkim=r\)$/,
    ],
    ["strict", at("mail.example.com", "v=DMARC1; p=none; adkim=s"), /exactly mail\.example\.com \(adkim=s\)$/],
    [
      "of the domain above: sp=",
      at("example.com", "v=DMARC1; p=reject; sp=quarantine"),
      /_dmarc\.example\.com asks for "quarantine"/,
    ],
    ["of the domain above, without sp=", at("example.com", "v=DMARC1; p=reject"), /asks for "reject"/],
    ["sp= is not for the domain itself", at("mail.example.com", "v=DMARC1; p=none; sp=reject"), /asks for "none"/],
    [
      "two records",
      at("example.com", "v=DMARC1; p=none", "v=DMARC1; p=reject"),
      /has 2 DMARC records: receivers ignore them all$/,
    ],
    ["an escape sequence", at("example.com", "v=DMARC1; p=\u001b[2J"), /asks for "\\027\[2J"/],
  ])("%s", (_, policies, expected) => {
    const notes = describeMailPolicy(domain, policies, false);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(expected);
  });

  test("ADSP is told of where it is still published (RFC 5617)", () => {
    expect(describeMailPolicy(domain, [], true)[1]).toMatch(
      /^info: ADSP is published at _adsp\._domainkey\.mail\.example\.com/,
    );
  });
});
