import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recogniseRecordInput } from "../../src/dns/record-input.ts";

const KEY = "v=DKIM1; k=ed25519; p=pP+YUyRjAvKha4Oc49KAY703oLUS1NLMEuGD3IHMKww=";
const NAME = "s1._domainkey.example.org";
const [A, B] = [KEY.slice(0, 30), KEY.slice(30)];

describe("what people paste", () => {
  test.each<[string, string, object]>([
    ["the value", KEY, { form: "value", records: [KEY] }],
    ["the value and a line end", `${KEY}\r\n`, { form: "value", records: [KEY] }],
    ["nothing", "", { form: "value", records: [""] }],
    ["a value with a fault stays as it is", `\u00a0${KEY}`, { form: "value", records: [`\u00a0${KEY}`], notes: [] }],
    ["a quoted value", `"${KEY}"`, { form: "strings", records: [KEY] }],
    ["dig +short", `"${A}" "${B}"\n`, { form: "strings", records: [KEY] }],
    ["dig +short, two records", `"${KEY}"\n"v=spf1 -all"\n`, { form: "strings", records: [KEY, "v=spf1 -all"] }],
    [
      "dig +short, behind a CNAME",
      `s1.dkim.example.net.\n"${A}" "${B}"\n`,
      { target: "s1.dkim.example.net", records: [KEY] },
    ],
    ["dig +short, a CNAME to nothing", `s1.dkim.example.net.\n`, { target: "s1.dkim.example.net", records: [] }],
    ["strings on lines of their own", `"${A}"\n"${B}"\n`, { form: "strings", records: [KEY] }],
    ["strings in parentheses", `( "${A}"\n  "${B}" )`, { form: "strings", records: [KEY] }],
    [
      "curly quotes",
      `\u201c${KEY}\u201d`,
      { form: "strings", records: [KEY], notes: ["curly quotes became straight"] },
    ],
    ["backslashes within quotes", `"v=DKIM1\\; p="`, { form: "strings", records: ["v=DKIM1; p="] }],
    ["a zone line", `${NAME}. 3600 IN TXT "${A}" "${B}"`, { form: "zone", name: NAME, records: [KEY] }],
    [
      "relative to the origin",
      `s1._domainkey IN TXT ( "${A}"\n "${B}" ) ; comment`,
      { form: "zone", name: NAME, records: [KEY] },
    ],
    [
      "a zone file: keys only",
      `@ TXT "v=spf1 -all"\ns1._domainkey TXT "${KEY}"\n`,
      { name: NAME, records: [KEY], others: [] },
    ],
    [
      "a zone file with two keys",
      `s1._domainkey TXT "${KEY}"\ns2._domainkey CNAME s2.example.net.\n`,
      { name: NAME, others: [{ name: "s2._domainkey.example.org", target: "s2.example.net", records: [] }] },
    ],
    ["two records at one name", `${NAME}. TXT "a=1"\n${NAME}. TXT "b=2"\n`, { form: "zone", records: ["a=1", "b=2"] }],
    [
      "kdig, behind a CNAME",
      `;; ANSWER SECTION:\n${NAME}. 60 IN CNAME x.example.net.\nx.example.net. 60 IN TXT "${KEY}"\n`,
      { form: "zone", name: NAME, target: "x.example.net", records: [KEY] },
    ],
    ["host", `${NAME} descriptive text "${A}" "${B}"\n`, { form: "lookup", name: NAME, records: [KEY] }],
    [
      "nslookup",
      `Server:\t127.0.0.1\n\n${NAME}\ttext = "${A}" "${B}"\n`,
      { form: "lookup", name: NAME, records: [KEY] },
    ],
    ["tinydns", `'${NAME}:${KEY.replaceAll(";", "\\073")}:3600\n`, { form: "tinydns", name: NAME, records: [KEY] }],
    [
      "a panel: type, name, value",
      `TXT\ts1._domainkey\t${KEY}`,
      { form: "panel", name: "s1._domainkey", records: [KEY] },
    ],
    [
      "a panel: name, TTL, IN TXT, value without quotes",
      `${NAME}. 3600 IN TXT ${KEY}`,
      { form: "panel", name: NAME, records: [KEY] },
    ],
    ["a panel: no name", `IN TXT "${KEY}"`, { records: [KEY] }],
    [
      "no-break spaces from a page",
      `${NAME}.\u00a0IN\u00a0TXT\u00a0"${KEY}"`,
      { form: "zone", name: NAME, records: [KEY] },
    ],
    ["HTML", `${NAME}. TXT &quot;${KEY.replaceAll("+", "&#43;")}&quot;`, { form: "zone", records: [KEY] }],
    [
      "a string of more than 255 octets",
      `"v=DKIM1; n=${"x".repeat(300)}; p="`,
      {
        form: "strings",
        records: [`v=DKIM1; n=${"x".repeat(300)}; p=`],
        notes: [expect.stringContaining("255 octets")],
      },
    ],
    [
      "a message",
      `From: a@example.org\r\nDKIM-Signature: v=1; a=rsa-sha256; d=example.org;\r\n s=s1; h=from; bh=AA==; b=AA==\r\n\r\nHi\r\n`,
      { form: "message", name: NAME, records: [] },
    ],
    ["a message with a broken signature", `DKIM-Signature: v=1;; x\r\n\r\n`, { form: "message", records: [] }],
  ])("%s", (_title, text, expected) => {
    expect(recogniseRecordInput(text, { origin: "example.org" })).toMatchObject(expected);
  });

  test("any text is read without an exception", () => {
    const piece = fc.constantFrom(
      "v=DKIM1",
      ";",
      " ",
      "\n",
      '"',
      "(",
      ")",
      "TXT",
      "IN",
      "60",
      "'",
      ":",
      "\\",
      "&#34;",
      "a._domainkey.",
      "CNAME",
      "DKIM-Signature:",
      "text =",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join("")),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          const { form, records, target } = recogniseRecordInput(text);
          expect(form === "message" || records.length > 0 || target !== undefined).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("hostile text takes no more than its length", () => {
    for (const unit of [
      "a.",
      "a ",
      '"',
      '" ',
      "TXT ",
      "&",
      "a TXT ",
      "' ",
      "text = ",
      "DKIM-Signature:",
      "\n ",
      "a\n",
    ]) {
      expect(recogniseRecordInput(unit.repeat(250_000 / unit.length))).toBeDefined();
    }
  }, 20_000);
});
