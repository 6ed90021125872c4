import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { decryptPrivateKey } from "../../src/keys/encrypted-private-key.ts";
import { generateFastRsaKey } from "../../src/keys/fast-rsa-key.ts";
import { generateEd25519Key, generateRsaKey } from "../../src/keys/generate-key.ts";
import { encodePrivateKey, encodePrivateKeyDer, type PrivateKey, parsePrivateKey } from "../../src/keys/private-key.ts";
import { encodeSubjectPublicKeyInfo } from "../../src/keys/public-key.ts";
import { requirePeer } from "../helpers/peers.ts";

const { skip, reason } = requirePeer("openssl");
const folder = mkdtempSync(join(tmpdir(), "dkimctl-keys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const openssl = (args: string[], input?: Uint8Array | string) =>
  new Uint8Array(execFileSync("openssl", args, { input, stdio: ["pipe", "pipe", "pipe"] }));

async function fresh(type: string): Promise<PrivateKey> {
  return type === "rsa" ? generateRsaKey(1024) : generateEd25519Key();
}

describe.skipIf(skip)(`openssl reads what we write and writes what we read ${reason}`, () => {
  test.each([
    ["rsa", "pkcs8", "-----BEGIN PRIVATE KEY-----"],
    ["rsa", "pkcs1", "-----BEGIN RSA PRIVATE KEY-----"],
    ["ed25519", "pkcs8", "-----BEGIN PRIVATE KEY-----"],
  ] as const)("%s as %s", async (type, format, begin) => {
    const key = await fresh(type);
    const text = encodePrivateKey(key, format);
    expect(text.startsWith(begin)).toBe(true);
    expect(openssl(["pkey", "-outform", "DER", "-pubout"], text)).toEqual(encodeSubjectPublicKeyInfo(key.publicKey));
    expect(Buffer.from(openssl(["pkey", "-check", "-noout"], text)).toString()).toMatch(/is valid/);
    const der = encodePrivateKeyDer(key, format);
    expect(openssl(["pkey", "-inform", "DER", "-outform", "DER", "-pubout"], der)).toEqual(
      encodeSubjectPublicKeyInfo(key.publicKey),
    );
  });

  test.each([1024, 2048, 3072])("a fast key of %i bits", async (bits) => {
    const text = encodePrivateKey(await generateFastRsaKey(bits), "pkcs8");
    expect(Buffer.from(openssl(["rsa", "-check", "-noout"], text)).toString()).toBe("RSA key ok\n");
  });

  test("text before a key, as openssl prints it", async () => {
    const key = await generateRsaKey(1024);
    const printed = openssl(["pkey", "-text"], encodePrivateKey(key, "pkcs8"));
    expect(parsePrivateKey(printed).privateKey).toEqual(key);
    expect(parsePrivateKey(openssl(["rsa", "-traditional"], encodePrivateKey(key, "pkcs8"))).privateKey).toEqual(key);
  });

  test.each([
    ["AES-256", ["-v2", "aes-256-cbc"]],
    ["scrypt", ["-scrypt"]],
    ["triple DES", ["-v1", "PBE-SHA1-3DES"]],
  ])("a key under %s", async (_title, cipher) => {
    const key = await fresh("ed25519");
    const file = join(folder, "passphrase");
    writeFileSync(file, "a passphrase\n", { mode: 0o600 });
    const encrypted = openssl(
      ["pkcs8", "-topk8", "-passout", `file:${file}`, ...cipher],
      encodePrivateKey(key, "pkcs8"),
    );
    const parsed = await decryptPrivateKey(encrypted, "a passphrase");
    expect(parsed.privateKey).toEqual(key);
  });
});

const sshKeygen = requirePeer("ssh-keygen");
test.skipIf(sshKeygen.skip)(`the hint for OpenSSH keys makes a key that is read ${sshKeygen.reason}`, () => {
  const file = join(folder, "id_rsa");
  execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", file]);
  const text = execFileSync("cat", [file]);
  expect(() => parsePrivateKey(text)).toThrow("is an OpenSSH private key");
  execFileSync("ssh-keygen", ["-q", "-p", "-m", "PKCS8", "-P", "", "-N", "", "-f", file]);
  expect(parsePrivateKey(execFileSync("cat", [file])).privateKey.type).toBe("rsa");
});
