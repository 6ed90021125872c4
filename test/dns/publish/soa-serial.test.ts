import { expect, test } from "vitest";
import { nextSerial, raiseSoaSerial, SoaSerialError } from "../../../src/dns/publish/soa-serial.ts";

const NOW = Date.parse("2026-11-21T23:59:00Z");

test.each<[string, number, number]>([
  ["counts on", 7, 8],
  ["a date that is past becomes today's", 2026112007, 2026112100],
  ["today's counts on", 2026112100, 2026112101],
  ["today's last goes on into tomorrow", 2026112199, 2026112200],
  ["a date to come counts on", 2027010100, 2027010101],
  ["no month, so no date: seconds since the epoch count on", 1763736000, 1763736001],
  ["no date: the 32nd", 2026113205, 2026113206],
  ["RFC 1982 §3.1: wraps around, and passes over 0", 4294967295, 1],
])("%s", (_, serial, next) => {
  expect(nextSerial(serial, NOW)).toBe(next);
});

test.each<[string, string, string]>([
  ["on one line", "@ IN SOA ns1 root 1 2 3 4 5\n", "@ IN SOA ns1 root 2 2 3 4 5\n"],
  ["without a class", "@ 1h SOA 1 1 1 2 3 4 5\n", "@ 1h SOA 1 1 2 2 3 4 5\n"],
  [
    "class before TTL",
    "example.test. IN 3600 soa ns1 root 9 2 3 4 5\n",
    "example.test. IN 3600 soa ns1 root 10 2 3 4 5\n",
  ],
  [
    "in parentheses, with comments, tabs and CRLF",
    '; SOA 5\r\n$TTL 1h\r\n@\tIN\tSOA\tns1\troot\\.me (\r\n\t; "1" SOA\r\n\t0007\t; serial 7\r\n\t1 1 1 1 )\r\n a 0007 \r\n',
    '; SOA 5\r\n$TTL 1h\r\n@\tIN\tSOA\tns1\troot\\.me (\r\n\t; "1" SOA\r\n\t8\t; serial 7\r\n\t1 1 1 1 )\r\n a 0007 \r\n',
  ],
  [
    "the text of others is not looked into",
    't TXT "SOA ns1 root 1 1 1 1 1" ; SOA\n  SOA ns1 root 5 1 1 1 1\n$INCLUDE soa\n',
    't TXT "SOA ns1 root 1 1 1 1 1" ; SOA\n  SOA ns1 root 6 1 1 1 1\n$INCLUDE soa\n',
  ],
  ["octets beyond ASCII stay", "; \xfc\xff\n@ SOA ns1 root 1 1 1 1 1", "; \xfc\xff\n@ SOA ns1 root 2 1 1 1 1"],
])("%s", (_, text, raised) => {
  expect(raiseSoaSerial(text, NOW)).toBe(raised);
});

test.each<[string, string, string]>([
  ["none", "$INCLUDE soa.inc\n@ NS ns1\n", "there is no SOA record in it"],
  ["two", "@ SOA ns1 root 1 1 1 1 1\n@ SOA ns1 root 1 1 1 1 1\n", "there are two SOA records in it, see line 2"],
  ["too few words", "\n@ SOA ns1 root 1 1 1 1\n", "line 2: its SOA record is not understood"],
  ["too many words", "@ SOA ns1 root 1 1 1 1 1 1\n", "line 1: its SOA record is not understood"],
  ["a serial of a template", "@ SOA ns1 root SERIAL 1 1 1 1\n", "line 1: its SOA record is not understood"],
  ["nothing after it", "@ SOA", "its SOA record is not understood"],
  ["a serial of 33 bits", "@ SOA ns1 root 4294967296 1 1 1 1\n", "line 1: 4294967296 is no serial: it has 32 bits"],
  ["a parenthesis that is not closed", "@ SOA ns1 root ( 1 1 1 1 1\n", 'line 1: "(" is not closed'],
  ["a quote that is not closed", '@ SOA ns1 root 1 1 1 1 1\na TXT "x\n', "line 2: a quote is not closed on its line"],
])("refused: %s", (_, text, message) => {
  expect(() => raiseSoaSerial(text, NOW)).toThrow(SoaSerialError);
  expect(() => raiseSoaSerial(text, NOW)).toThrow(message);
});
