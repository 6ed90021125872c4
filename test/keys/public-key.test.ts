import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeSubjectPublicKeyInfo,
  PublicKeyError,
  parseRsaPublicKey,
  parseSubjectPublicKeyInfo,
  publicKeyFingerprint,
  rsaPublicKeyFromNumbers,
  samePublicKey,
  toPublicKeyObject,
} from "../../src/keys/public-key.ts";
import { encodeRsaPublicKey } from "../helpers/pkcs1-public-key.ts";
import { ed25519Sample, rsaSample } from "./sample-keys.ts";

const rsa = rsaSample().publicKey;
const ed25519 = ed25519Sample().publicKey;

describe("SubjectPublicKeyInfo (RFC 5280 §4.1)", () => {
  test.each([
    ["RSA", rsa],
    ["Ed25519", ed25519],
  ])("%s comes back, and is what OpenSSL writes", (_title, key) => {
    const der = encodeSubjectPublicKeyInfo(key);
    expect(parseSubjectPublicKeyInfo(der)).toEqual(key);
    expect(new Uint8Array(toPublicKeyObject(key).export({ format: "der", type: "spki" }))).toEqual(der);
  });

  test("any numbers come back (RFC 8017 §A.1.1)", () => {
    const octets = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(octets, octets, (modulus, exponent) => {
        const key = rsaPublicKeyFromNumbers(modulus, exponent);
        expect(parseRsaPublicKey(encodeRsaPublicKey(key))).toEqual(key);
        expect(parseSubjectPublicKeyInfo(encodeSubjectPublicKeyInfo(key))).toEqual(key);
        expect(key.modulusBits).toBe(
          BigInt(`0x0${Buffer.from(modulus).toString("hex")}`)
            .toString(2)
            .replace(/^0$/, "").length,
        );
      }),
    );
  });

  test("a changed octet is refused, or is what the changed key is written as", () => {
    for (const key of [rsa, ed25519]) {
      const der = encodeSubjectPublicKeyInfo(key);
      fc.assert(
        fc.property(fc.nat(der.length - 1), fc.nat(255), fc.nat(der.length), (at, octet, length) => {
          const mutant = der.slice(0, Math.max(length, der.length - 2));
          mutant[at % mutant.length] = octet;
          try {
            expect(encodeSubjectPublicKeyInfo(parseSubjectPublicKeyInfo(mutant))).toEqual(mutant);
          } catch (error) {
            expect(error).toBeInstanceOf(PublicKeyError);
          }
        }),
        { numRuns: 1000 },
      );
    }
  });

  test("rsaEncryption without NULL is refused (RFC 3279 §2.3.1)", () => {
    const der = Buffer.from(encodeSubjectPublicKeyInfo(rsa))
      .toString("hex")
      .replace("300d", "300b")
      .replace("0500", "");
    expect(() => parseSubjectPublicKeyInfo(new Uint8Array(Buffer.from(der, "hex")))).toThrow(PublicKeyError);
  });
});

test("a key has one fingerprint and equals itself alone", () => {
  expect(publicKeyFingerprint(rsa)).toMatch(/^[0-9a-f]{64}$/);
  expect(samePublicKey(rsa, rsaSample().publicKey)).toBe(true);
  expect(samePublicKey(ed25519, ed25519Sample().publicKey)).toBe(true);
  expect(samePublicKey(rsa, ed25519)).toBe(false);
  expect(samePublicKey(rsa, { ...rsa, exponent: Uint8Array.of(3) })).toBe(false);
});

test("what OpenSSL refuses is our error", () => {
  expect(() => toPublicKeyObject({ type: "ed25519", bytes: new Uint8Array(31) })).toThrow(PublicKeyError);
});
