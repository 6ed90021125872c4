import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTtl, parseTxtData, parseZoneText, scanZoneText } from "../../src/dns/zone-text.ts";
import { scanLookupText } from "../../src/dns/zone-text-lookup.ts";
import { scanTinydnsData } from "../../src/dns/zone-text-tinydns.ts";
import { formatTxtRecord } from "../../src/dns/zone-text-write.ts";

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

describe("master files (RFC 1035 §5.1)", () => {
  test.each<[string, string, object]>([
    ["full owner, TTL, class", `a.b. 60 IN TXT "x"`, { name: "a.b", ttlSeconds: 60, strings: ["x"] }],
    ["class before TTL", `a.b. IN 1h TXT "x"`, { name: "a.b", ttlSeconds: 3600, strings: ["x"] }],
    ["neither", `a.b. TXT x`, { name: "a.b", ttlSeconds: undefined, strings: ["x"] }],
    ["relative owner", `s._domainkey TXT x`, { name: "s._domainkey.example.org", strings: ["x"] }],
    ["the origin itself", `@ TXT x`, { name: "example.org", strings: ["x"] }],
    ["$ORIGIN and $TTL", `$TTL 2h\n$ORIGIN sub\ns TXT x`, { name: "s.sub.example.org", ttlSeconds: 7200 }],
    [
      "parentheses and comments",
      `a ( TXT ; one\n "x;y" ; two\n ) ; three`,
      { name: "a.example.org", strings: ["x;y"] },
    ],
    ["several strings", `a TXT "x" y "z"`, { strings: ["x", "y", "z"] }],
    ["escapes, unquoted", `a TXT v\\;\\061\\"`, { strings: [`v;="`] }],
    ["an empty string", `a TXT ""`, { strings: [""] }],
    ["lower case", `a in txt x`, { type: "TXT", strings: ["x"] }],
    ["CNAME", `a CNAME b`, { type: "CNAME", target: "b.example.org" }],
    ["another type", `a MX 10 b.`, { type: "MX", name: "a.example.org" }],
    ["CRLF and CR line ends", `; c\r\na TXT x\r`, { strings: ["x"], line: 2 }],
  ])("%s", (_title, text, record) => {
    expect(parseZoneText(text, { origin: "example.org." })).toEqual([expect.objectContaining(record)]);
  });

  test("a record without a name has the name of the one before", () => {
    const names = parseZoneText(`a. TXT x\n TXT y\n\t60 IN TXT z`).map(({ name }) => name);
    expect(names).toEqual(["a", "a", "a"]);
  });

  test.each<[string, string, string]>([
    ["a string of more than 255 octets (§3.3)", `a. TXT "${"x".repeat(256)}"`, "256 octets"],
    ["a quote without its mate", `a. TXT "x`, "not closed"],
    ["( without )", `a. TXT ( x`, "not closed"],
    [") without (", `a. TXT x )`, `without "("`],
    ["TXT without strings", `a. TXT`, "at least one string"],
    ["no type", `a. "x"`, "no record type"],
    ["a bad escape", `a. TXT \\999`, "no escape"],
    ["nameless", ` TXT x`, "no name"],
    ["$INCLUDE", `$INCLUDE /etc/passwd`, "not followed"],
  ])("refuses %s, and goes on", (_title, text, message) => {
    expect(() => parseZoneText(text)).toThrow(message);
    const { records, faults } = scanZoneText(`${text.includes("(") ? "" : `${text}\n`}good. TXT y\n`);
    expect(records).toContainEqual(expect.objectContaining({ name: "good", strings: ["y"] }));
    if (!text.includes("(")) expect(faults).toMatchObject([{ code: "DKIM_ZONE_TEXT_SYNTAX", line: 1 }]);
  });

  test("what is written is read again", () => {
    fc.assert(
      fc.property(octets, fc.integer({ min: 1, max: 255 }), (text, stringOctets) => {
        const [record] = parseZoneText(formatTxtRecord({ name: "s.example", text, ttlSeconds: 60, stringOctets }));
        expect(record).toMatchObject({ name: "s.example", ttlSeconds: 60, type: "TXT" });
        expect(record?.strings?.join("")).toBe(text);
      }),
    );
  });

  test("any text is scanned without an exception", () => {
    const piece = fc.constantFrom(
      "a",
      " ",
      "\n",
      '"',
      "\\",
      "(",
      ")",
      ";",
      "TXT",
      "IN",
      "60",
      "$TTL",
      "\\1",
      "\xa0",
      "\0",
      "€",
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(piece), fc.array(fc.string({ unit: "binary" }))), (pieces) => {
        const text = pieces.join("");
        expect(
          scanZoneText(text).records.length + scanTinydnsData(text).length + scanLookupText(text).length,
        ).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("a megabyte of quotes, parentheses or escapes is read", () => {
    for (const unit of ['"', "(", "\\", '"a', "\\\n", '\\"', "x"]) {
      const { records, faults } = scanZoneText(`a TXT ${unit.repeat(1_000_000 / unit.length)}`);
      expect(records.length + faults.length).toBeGreaterThan(0);
    }
  });

  test.each([
    ["60", 60],
    ["1h30m", 5400],
    ["1W", 604_800],
    ["x", undefined],
    ["", undefined],
  ])("TTL %j is %j", (text, ttl) => {
    expect(parseTtl(text)).toBe(ttl);
  });

  test("TXT data alone", () => {
    expect(parseTxtData(`( "v=DK" "IM1; "\n\t"p=" ) ; key`)).toEqual(["v=DK", "IM1; ", "p="]);
    expect(() => parseTxtData(`"${"x".repeat(256)}"`)).toThrow("256 octets");
    expect(() => parseTxtData("")).toThrow("at least one string");
  });
});

describe("tinydns-data", () => {
  test.each<[string, string, object]>([
    [
      "TXT",
      `'s._domainkey.example.org:v=DKIM1\\073 p=a\\072b:3600::`,
      { type: "TXT", strings: ["v=DKIM1; p=a:b"], ttlSeconds: 3600 },
    ],
    ["generic 16", `:s.example.org:16:\\003a\\072b\\001c:60`, { type: "TXT", strings: ["a:b", "c"], ttlSeconds: 60 }],
    ["CNAME", `Cs.example.org:t.example.com.:60`, { type: "CNAME", target: "t.example.com" }],
  ])("%s", (_title, line, record) => {
    expect(scanTinydnsData(`# comment\n${line}\n+a:1.2.3.4\n`)).toEqual([expect.objectContaining(record)]);
  });
});

describe("host and nslookup", () => {
  test.each<[string, string, object[]]>([
    [
      "host",
      `Using domain server:\nName: 127.0.0.1\n\ns.example.org descriptive text "v=DK" "IM1"\n`,
      [{ type: "TXT", strings: ["v=DK", "IM1"] }],
    ],
    ["host, alias", `s.example.org is an alias for t.example.com.\n`, [{ type: "CNAME", target: "t.example.com" }]],
    [
      "nslookup",
      `Server:\t127.0.0.1\n\ns.example.org\ttext = "v=DK" "IM1"\n`,
      [{ name: "s.example.org", strings: ["v=DK", "IM1"] }],
    ],
    [
      "nslookup, Windows",
      `s.example.org\ttext =\n\n\t"v=DK"\n\t"IM1"\n`.replace("\n\n", "\n"),
      [{ strings: ["v=DK", "IM1"] }],
    ],
    [
      "nslookup, alias",
      `s.example.org\tcanonical name = t.example.com.\n`,
      [{ type: "CNAME", target: "t.example.com" }],
    ],
  ])("%s", (_title, text, records) => {
    expect(scanLookupText(text)).toEqual(records.map((record) => expect.objectContaining(record)));
  });
});
