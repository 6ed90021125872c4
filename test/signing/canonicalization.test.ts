import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalizeBody, canonicalizeField } from "../../src/signing/canonicalization.ts";
import { parseMessage } from "../../src/signing/message.ts";

const octets = (text: string) => Buffer.from(text, "latin1");
const body = (text: string, mode: "simple" | "relaxed") =>
  Buffer.from(canonicalizeBody(octets(text), mode)).toString("latin1");

describe("RFC 6376 §3.4.5: the three examples", () => {
  const message = parseMessage(octets("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"));
  test("relaxed header and body", () => {
    expect(message.fields.map((field) => canonicalizeField(field, "relaxed"))).toEqual(["a:X", "b:Y Z"]);
    expect(Buffer.from(canonicalizeBody(message.body, "relaxed")).toString()).toBe(" C\r\nD E\r\n");
  });
  test("simple header and body", () => {
    expect(message.fields.map((field) => canonicalizeField(field, "simple"))).toEqual(["A: X", "B : Y\t\r\n\tZ  "]);
    expect(Buffer.from(canonicalizeBody(message.body, "simple")).toString()).toBe(" C \r\nD \t E\r\n");
  });
});

describe("body", () => {
  test.each([
    // [body, simple, relaxed]
    ["", "\r\n", ""],
    ["\r\n", "\r\n", ""],
    ["\r\n\r\n\r\n", "\r\n", ""],
    ["\n\n", "\r\n", ""],
    [" \t", " \t\r\n", ""],
    [" \r\n\t\r\n", " \r\n\t\r\n", ""],
    ["a", "a\r\n", "a\r\n"],
    ["a\n", "a\r\n", "a\r\n"],
    ["a\nb\r\nc", "a\r\nb\r\nc\r\n", "a\r\nb\r\nc\r\n"],
    ["\r\n\r\na \t b \r\n \r\n", "\r\n\r\na \t b \r\n \r\n", "\r\n\r\na b\r\n"],
    ["a\rb\r\n", "a\rb\r\n", "a\rb\r\n"],
    ["a\r", "a\r\r\n", "a\r\r\n"],
    ["a\r\r\n\r\n", "a\r\r\n", "a\r\r\n"],
    ["\xe4 \xa0 \r\n", "\xe4 \xa0 \r\n", "\xe4 \xa0\r\n"],
  ])("%j (RFC 6376 §3.4.3, §3.4.4)", (text, simple, relaxed) => {
    expect(body(text, "simple")).toBe(simple);
    expect(body(text, "relaxed")).toBe(relaxed);
  });

  test.each([
    ["simple", "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="],
    ["relaxed", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
  ] as const)("SHA-256 of the empty body, %s (RFC 6376 §3.4.3, §3.4.4)", (mode, hash) => {
    expect(
      createHash("sha256")
        .update(canonicalizeBody(octets(""), mode))
        .digest("base64"),
    ).toBe(hash);
  });

  const bodyText = fc
    .array(fc.constantFrom("a", " ", "\t", "\r", "\n", "\r\n", "\xff"), { maxLength: 40 })
    .map((parts) => parts.join(""));
  test("canonicalizing twice changes nothing, and LF is CRLF", () => {
    fc.assert(
      fc.property(bodyText, fc.constantFrom("simple", "relaxed"), (text, mode) => {
        const once = body(text, mode);
        expect(body(once, mode)).toBe(once);
        expect(body(text.replace(/\r?\n/g, "\r\n"), mode)).toBe(once);
      }),
    );
  });
  test("agrees with the RFC's words, done the slow way", () => {
    const slow = (text: string, mode: string) => {
      let lines = text.split(/\r?\n/);
      if (mode === "relaxed") lines = lines.map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
      while (lines.at(-1) === "") lines.pop();
      return lines.length === 0 ? (mode === "simple" ? "\r\n" : "") : `${lines.join("\r\n")}\r\n`;
    };
    fc.assert(
      fc.property(bodyText, fc.constantFrom("simple", "relaxed"), (text, mode) => {
        expect(body(text, mode)).toBe(slow(text, mode));
      }),
    );
  });
});

describe("header field", () => {
  test.each([
    ["SUBJect: AbC", "subject:AbC"],
    ["Subject \t:\t a \t b \t", "subject:a b"],
    ["Subject:", "subject:"],
    ["Subject: \r\n \r\n\t", "subject:"],
    ["Subject:\r\n a\r\n\r\n", "subject:a"],
    ["Subject: a:b : c", "subject:a:b : c"],
    ["Subject: ", "subject:"],
    ["Subject: a b ", "subject:a b"],
    ["Subject:  a", "subject:a"],
    ["Subject:a\tb", "subject:a b"],
    ["Subject: a \r\n b", "subject:a b"],
    ["Subject: \xe4\xa0", "subject:\xe4\xa0"],
    ["Subject: a\rb", "subject:a\rb"],
  ])("%j relaxed (RFC 6376 §3.4.2)", (text, relaxed) => {
    const [field] = parseMessage(octets(`${text}\r\n`)).fields;
    expect(field && canonicalizeField(field, "relaxed")).toBe(relaxed);
  });
});
