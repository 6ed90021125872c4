import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { deriveEd25519PublicKey } from "../../src/keys/ed25519.ts";
import { ed25519PointFault } from "../../src/keys/ed25519-point.ts";

const octets = (hex: string) => Buffer.from(hex, "hex");
const ff = (count: number) => "ff".repeat(count);

describe("ed25519PointFault (RFC 8032 §5.1.3)", () => {
  test.each([
    ["order 1", `01${"00".repeat(31)}`],
    ["order 2", `ec${ff(30)}7f`],
    ["order 4", "00".repeat(32)],
    ["order 4, other sign", `${"00".repeat(31)}80`],
    ["order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
    ["order 8, other sign", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"],
    ["order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
    ["order 8, other sign", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"],
  ])("%s: %s", (_order, hex) => {
    expect(ed25519PointFault(octets(hex))).toBe("small-order");
  });

  test.each([
    ["x=0 with a sign", `01${"00".repeat(30)}80`],
    ["y = p, which is 0 written otherwise", `ed${ff(30)}7f`],
    ["y = p + 1, which is 1 written otherwise", `ee${ff(30)}7f`],
    ["all bits", ff(32)],
    ["the seed of RFC 8463 §A.2", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"],
  ])("%s is no point", (_what, hex) => {
    expect(ed25519PointFault(octets(hex))).toBe("not-a-point");
  });

  test("public keys are points; of arbitrary octets about half", () => {
    const numbered = (i: number) => createHash("sha256").update(`${i}`).digest();
    const seeds = Array.from({ length: 60 }, (_none, i) => numbered(i));
    expect(seeds.filter((seed) => ed25519PointFault(deriveEd25519PublicKey(seed)) !== undefined)).toEqual([]);
    const points = seeds.filter((seed) => ed25519PointFault(seed) === undefined).length;
    expect(points).toBeGreaterThan(15);
    expect(points).toBeLessThan(45);
  });
});
