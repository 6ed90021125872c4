import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type PublicKey, rsaPublicKeyFromNumbers } from "../../src/keys/public-key.ts";
import { BlockListError, openBlockList } from "../../src/keys/weak-keys/block-list.ts";

const E65537 = Uint8Array.of(1, 0, 1);
const rsa = (modulus: string) => rsaPublicKeyFromNumbers(Buffer.from(modulus, "hex"), E65537);
const ed25519 = (hex: string): PublicKey => ({ type: "ed25519", bytes: Buffer.from(hex, "hex") });

/** By hand: the number as octets, its hash, and the collection. */
function entry(digits: string, list: number): Buffer {
  const hash = createHash("sha256").update(Buffer.from(digits, "hex")).digest();
  return Buffer.concat([hash.subarray(0, 15), Buffer.of(list)]);
}

const listOf = (...entries: Buffer[]) => Buffer.concat(entries.sort(Buffer.compare));

describe("badkeys' block list", () => {
  const numbers = Array.from({ length: 50 }, (_, i) => `c${i.toString(16).padStart(15, "0")}`);
  const list = openBlockList(listOf(...numbers.map((digits, i) => entry(digits, i + 1)), entry("ab".repeat(31), 200)));

  test.each(numbers.map((digits, i) => [digits, i + 1] as const))("finds %s", (digits, number) => {
    expect(list.find(rsa(digits))).toBe(number);
  });

  test("the modulus counts, not the exponent; without leading zeros", () => {
    expect(list.find(rsaPublicKeyFromNumbers(Buffer.from(`0000${numbers[3]}`, "hex"), Uint8Array.of(3)))).toBe(4);
  });

  test("an Ed25519 key as a number: leading zeros do not count", () => {
    expect(list.find(ed25519(`00${"ab".repeat(31)}`))).toBe(200);
    expect(list.find(ed25519(`01${"ab".repeat(31)}`))).toBeUndefined();
    expect(list.find(ed25519("00".repeat(32)))).toBeUndefined();
  });

  test("other keys are not in it", () => {
    for (let i = 0; i < 200; i++) expect(list.find(rsa(`d${i.toString(16).padStart(15, "0")}`))).toBeUndefined();
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["half an entry", Buffer.alloc(24)],
    ["entries out of order", listOf(entry("01", 1), entry("02", 1)).swap64()],
    ["text", Buffer.from("zzzzzzzzzzzzzzz\nabcabcabcabcabc\n")],
  ])("is not %s", (_title, octets) => {
    expect(() => openBlockList(octets)).toThrow(BlockListError);
  });
});
