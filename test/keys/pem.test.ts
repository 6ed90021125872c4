import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, encodePem, PemError, parsePem } from "../../src/keys/pem.ts";

const BODY = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
const block = (body: string, label = "PUBLIC KEY") => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const GOOD = block(BODY);

describe("RFC 7468: PEM text that is read", () => {
  test.each([
    ["as openssl writes it", GOOD],
    ["CRLF line ends", GOOD.replaceAll("\n", "\r\n")],
    ["no final newline", GOOD.trimEnd()],
    ["a blank line after BEGIN", GOOD.replace("\n", "\n\n")],
    ["short lines", block(BODY.replace(/.{10}/g, "$&\n"))],
    ["blanks at line ends", GOOD.replaceAll("\n", " \t\n")],
    ["§5.2: text before and after", `subject: ===\nBag Attributes\n${GOOD}\nthat was it, not -----BEGIN again\n`],
    ["RFC 1421 headers", block(`Comment: a key\n\n${BODY}`)],
  ])("%s", (_title, text) => {
    const { blocks, notes } = parsePem(text);
    expect(blocks).toEqual([{ label: "PUBLIC KEY", bytes: decodeBase64(BODY), isEncrypted: false }]);
    expect(notes).toEqual([]);
  });

  test("a byte order mark is noted", () => {
    const { blocks, notes } = parsePem(`\xef\xbb\xbf${GOOD}`);
    expect(blocks).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining("byte order mark")]);
  });

  test("several blocks come in order", () => {
    expect(parsePem(GOOD + block(BODY, "X")).blocks.map(({ label }) => label)).toEqual(["PUBLIC KEY", "X"]);
  });

  test("Proc-Type marks an encrypted block", () => {
    const text = block(`Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n${BODY}`);
    expect(parsePem(text).blocks[0]?.isEncrypted).toBe(true);
  });

  test("text without a block has none", () => {
    expect(parsePem("v=DKIM1; p=\n")).toEqual({ blocks: [], notes: [] });
  });
});

describe("PEM text that is refused", () => {
  test.each([
    ["END missing", GOOD.slice(0, GOOD.indexOf("-----END")), "END line of the PUBLIC KEY block is missing"],
    ["END missing before the next block", GOOD.slice(0, GOOD.indexOf("-----END")) + GOOD, "is missing"],
    ["another label at the end", GOOD.replace("END PUBLIC", "END PRIVATE"), "another label"],
    ["bare CR", GOOD.replaceAll("\n", "\r"), "bare CR"],
    ["CR CR LF", GOOD.replaceAll("\n", "\r\r\n"), "bare CR"],
    ["bare CR in the body", GOOD.replace("QYD", "Q\rD"), "bare CR"],
    ["a character that is not base64", GOOD.replace("QYD", "Q*D"), "line 1 has a character that is not base64"],
    ["base64url", GOOD.replace("QYD", "Q-D"), "not base64"],
    ["padding cut", GOOD.replace("=", ""), "padding is wrong"],
    ["padding bits set", GOOD.replace("ZuE=", "ZuF="), "padding is wrong"],
    ["nothing inside", block(""), "is empty"],
    ["all on one line", GOOD.replaceAll("\n", " "), "alone on its line"],
    ["indented", GOOD.replace(/^/gm, "  "), "indented"],
    ["body glued to END", GOOD.replace("\n-----END", "-----END"), "does not start its line"],
  ])("%s", (_title, text, reason) => {
    expect(() => parsePem(text)).toThrow(PemError);
    expect(() => parsePem(text)).toThrow(reason);
  });

  test("no body is quoted", () => {
    const texts = [15, 26, 40, 70].map((at) => `${GOOD.slice(0, at)}*${GOOD.slice(at + 1)}`);
    texts.push(GOOD.replaceAll("\n", " "), GOOD.replaceAll("\n", ""), GOOD.replaceAll("\n", "\r"));
    for (const text of texts) {
      expect(() => parsePem(text)).toThrow(PemError);
      expect(() => parsePem(text)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining(BODY.slice(10, 20)) }),
      );
    }
  });
});

test("what is written is read again", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
      const text = encodePem("PRIVATE KEY", bytes);
      expect(text.split("\n").every((line) => line.length <= 64)).toBe(true);
      expect(parsePem(text).blocks).toEqual([{ label: "PRIVATE KEY", bytes, isEncrypted: false }]);
    }),
  );
});

test("a mutated text gives blocks or a PemError", () => {
  fc.assert(
    fc.property(fc.nat(GOOD.length - 1), fc.nat(255), fc.nat(3), (at, octet, cut) => {
      const text = GOOD.slice(0, at) + String.fromCharCode(octet) + GOOD.slice(at + cut);
      try {
        parsePem(text);
      } catch (error) {
        expect(error).toBeInstanceOf(PemError);
      }
    }),
    { numRuns: 2000 },
  );
});
