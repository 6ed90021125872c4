import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageLimitError, parseMessage } from "../../src/signing/message.ts";

function read(text: string) {
  const { fields, body } = parseMessage(Buffer.from(text, "latin1"));
  return { fields: fields.map(({ name, text }) => [name, text]), body: Buffer.from(body).toString("latin1") };
}

describe("parseMessage (RFC 5322 §2.1, §2.2)", () => {
  test.each([
    ["nothing at all", "", [], ""],
    ["no header", "\r\nbody", [], "body"],
    ["header only, no empty line", "A: b", [["a", "A: b"]], ""],
    ["header only, with line end", "A: b\r\n", [["a", "A: b"]], ""],
    ["empty body", "A: b\r\n\r\n", [["a", "A: b"]], ""],
    [
      "LF only",
      "A: b\n c\nD: e\n\nx\n",
      [
        ["a", "A: b\r\n c"],
        ["d", "D: e"],
      ],
      "x\n",
    ],
    [
      "mixed line ends",
      "A: b\n\tc\r\nD: e\r\n\nx\r\n",
      [
        ["a", "A: b\r\n\tc"],
        ["d", "D: e"],
      ],
      "x\r\n",
    ],
    [
      "a line of white space folds, it does not end the header",
      "A: b\r\n \r\nD: e\r\n\r\n",
      [
        ["a", "A: b\r\n "],
        ["d", "D: e"],
      ],
      "",
    ],
    ["a lone CR is an ordinary octet", "A: b\rC: d\r\n\r\nx", [["a", "A: b\rC: d"]], "x"],
    [
      "a CR line that ends the input is no empty line",
      "A: b\r\n\r",
      [
        ["a", "A: b"],
        ["", "\r"],
      ],
      "",
    ],
    ["the obsolete space before the colon", "From : a\r\n", [["from", "From : a"]], ""],
    [
      "an mbox line is no field",
      "From a@b Mon Jan  1 00:00:00 2024\nTo: c\n",
      [
        ["", "From a@b Mon Jan  1 00:00:00 2024"],
        ["to", "To: c"],
      ],
      "",
    ],
    [
      "a line without colon is no field",
      "A: b\nrubbish\nC: d\n",
      [
        ["a", "A: b"],
        ["", "rubbish"],
        ["c", "C: d"],
      ],
      "",
    ],
    [
      "a fold before any field",
      " x: y\nA: b\n",
      [
        ["", " x: y"],
        ["a", "A: b"],
      ],
      "",
    ],
    ["8-bit octets stay", "A: \xe4\xff\n", [["a", "A: \xe4\xff"]], ""],
    ["an 8-bit name is none", "\xc4: b\n", [["", "\xc4: b"]], ""],
  ])("%s", (_title, text, fields, body) => {
    expect(read(text)).toEqual({ fields, body });
  });

  test("any octets: nothing is lost", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        const { fields, body } = parseMessage(raw);
        const whole = [...fields.map(({ text }) => `${text}\r\n`), "\r\n", Buffer.from(body).toString("latin1")].join(
          "",
        );
        const input = Buffer.from(raw).toString("latin1").replace(/\r?\n/g, "\r\n");
        const output = whole.replace(/\r?\n/g, "\r\n");
        expect([input, `${input}\r\n`, `${input}\r\n\r\n`]).toContain(output);
      }),
    );
  });

  test.each([
    ["octets", { maxMessageOctets: 10 }],
    ["header octets", { maxHeaderOctets: 10 }],
    ["header fields", { maxHeaderFields: 1 }],
  ])("limits the %s", (_title, limits) => {
    expect(() => parseMessage(Buffer.from("A: bcdefgh\r\nB: c\r\n\r\n"), limits)).toThrow(MessageLimitError);
    expect(() => parseMessage(Buffer.from("A: b\r\n\r\n"), limits)).not.toThrow();
  });
});
