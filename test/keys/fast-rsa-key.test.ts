import { checkPrimeSync, generatePrimeSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { generateFastRsaKey, rsaKeyOfPrimes } from "../../src/keys/fast-rsa-key.ts";
import { proveKey } from "../../src/keys/generate-key.ts";
import { checkPublicKeyStrength } from "../../src/keys/key-strength.ts";
import { encodePrivateKey, parsePrivateKey } from "../../src/keys/private-key.ts";
import { bitLength, toBigInt } from "../../src/keys/rsa-numbers.ts";
import { assertRsaConsistent } from "../../src/keys/rsa-private-key.ts";

const E = 65_537n;

/** By the definition, in place of the algorithm. */
function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

describe("keys of random primes", () => {
  test.each([512, 1024, 2048, 2050])("of %i bits: FIPS 186-5 §A.1.1, and whole", async (bits) => {
    for (let i = 0; i < 4; i += 1) {
      const key = await generateFastRsaKey(bits);
      const [p, q, d] = [toBigInt(key.prime1), toBigInt(key.prime2), toBigInt(key.privateExponent)];
      expect(key.publicKey).toMatchObject({ modulusBits: bits, exponent: Uint8Array.of(1, 0, 1) });
      for (const prime of [p, q]) {
        expect(checkPrimeSync(prime)).toBe(true);
        expect(bitLength(prime)).toBe(bits / 2);
        expect(prime * prime >= 1n << BigInt(bits - 1)).toBe(true);
        expect(gcd(prime - 1n, E)).toBe(1n);
      }
      expect(p - q > 1n << BigInt(bits / 2 - 100)).toBe(true);
      expect(d > 1n << BigInt(bits / 2)).toBe(true);
      const lambda = ((p - 1n) * (q - 1n)) / gcd(p - 1n, q - 1n);
      expect(d < lambda).toBe(true);
      expect((d * E) % lambda).toBe(1n);
      expect(parsePrivateKey(Buffer.from(encodePrivateKey(key, "pkcs8"))).privateKey).toEqual(key);
      const codes = checkPublicKeyStrength(key.publicKey).map(({ code }) => code);
      expect(codes).toEqual(bits < 1024 ? ["RSA-SHORT"] : bits < 2048 ? ["RSA-1024"] : []);
    }
  });

  test.each([511, 2049, 510, 16_386, 2048.5, Number.NaN])("of %d bits: refused", async (bits) => {
    await expect(generateFastRsaKey(bits)).rejects.toBeInstanceOf(UsageError);
  });

  test("of any two primes that are fit: numbers that sign", async () => {
    const prime = fc.constant(0).map(() => generatePrimeSync(256, { bigint: true }));
    await fc.assert(
      fc.asyncProperty(prime, prime, async (a, b) => {
        const key = rsaKeyOfPrimes(a > b ? a : b, a > b ? b : a, 512);
        fc.pre(key !== undefined);
        if (key === undefined) return;
        assertRsaConsistent(key);
        await proveKey(key);
      }),
      { numRuns: 50 },
    );
  });
});

describe("primes that are unfit", () => {
  const q = generatePrimeSync(256, { bigint: true });
  const [big, small] = ((other) => (other > q ? [other, q] : [q, other]))(generatePrimeSync(256, { bigint: true }));

  test("these are fit", () => {
    expect(rsaKeyOfPrimes(big, small, 512)).toBeDefined();
  });

  test.each<[string, bigint, bigint]>([
    ["the same", q, q],
    ["close to each other", q + (1n << 156n), q],
    ["too short", q, generatePrimeSync(255, { bigint: true })],
    ["too long", generatePrimeSync(257, { bigint: true }), q],
    ["below sqrt(2)*2^255", q, (1n << 255n) + 12_345n],
    ["one more than a multiple of e", q, generatePrimeSync(256, { bigint: true, add: E, rem: 1n })],
  ])("%s", (_title, p, other) => {
    const [larger, smaller] = p > other ? [p, other] : [other, p];
    expect(rsaKeyOfPrimes(larger, smaller, 512)).toBeUndefined();
  });

  test("a product of another size", () => {
    expect(rsaKeyOfPrimes(big, small, 514)).toBeUndefined();
  });
});
