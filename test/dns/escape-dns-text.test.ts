import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeDnsText } from "../../src/dns/escape-dns-text.ts";

const octets = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("escapeDnsText", () => {
  it.each([
    ["v=DKIM1; p=a+/=", "v=DKIM1; p=a+/="],
    ["a\\;b", "a\\\\;b"],
    ["\x1b[31m\0\r\n\t\x7f", "\\027[31m\\000\\013\\010\\009\\127"],
    ["\xff\xc3(\x80", "\\255\\195(\\128"],
    [octets("Bücher"), "Bücher"],
    [octets("\u202edlrow"), "\\u{202e}dlrow"],
    [octets("\u200b\ufeff\u00a0\u0085\u2028"), "\\u{200b}\\u{feff}\\u{a0}\\u{85}\\u{2028}"],
    ["\xed\xa0\x80", "\\237\\160\\128"],
    [octets("😀"), "😀"],
    [octets("\u{e0041}"), "\\u{e0041}"],
    ["", ""],
  ])("%j", (text, expected) => {
    expect(escapeDnsText(text)).toBe(expected);
  });

  const anyOctets = fc.uint8Array({ maxLength: 60 }).map((a) => Buffer.from(a).toString("latin1"));
  const anyText = fc.string({ unit: "binary" }).map(octets);

  it("leaves nothing that acts on a terminal", () => {
    fc.assert(
      fc.property(fc.oneof(anyOctets, anyText), (text) => {
        expect(escapeDnsText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u);
      }),
    );
  });

  it("can be undone, so no two texts look alike", () => {
    const undo = (text: string) =>
      octets(text).replace(/\\(?:(\\)|(\d{3})|u\{([0-9a-f]+)\})/g, (_, backslash, decimal, hex) =>
        backslash !== undefined
          ? "\\"
          : decimal !== undefined
            ? String.fromCharCode(Number(decimal))
            : octets(String.fromCodePoint(Number.parseInt(hex, 16))),
      );
    fc.assert(fc.property(fc.oneof(anyOctets, anyText), (text) => undo(escapeDnsText(text)) === text));
  });
});
