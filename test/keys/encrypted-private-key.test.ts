import { describe, expect, test } from "vitest";
import { decryptPrivateKey } from "../../src/keys/encrypted-private-key.ts";
import { encodePrivateKeyDer } from "../../src/keys/private-key.ts";
import { rsaSample, vector } from "./sample-keys.ts";

describe("encrypted private keys", () => {
  test.each([
    ["PBES2, PBKDF2 (RFC 8018 §6.2)", "enc.der", "secret", "der"],
    ["PBES2, scrypt (RFC 7914), a passphrase outside ASCII", "enc-scrypt.pem", "sécret", "pem"],
    ["PBES1, triple DES", "enc-3des.pem", "secret", "pem"],
    ["PBES1, RC2", "enc-rc2-40.pem", "secret", "pem"],
    ["traditional PEM, single DES", "enc-traditional-des.pem", "secret", "pem"],
  ])("%s", async (_title, file, passphrase, encoding) => {
    const parsed = await decryptPrivateKey(vector(file), passphrase);
    expect(parsed).toMatchObject({ encoding, notes: ["the file was encrypted"] });
    expect(encodePrivateKeyDer(parsed.privateKey, "pkcs1")).toEqual(encodePrivateKeyDer(rsaSample(), "pkcs1"));
    await expect(decryptPrivateKey(vector(file), "another")).rejects.toMatchObject({ kind: "encrypted" });
  });

  test.each(["enc-pkcs8.pem", "enc-traditional.pem"])("%s opens with its passphrase alone", async (file) => {
    await expect(decryptPrivateKey(vector(file), "secret")).resolves.toMatchObject({ privateKey: { type: "rsa" } });
    await expect(decryptPrivateKey(vector(file), "Secret")).rejects.toMatchObject({ kind: "encrypted" });
  });

  test("an open file needs none, and what is no key is refused as ever", async () => {
    await expect(decryptPrivateKey(vector("rsa1024.pem"), "")).resolves.toMatchObject({ format: "pkcs8", notes: [] });
    await expect(decryptPrivateKey(vector("cert.pem"), "")).rejects.toMatchObject({ kind: "certificate" });
  });
});
