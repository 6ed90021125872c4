import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { publishedKeyBytes } from "../../src/dns/key-record.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { fileOperations } from "../../src/keys/file-operations.ts";
import { generateEd25519Key, generateRsaKey } from "../../src/keys/generate-key.ts";
import { type KeyName, parseKeyName } from "../../src/keys/key-name.ts";
import { encodePrivateKey, type PrivateKey, parsePrivateKey } from "../../src/keys/private-key.ts";
import { createKeyRevealers } from "../../src/rotation/key-revealer.ts";
import { RevealFolder } from "../../src/rotation/reveal-folder.ts";
import type { Journal } from "../../src/rotation/rotation-key.ts";
import { describeKey } from "../../src/rotation/store-world.ts";
import { fakeResolver } from "../helpers/fake-resolver.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { faultyOperations } from "../helpers/store.ts";

const ED25519 = await generateEd25519Key();
const RSA = await generateRsaKey(2048);
const octetsOf = ({ publicKey }: PrivateKey) => publishedKeyBytes(publicKey);

/** The files below a folder, hidden ones too. */
function filesIn(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name)).isFile());
}
const keysIn = (folder: string) => filesIn(folder).filter((name) => name.endsWith(".pem"));

describe("the folder", () => {
  test("holds the key where its public half leads; nobody can list it, and no time tells anything", () => {
    const path = join(temporaryFolder(), "revealed");
    const folder = new RevealFolder(path);
    expect(folder.has(octetsOf(RSA))).toBe(false);
    folder.reveal(RSA);
    expect([folder.has(octetsOf(RSA)), folder.has(octetsOf(ED25519))]).toEqual([true, false]);
    const [file = ""] = keysIn(path);
    expect(file).toMatch(/^([0-9a-f]{2})\/\1[0-9a-f]{62}\.pem$/);
    expect(parsePrivateKey(readFileSync(join(path, file))).privateKey.publicKey).toEqual(RSA.publicKey);
    for (const [name, mode] of [
      ["", 0o711],
      [file.slice(0, 2), 0o711],
      [file, 0o644],
      ["README.txt", 0o644],
    ] as const) {
      const stats = statSync(join(path, name));
      expect([name, stats.mode & 0o777, stats.mtimeMs]).toEqual([name, mode, 1_000_000_000_000]);
    }
  });

  test("modes are those whatever the umask is", () => {
    const path = join(temporaryFolder(), "revealed");
    const before = process.umask(0o077);
    try {
      new RevealFolder(path).reveal(ED25519);
    } finally {
      process.umask(before);
    }
    const [file = ""] = keysIn(path);
    expect([path, join(path, file.slice(0, 2)), join(path, file)].map((p) => statSync(p).mode & 0o777)).toEqual([
      0o711, 0o711, 0o644,
    ]);
  });

  test("a second time changes nothing, and mends the times that a killed run has left; a README of yours stays", () => {
    const path = temporaryFolder();
    writeFileSync(join(path, "README.txt"), "ours");
    const folder = new RevealFolder(path);
    folder.reveal(ED25519);
    const before = keysIn(path);
    const [file = ""] = before;
    const now = new Date();
    for (const name of [file, file.slice(0, 2)]) fileOperations.utimesSync(join(path, name), now, now);
    // As a run leaves it that is killed between mkdir and chmod, under a umask of 077.
    chmodSync(join(path, file.slice(0, 2)), 0o700);
    folder.reveal(ED25519);
    expect(keysIn(path)).toEqual(before);
    expect(statSync(join(path, file)).mtimeMs).toBe(1_000_000_000_000);
    expect(statSync(join(path, file.slice(0, 2))).mtimeMs).toBe(1_000_000_000_000);
    expect(statSync(join(path, file.slice(0, 2))).mode & 0o777).toBe(0o711);
    expect(readFileSync(join(path, "README.txt"), "utf8")).toBe("ours");
  });

  test.each<[string, (path: string, file: string) => void, RegExp]>([
    ["something else has its place", (path, file) => writeFileSync(join(path, file), "x"), /does not hold the key/],
    ["others can write to it", (path) => chmodSync(path, 0o777), /can be changed by others/],
    ["others can write to the folder in it", (path, file) => chmodSync(join(path, file, ".."), 0o777), /by others/],
  ])("refuses when %s", (_, spoil, message) => {
    const path = temporaryFolder();
    new RevealFolder(path).reveal(ED25519);
    spoil(path, keysIn(path)[0] ?? "");
    expect(() => new RevealFolder(path).reveal(ED25519)).toThrow(message);
  });

  test("a folder that is not to be had is told with what is tried again", () => {
    const path = join(temporaryFolder(), "a", "b");
    expect(() => new RevealFolder(path).reveal(ED25519)).toThrow(/cannot be published as .*no such file or directory/);
  });

  test.each(["ENOSPC", "EIO"])("%s at any call: nothing half is left, and the next call carries on", (code) => {
    for (let failAt = 1; ; failAt++) {
      const path = join(temporaryFolder(), "revealed");
      const { operations, calls } = faultyOperations(failAt, code);
      let failed = false;
      try {
        new RevealFolder(path, operations).reveal(ED25519);
      } catch (error) {
        failed = true;
        expect(String(error)).toContain("cannot be published");
      }
      if (!failed && calls.length < failAt) {
        expect(failAt).toBeGreaterThan(20);
        return;
      }
      new RevealFolder(path).reveal(ED25519);
      expect(keysIn(path)).toHaveLength(1);
    }
  });

  const openssl = requirePeer("openssl", "sha256sum", "base64", "sh");
  test.skipIf(openssl.skip)(`the README's recipe finds the key and proves it ${openssl.reason}`, () => {
    const path = temporaryFolder();
    const folder = new RevealFolder(path);
    for (const key of [RSA, ED25519]) {
      folder.reveal(key);
      const readme = readFileSync(join(path, "README.txt"), "utf8");
      const [p, name, place] = [...readme.matchAll(/^ {4}(.*)$/gm)].map(([, line = ""]) => line);
      const proof = /^ {4}(openssl .*)$/m.exec(readme)?.[1]?.replace("$name.pem", "$place");
      expect([p, place, proof]).toEqual([expect.any(String), expect.any(String), expect.any(String)]);
      const own = Buffer.from(octetsOf(key)).toString("base64");
      const script = `p='${own}'\n${name}\nplace=$(${place})\necho "$place"\n${proof}`;
      const [printed = "", spki = ""] = execFileSync("sh", ["-c", script], { cwd: path, encoding: "utf8" }).split("\n");
      expect(readFileSync(join(path, printed), "utf8")).toBe(encodePrivateKey(key, "pkcs8"));
      const found = Buffer.from(spki, "base64");
      expect(found.subarray(key.type === "rsa" ? 0 : -32).toString("base64")).toBe(own);
    }
  });
});

describe("which keys are published", () => {
  const A = parseKeyName("a.example", "m");
  const B = parseKeyName("b.example", "m");
  const JOURNAL: Journal = { domain: "a.example", keys: [] };

  async function storeOf(...keys: (readonly [KeyName, PrivateKey])[]) {
    const store = new DirectoryKeyStore({ path: temporaryFolder() });
    for (const [name, privateKey] of keys) await store.create(name, { privateKey, tags: {} });
    const path = temporaryFolder();
    const revealer = createKeyRevealers(store)(new RevealFolder(path));
    const retire = async (name: KeyName, key: PrivateKey) => {
      let revealed: boolean | undefined;
      const { record } = describeKey(key.publicKey);
      await revealer.retire(name, record, async (isRevealed) => {
        revealed = isRevealed;
        try {
          await store.remove(name);
        } catch {
          // It was not there.
        }
        return JOURNAL;
      });
      return revealed;
    };
    return { store, path, retire };
  }

  test("one that nothing else uses, before it is removed", async () => {
    const { store, path, retire } = await storeOf([A, ED25519], [B, RSA]);
    expect(await retire(A, ED25519)).toBe(true);
    expect(keysIn(path)).toHaveLength(1);
    await expect(store.read(A)).rejects.toThrow(/no key/);
    expect((await store.read(B)).privateKey.publicKey).toEqual(RSA.publicKey);
  });

  test("one under another name too, whether copied or linked: under its last name only", async () => {
    const { store, path, retire } = await storeOf([A, ED25519]);
    await store.share(B, A);
    expect(await retire(A, ED25519)).toBe(false);
    expect(keysIn(path)).toEqual([]);
    expect(await retire(B, ED25519)).toBe(true);
    expect(keysIn(path)).toHaveLength(1);
  });

  test("two names of one key at once: one of them publishes it", async () => {
    const { path, retire } = await storeOf([A, ED25519], [B, ED25519]);
    expect(await Promise.all([retire(A, ED25519), retire(B, ED25519)])).toEqual([false, true]);
    expect(keysIn(path)).toHaveLength(1);
  });

  test("one that an earlier run published and removed counts as published; one that was lost does not", async () => {
    const { store, retire } = await storeOf([A, ED25519]);
    expect(await retire(B, RSA)).toBe(false);
    expect(await retire(A, ED25519)).toBe(true);
    await expect(store.read(A)).rejects.toThrow();
    expect(await retire(A, ED25519)).toBe(true);
  });

  test("not another key that has taken its file", async () => {
    const { store, path, retire } = await storeOf([A, ED25519]);
    await expect(retire(A, RSA)).rejects.toThrow(/is not the one whose record has left the DNS/);
    expect(keysIn(path)).toEqual([]);
    expect((await store.read(A)).name).toEqual(A);
  });

  test("not while a file of the store cannot be read, which may hold it too", async () => {
    const { store, path, retire } = await storeOf([A, ED25519]);
    writeFileSync(join(store.location, "c.example.m.pem"), "junk", { mode: 0o600 });
    await expect(retire(A, ED25519)).rejects.toThrow(/c\.example\.m\.pem holds the same key cannot be told/);
    expect(keysIn(path)).toEqual([]);
    expect((await store.read(A)).name).toEqual(A);
  });

  test("not when the folder refuses: it stays in the store", async () => {
    const { store, path, retire } = await storeOf([A, ED25519]);
    chmodSync(path, 0o777);
    await expect(retire(A, ED25519)).rejects.toThrow(/by others/);
    expect((await store.read(A)).name).toEqual(A);
  });
});

describe("--reveal and rotation.reveal", () => {
  test.each<[string, (store: string) => string[], string]>([
    ["the store itself", (store) => ["--reveal", store], ""],
    ["a folder in it", (store) => ["--reveal", join(store, "old")], ""],
    ["a folder in it, by a domain's setting", () => [], `[domain."a.example"]\nreveal = "STORE/old"\n`],
  ])("%s is refused", async (_, options, settings) => {
    const store = temporaryFolder();
    const config = join(temporaryFolder(), "c.toml");
    writeFileSync(config, settings.replace("STORE", store));
    const result = await runCli(["rotate", ...options(store), "--config", config], { store });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("private keys must not be published in the store itself");
    expect(result.files).toEqual([]);
  });

  test("beside the store, whose name it begins with, is fine", async () => {
    const store = temporaryFolder();
    const argv = ["rotate", "--reveal", `${store}-old`];
    const resolver = fakeResolver({});
    const pool = { connect: () => resolver, close: async () => {} };
    expect(await runCli(argv, { store, resolver, pool })).toMatchObject({ exitCode: 0, stderr: "" });
  });
});
