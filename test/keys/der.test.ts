import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DerError, DerTag, findUnsignedInteger } from "../../src/keys/der.ts";
import { DerReader } from "../../src/keys/der-reader.ts";
import { encodeDer, encodeUnsignedInteger } from "../../src/keys/der-writer.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

function readOne(bytes: Uint8Array): Uint8Array {
  const reader = new DerReader(bytes);
  const element = reader.readAny();
  reader.finish();
  return element;
}

describe("X.690: what is not DER is refused", () => {
  test.each([
    ["02 81 01 05", "not minimal", "§10.1: length in more octets than needed"],
    ["30 80 05 00 00 00", "indefinite", "§10.1: indefinite length"],
    ["04 82 00 80", "not minimal", "§10.1: long length with a leading zero"],
    ["04 85 00 00 00 00 01 00", "has 5 octets", "length of five octets"],
    ["02 02 00 05", "padded", "§8.3.2: padded INTEGER"],
    ["02 02 ff 80", "padded", "§8.3.2: padded negative INTEGER"],
    ["02 00", "empty", "§8.3.1: INTEGER without content"],
    ["01 01 01", "BOOLEAN", "§11.1: TRUE is FF"],
    ["05 01 00", "NULL", "§8.8.2: NULL with content"],
    ["03 02 01 01", "BIT STRING", "§11.2.1: unused bits are zero"],
    ["03 01 01", "BIT STRING", "§8.6.2.3: unused bits of nothing"],
    ["03 00", "BIT STRING", "§8.6.2: BIT STRING without content"],
    ["24 04 04 02 00 00", "in pieces", "§10.2: constructed string"],
    ["10 00", "primitive", "§8.9.1: primitive SEQUENCE"],
    ["06 02 80 01", "malformed", "§8.19.2: padded arc"],
    ["06 01 88", "malformed", "§8.19: arc without an end"],
    ["06 00", "malformed", "§8.19: no arcs"],
    ["31 06 02 01 02 02 01 01", "not in order", "§11.6: SET OF out of order"],
    ["1f 81 01 00", "multi-octet", "high tag number"],
    ["30 03 02 01", "cut off", "truncated"],
    ["30", "cut off", "tag alone"],
    ["30 82 01", "cut off", "truncated length"],
    ["05 00 00", "1 octet too many", "trailing octets"],
    ["", "missing", "nothing"],
  ])("%s: %s (%s)", (text, reason) => {
    const read = () => readOne(hex(text));
    expect(read).toThrow(DerError);
    expect(read).toThrow(reason);
  });

  test.each([
    "02 01 00",
    "02 02 00 80",
    "02 01 ff",
    "01 01 ff",
    "03 02 01 fe",
    "30 00",
    "31 06 02 01 01 02 01 02",
    "06 01 2a",
  ])("%s is DER", (text) => {
    expect(readOne(hex(text))).toEqual(hex(text));
  });

  test("nesting is bounded", () => {
    let bytes = new Uint8Array();
    for (let i = 0; i < 20_000; i += 1) bytes = encodeDer(DerTag.sequence, bytes) as Uint8Array<ArrayBuffer>;
    expect(() => readOne(bytes)).toThrow("nested too deeply");
  });
});

describe("numbers and identifiers", () => {
  test.each([
    ["02 01 80", "negative"],
    ["02 02 00 01", "padded"],
    ["02 00", "empty"],
    ["04 01 01", "INTEGER expected at octet 0, found OCTET STRING"],
  ])("%s is no unsigned INTEGER: %s", (text, reason) => {
    expect(() => new DerReader(hex(text)).readUnsignedInteger()).toThrow(reason);
  });

  test.each([
    ["06 09 2a 86 48 86 f7 0d 01 01 01", "1.2.840.113549.1.1.1"],
    ["06 03 2b 65 70", "1.3.101.112"],
    ["06 03 88 37 03", "2.999.3"],
    ["06 01 27", "0.39"],
  ])("%s is %s", (text, oid) => {
    expect(new DerReader(hex(text)).readObjectIdentifier()).toBe(oid);
  });

  test("every unsigned number comes back (RFC 8017 §4.1)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const first = octets.findIndex((octet) => octet !== 0);
        const expected = first < 0 ? new Uint8Array() : octets.slice(first);
        const der = encodeUnsignedInteger(octets);
        expect(readOne(der)).toEqual(der);
        expect(new DerReader(der).readUnsignedInteger()).toEqual(expected);
      }),
    );
  });
});

describe("any octets", () => {
  test("give an element that ends where it says, or a DerError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const element = new DerReader(bytes).readAny();
          expect(element.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("with faults collected, an encoding fault does not stop the reading", () => {
    const faults: string[] = [];
    const body = new DerReader(hex("30 81 04 02 02 00 05"), 0, 7, faults).readConstructed();
    expect(body.readUnsignedInteger()).toEqual(hex("05"));
    expect(faults).toEqual(["the length at octet 1 is not minimal", "the INTEGER at octet 3 is padded"]);
  });
});

describe("findUnsignedInteger finds what passUnsignedInteger passes", () => {
  function found(octets: Uint8Array, end: number) {
    const range = { start: -1, end: -1 };
    return findUnsignedInteger(octets, 1, end, range) ? range : undefined;
  }

  function passed(octets: Uint8Array, end: number) {
    const reader = new DerReader(octets, 1, end);
    try {
      const start = reader.passUnsignedInteger();
      return { start, end: reader.position };
    } catch (error) {
      if (error instanceof DerError) return undefined;
      throw error;
    }
  }

  const content = fc.uint8Array({ maxLength: 300 });
  const head = fc.array(fc.constantFrom(0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0x82, 0x83, 0xff), { maxLength: 6 });

  test("in anything", () => {
    fc.assert(
      fc.property(head, content, fc.nat(4), (first, rest, less) => {
        const octets = Uint8Array.of(0, DerTag.integer, ...first, ...rest);
        const end = Math.max(1, octets.length - less);
        expect(found(octets, end)).toEqual(passed(octets, end));
      }),
      { numRuns: 3000 },
    );
  });

  test("in numbers, with one octet of their head another, whole or cut off", () => {
    fc.assert(
      fc.property(content, fc.nat(5), fc.nat(255), fc.nat(2), fc.nat(3), (number, at, octet, less, after) => {
        const octets = Uint8Array.of(0, ...encodeUnsignedInteger(number), ...new Uint8Array(after));
        expect(found(octets, octets.length)).toEqual(passed(octets, octets.length));
        expect(found(octets, octets.length)).toBeDefined();
        if (at < octets.length) octets[at] = octet;
        expect(found(octets, octets.length - less)).toEqual(passed(octets, octets.length - less));
      }),
      { numRuns: 3000 },
    );
  });
});
