import { describe, expect, test } from "vitest";
import { scanBase64 } from "../../src/dns/base64-value.ts";

describe("base64 in tag values (RFC 6376 §2.10, RFC 4648 §4)", () => {
  test.each<[string, number[]]>([
    ["AAEC", [0, 1, 2]],
    ["AAE=", [0, 1]],
    ["AA==", [0]],
    [" A A\r\n = = ", [0]],
    ["", []],
  ])("%j is decoded", (value, octets) => {
    const { fault, isPaddingMissing, hasPadBits, ...scan } = scanBase64(value);
    expect([...(scan.octets ?? [])]).toEqual(octets);
    expect({ fault, isPaddingMissing, hasPadBits }).toEqual({
      fault: undefined,
      isPaddingMissing: false,
      hasPadBits: false,
    });
  });

  test.each([
    ["AA", { isPaddingMissing: true, hasPadBits: false }],
    ["AE==", { isPaddingMissing: false, hasPadBits: true }],
    ["AAB=", { isPaddingMissing: false, hasPadBits: true }],
    ["A A==", { hasInnerSpace: true }],
  ])("%j is decoded, yet odd (§3.5)", (value, odd) => {
    expect(scanBase64(value)).toMatchObject({ ...odd, fault: undefined, octets: expect.any(Uint8Array) });
  });

  test.each([
    ["A-BC", { kind: "alphabet", offset: 1, character: "-" }],
    ["AA= =A", { kind: "alphabet", offset: 2, character: "=" }],
    ["AAAAA", { kind: "length", length: 5 }],
    ["AAA==", { kind: "padding", offset: 3 }],
    ["AA=", { kind: "padding", offset: 2 }],
    ["AAAA=", { kind: "padding", offset: 4 }],
    ["====", { kind: "padding", offset: 0 }],
  ])("%j is refused", (value, fault) => {
    expect(scanBase64(value)).toMatchObject({ octets: undefined, fault });
  });
});
