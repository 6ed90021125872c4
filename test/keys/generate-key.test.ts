import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { generateEd25519Key, generateRsaKey, KeyGenerationError, proveKey } from "../../src/keys/generate-key.ts";
import { checkPublicKeyStrength } from "../../src/keys/key-strength.ts";
import { encodePrivateKey, parsePrivateKey } from "../../src/keys/private-key.ts";
import { ed25519Sample } from "./sample-keys.ts";

describe("new keys", () => {
  test.each([512, 1024, 1025])("RSA of %i bits, e=65537", async (bits) => {
    const key = await generateRsaKey(bits);
    expect(key.publicKey).toMatchObject({ modulusBits: bits, exponent: Uint8Array.of(1, 0, 1) });
    expect(parsePrivateKey(new TextEncoder().encode(encodePrivateKey(key, "pkcs8"))).privateKey).toEqual(key);
  });

  test.each([511, 16_385, 2048.5, Number.NaN, -1, 0])("RSA of %d bits is refused", async (bits) => {
    await expect(generateRsaKey(bits)).rejects.toBeInstanceOf(UsageError);
  });

  test("Ed25519 keys are whole, and differ", async () => {
    const [a, b] = await Promise.all([generateEd25519Key(), generateEd25519Key()]);
    expect(a.seed).not.toEqual(b.seed);
    await expect(proveKey(a)).resolves.toBeUndefined();
  });

  test("no Ed25519 key begins as a path does: rspamd would not find it in Redis", async () => {
    const made = await Promise.all(Array.from({ length: 500 }, () => generateEd25519Key()));
    expect(made.filter(({ seed }) => Buffer.from(seed).toString("base64").startsWith("/"))).toEqual([]);
  });

  test("a key whose halves do not fit is found by signing", async () => {
    const other = { ...(await generateEd25519Key()), publicKey: ed25519Sample().publicKey };
    await expect(proveKey(other)).rejects.toThrow(KeyGenerationError);
  });

  test("nothing but their size is said against fresh keys", async () => {
    for (let i = 0; i < 25; i += 1) {
      const keys = await Promise.all(Array.from({ length: 4 }, () => generateRsaKey(1024)));
      for (const { publicKey } of keys) {
        expect(checkPublicKeyStrength(publicKey).map(({ code }) => code)).toEqual(["RSA-1024"]);
      }
      const edKeys = await Promise.all(Array.from({ length: 4 }, () => generateEd25519Key()));
      for (const { publicKey } of edKeys) expect(checkPublicKeyStrength(publicKey)).toEqual([]);
    }
  });
});
