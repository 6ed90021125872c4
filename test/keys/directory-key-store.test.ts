import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DirectoryKeyStore, type DirectoryKeyStoreOptions } from "../../src/keys/directory-key-store.ts";
import { compareKeyNames, type KeyName, keyFileName, parseKeyName } from "../../src/keys/key-name.ts";
import type { KeyStoreEntry, PublicKeyEntry } from "../../src/keys/key-store.ts";
import { encodePrivateKey, toPrivateKeyObject } from "../../src/keys/private-key.ts";
import { faultyOperations, MAIL, temporaryFolder, testKey } from "../helpers/store.ts";

function emptyStore(options: Partial<DirectoryKeyStoreOptions> = {}): DirectoryKeyStore {
  return new DirectoryKeyStore({ path: temporaryFolder(), ...options });
}

function pem(number: number): string {
  return encodePrivateKey(testKey(number).privateKey, "pkcs8");
}

async function entries(store: DirectoryKeyStore, filter?: (name: { domain: string }) => boolean) {
  const found: KeyStoreEntry[] = [];
  for await (const entry of store.list(filter)) found.push(entry);
  return found;
}

function brief(entry: KeyStoreEntry): string {
  return entry.kind === "key"
    ? `${entry.name.domain} ${entry.name.selector}`
    : `${basename(entry.location)}: ${entry.reason}`;
}

describe("listing", () => {
  test("by domain, then selector; only *.pem; the rest is ignored", async () => {
    const store = emptyStore();
    for (const file of ["b.example.s.pem", "a.example.z.pem", "a.example.b%2Ec.pem", "a.example.b-c.pem"]) {
      writeFileSync(join(store.location, file), pem(1));
    }
    writeFileSync(join(store.location, "a-b.example.s.pem"), pem(1));
    for (const file of ["a.example.z.pem.20250101T000000Z.bak", "a.txt", ".#x.pem", "x.pem~", ".a.pem.swp"]) {
      writeFileSync(join(store.location, file), "");
    }
    mkdirSync(join(store.location, ".dkimctl"));
    expect((await entries(store)).map(brief)).toEqual([
      "a-b.example s",
      "a.example b-c",
      "a.example b.c",
      "a.example z",
      "b.example s",
    ]);
  });

  test("what is no key is told by name and hides nothing", async () => {
    const store = emptyStore();
    const at = (file: string) => join(store.location, file);
    writeFileSync(at("key.pem"), pem(1));
    writeFileSync(at("Example.com.mail.pem"), pem(1));
    writeFileSync(at("z.example.good.pem"), pem(1));
    mkdirSync(at("example.com.folder.pem"));
    symlinkSync("nowhere", at("example.com.dangling.pem"));
    symlinkSync("example.com.loop.pem", at("example.com.loop.pem"));
    execFileSync("mkfifo", [at("example.com.fifo.pem")]);
    const found = await entries(store);
    expect(found.map(brief)).toEqual([
      "key.pem: the file name is not <domain>.<selector>.pem",
      "Example.com.mail.pem: a key of mail._domainkey.example.com must be stored as example.com.mail.pem",
      "example.com.dangling.pem: it is a symbolic link to a file that is not there",
      "example.com.fifo.pem: it is no regular file",
      "example.com.folder.pem: it is a folder, not a key file",
      "example.com.loop.pem: it cannot be read: too many symbolic links encountered",
      "z.example good",
    ]);
    expect(found[2]).toMatchObject({ hint: `see where it points: readlink ${at("example.com.dangling.pem")}` });
  });

  test("the filter comes before anything else", async () => {
    const store = emptyStore();
    symlinkSync("nowhere", join(store.location, "a.example.dangling.pem"));
    writeFileSync(join(store.location, "b.example.s.pem"), "");
    expect((await entries(store, ({ domain }) => domain === "b.example")).map(brief)).toEqual(["b.example s"]);
  });

  test("no folder, no store", async () => {
    const path = join(temporaryFolder(), "none");
    const store = new DirectoryKeyStore({ path });
    const error = { code: "DKIM_KEY_STORE", message: `there is no key store at ${path}` };
    await expect(entries(store)).rejects.toMatchObject(error);
    await expect(store.read(MAIL)).rejects.toMatchObject(error);
    await expect(store.create(MAIL, testKey(1))).rejects.toMatchObject(error);
    await expect(store.lock()).rejects.toMatchObject({
      ...error,
      hint: "make one with dkimctl init, or name another one with --store",
    });
    writeFileSync(path, "");
    await expect(entries(store)).rejects.toMatchObject({ message: `the key store ${path} is not a folder` });
  });

  test("20,000 names, in order", async () => {
    const store = emptyStore();
    for (let i = 0; i < 20_000; i++) symlinkSync("x", join(store.location, `d${i % 977}.example.s${i}.pem`));
    writeFileSync(join(store.location, "x"), "");
    let previous = "";
    let count = 0;
    for await (const entry of store.list()) {
      if (entry.kind !== "key") throw new Error(entry.reason);
      const current = `${entry.name.domain}\0${entry.name.selector}`;
      expect(current > previous).toBe(true);
      previous = current;
      count++;
    }
    expect(count).toBe(20_000);
  });
});

describe("reading", () => {
  test("a key, with nothing to warn of", async () => {
    const store = emptyStore();
    await store.create(MAIL, testKey(1));
    const key = await store.read(MAIL);
    expect(key).toMatchObject({ name: MAIL, format: "pkcs8", encoding: "pem", tags: {}, warnings: [] });
    expect(key.privateKey).toEqual(testKey(1).privateKey);
    expect(key.location).toBe(join(store.location, "example.com.mail.pem"));
  });

  test.each<[string, (path: string) => void, string]>([
    ["an empty file", (path) => writeFileSync(path, ""), "PATH is empty"],
    [
      "a large file",
      (path) => writeFileSync(path, Buffer.alloc(300_000)),
      "PATH has 300000 octets; no key file is that long",
    ],
    ["a fifo", (path) => void execFileSync("mkfifo", [path]), "PATH is a named pipe, not a key file"],
    ["a folder", (path) => mkdirSync(path), "PATH is a folder, not a key file"],
    ["a device", (path) => symlinkSync("/dev/null", path), "PATH is a device, not a key file"],
    ["a dangling link", (path) => symlinkSync("x", path), "PATH is a symbolic link to a file that is not there"],
  ])("%s is refused by name", async (_, make, message) => {
    const store = emptyStore();
    const path = join(store.location, keyFileName(MAIL));
    make(path);
    await expect(store.read(MAIL)).rejects.toMatchObject({
      code: "DKIM_KEY_FILE",
      message: message.replace("PATH", path),
    });
  });

  test("nothing there", async () => {
    await expect(emptyStore().read(MAIL)).rejects.toMatchObject({
      code: "DKIM_KEY_NOT_FOUND",
      hint: expect.stringContaining("dkimctl keygen -d example.com -s mail"),
    });
  });

  test("an encrypted key asks for its passphrase", async () => {
    const folder = temporaryFolder();
    const { createPrivateKey } = await import("node:crypto");
    const cipher = { format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "secret" } as const;
    writeFileSync(join(folder, keyFileName(MAIL)), createPrivateKey(pem(7)).export(cipher), { mode: 0o600 });
    const asked: string[] = [];
    const opened = (answer: string | undefined) =>
      new DirectoryKeyStore({
        path: folder,
        passphrase: async (location) => {
          asked.push(location);
          return answer;
        },
      }).read(MAIL);
    expect((await opened("secret")).privateKey).toEqual(testKey(7).privateKey);
    await expect(opened("wrong")).rejects.toMatchObject({
      code: "DKIM_KEY_FILE",
      message: expect.stringContaining("does not open"),
    });
    await expect(opened(undefined)).rejects.toMatchObject({
      message: expect.stringContaining("is an encrypted private key"),
    });
    expect(asked).toEqual(Array(3).fill(join(folder, keyFileName(MAIL))));
  });
});

describe("public halves", () => {
  const rsaPem = readFileSync(join(import.meta.dirname, "../vectors/keys/rsa1024.pem"), "utf8");
  async function groups(store: DirectoryKeyStore, filter?: (name: { domain: string }) => boolean) {
    const found: (readonly PublicKeyEntry[])[] = [];
    for await (const group of store.readPublicKeys(filter)) found.push(group.map(withNumbers));
    return found;
  }

  /** The numbers of a key may be decoded only when they are asked for. */
  function withNumbers(entry: PublicKeyEntry): PublicKeyEntry {
    if (entry.kind !== "key" || entry.key.publicKey.type !== "rsa") return entry;
    const { type, modulus, exponent, modulusBits } = entry.key.publicKey;
    return { ...entry, key: { ...entry.key, publicKey: { type, modulus, exponent, modulusBits } } };
  }

  /** What `list` and `read` say of the same store. */
  async function oneByOne(store: DirectoryKeyStore): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const entry of await entries(store)) {
      if (entry.kind === "problem") found.push(entry);
      else {
        const { name } = entry;
        found.push(
          await store.read(name).then(
            ({ location, tags, warnings, privateKey: { publicKey } }) => ({
              kind: "key",
              key: { name, location, publicKey, tags, warnings },
            }),
            (error: unknown) => ({ kind: "failed", name, error }),
          ),
        );
      }
    }
    return found;
  }

  test("as list and read tell them, problems and warnings included", async () => {
    const store = emptyStore({ passphrase: async () => undefined });
    const file = (name: string) => join(store.location, name);
    for (const name of [
      "a.example.s.pem",
      "b.example.s.pem",
      "z.example.s.pem",
      "a-b.example.s.pem",
      "a.example.b%2Ec.pem",
    ]) {
      writeFileSync(file(name), rsaPem, { mode: 0o600 });
    }
    await store.create(parseKeyName("c.example", "tags"), testKey(1, { note: "n" }));
    writeFileSync(file("d.example.damaged.pem"), rsaPem.replace("M", "N"), { mode: 0o600 });
    writeFileSync(file("d.example.cut.pem"), rsaPem.slice(0, 200), { mode: 0o600 });
    writeFileSync(file("d.example.empty.pem"), "", { mode: 0o600 });
    writeFileSync(file("d.example.open.pem"), rsaPem);
    chmodSync(file("d.example.open.pem"), 0o644);
    writeFileSync(file("d.example.crlf.pem"), rsaPem.replaceAll("\n", "\r\n"), { mode: 0o600 });
    writeFileSync(file("d.example.large.pem"), rsaPem + "#".repeat(20_000), { mode: 0o600 });
    symlinkSync("a.example.s.pem", file("e.example.link.pem"));
    symlinkSync("nowhere", file("e.example.dangling.pem"));
    mkdirSync(file("e.example.folder.pem"));
    execFileSync("mkfifo", [file("e.example.fifo.pem")]);
    writeFileSync(file("UPPER.example.s.pem"), rsaPem);
    writeFileSync(file("nodot.pem"), rsaPem);
    writeFileSync(file("f.1.s.pem"), rsaPem);
    const found = (await groups(store)).flat();
    expect(found).toEqual(
      await oneByOne(new DirectoryKeyStore({ path: store.location, passphrase: async () => undefined })),
    );
    expect(found.map(({ kind }) => kind).sort()).toEqual([
      ...Array(3).fill("failed"),
      ...Array(10).fill("key"),
      ...Array(6).fill("problem"),
    ]);
  });

  test("in the order of names, whatever that of the files", async () => {
    const store = emptyStore();
    const names = ["a.example", "a-b.example", "a.example.org", "a0.example", "b.a.example", "a.exampl"].flatMap(
      (domain) => ["s", "s.t", "s-t", "s0", "s_t", "a", "z"].map((selector) => parseKeyName(domain, selector)),
    );
    for (const name of names) writeFileSync(join(store.location, keyFileName(name)), rsaPem, { mode: 0o600 });
    const found = (await groups(store)).flat().map((entry) => (entry.kind === "key" ? entry.key.name : entry.name));
    expect(found).toEqual(names.toSorted(compareKeyNames));
    expect((await entries(store)).map(({ name }) => name)).toEqual(found);
  });

  test("the first by itself, so that its reader can begin; then many at once", async () => {
    const store = emptyStore();
    for (let i = 0; i < 200; i++) writeFileSync(join(store.location, `d${i}.example.s.pem`), rsaPem, { mode: 0o600 });
    const sizes = (await groups(store)).map(({ length }) => length);
    expect(sizes[0]).toBe(1);
    expect(Math.max(...sizes)).toBeGreaterThan(10);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(200);
    expect((await groups(store, ({ domain }) => domain === "d7.example")).flat()).toHaveLength(1);
  });

  test("an encrypted key asks for its passphrase", async () => {
    const asked: string[] = [];
    const store = emptyStore({
      passphrase: async (location) => {
        asked.push(basename(location));
        return "a passphrase";
      },
    });
    const { privateKey } = testKey(3);
    const pkcs8 = toPrivateKeyObject(privateKey).export({
      ...{ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "a passphrase" },
    });
    writeFileSync(join(store.location, keyFileName(MAIL)), pkcs8, { mode: 0o600 });
    expect((await groups(store)).flat()).toMatchObject([{ kind: "key", key: { publicKey: privateKey.publicKey } }]);
    expect(asked).toEqual([keyFileName(MAIL)]);
  });

  test("no folder, no store", async () => {
    const store = new DirectoryKeyStore({ path: join(temporaryFolder(), "none") });
    await expect(groups(store)).rejects.toMatchObject({ code: "DKIM_KEY_STORE" });
  });
});

describe("warnings about permissions", () => {
  test.each<[number, number | undefined, string | undefined]>([
    [0o600, undefined, undefined],
    [0o400, undefined, undefined],
    [0o640, 0o640, undefined],
    // The signer reads it by its group.
    [0o640, undefined, undefined],
    [0o644, undefined, "be read by others (mode 0644); run: chmod 0640"],
    [0o644, 0o640, "be read by others (mode 0644); run: chmod 0640"],
    [0o604, undefined, "be read by others (mode 0604); run: chmod 0600"],
    [0o620, undefined, "be changed by the group (mode 0620); run: chmod 0600"],
    [0o666, 0o640, "be read by others and be changed by group and others (mode 0666); run: chmod 0640"],
  ])("a file of mode %o where %o is configured", async (mode, allowed, warning) => {
    const store = emptyStore({ mode: allowed });
    const path = join(store.location, keyFileName(MAIL));
    writeFileSync(path, pem(1));
    chmodSync(path, mode);
    const { warnings } = await store.read(MAIL);
    expect(warnings).toEqual(warning === undefined ? [] : [`${path} can ${warning} ${path}`]);
  });

  test("folders on the real path, once for all keys", async () => {
    const root = temporaryFolder();
    const [loose, keys, elsewhere] = [join(root, "it's"), join(root, "it's/keys"), join(root, "elsewhere")];
    for (const folder of [loose, keys, elsewhere]) mkdirSync(folder);
    chmodSync(loose, 0o775);
    chmodSync(keys, 0o1777);
    chmodSync(elsewhere, 0o757);
    writeFileSync(join(elsewhere, "any.key"), pem(1), { mode: 0o600 });
    writeFileSync(join(keys, "example.com.other.pem"), pem(2), { mode: 0o600 });
    symlinkSync(join(elsewhere, "any.key"), join(keys, keyFileName(MAIL)));
    const store = new DirectoryKeyStore({ path: keys });
    expect((await store.read(MAIL)).warnings).toEqual([
      `the folder ${keys} can be written by group and others (mode 1777), who could put other keys there; run: chmod go-w '${root}/it'\\''s/keys'`,
      `the folder ${loose} can be written by the group (mode 0775), who could put other keys there; run: chmod g-w '${root}/it'\\''s'`,
      `the folder ${elsewhere} can be written by others (mode 0757), who could put other keys there; run: chmod o-w ${elsewhere}`,
    ]);
    expect((await store.read(parseKeyName("example.com", "other"))).warnings).toEqual([]);
  });
});

describe("creating", () => {
  test.each([0o000, 0o077, 0o777])("mode 0600 whatever the umask (%o), no left-overs", async (umask) => {
    const store = emptyStore();
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
    await store.create(MAIL, testKey(1));
    expect(statSync(join(store.location, keyFileName(MAIL))).mode & 0o7777).toBe(0o600);
    expect(readdirSync(store.location)).toEqual(["example.com.mail.pem"]);
  });

  test("never readable by others, at no step", async () => {
    const folder = temporaryFolder();
    const modes = new Set<number>();
    const { operations } = faultyOperations(() => {
      for (const file of readdirSync(folder)) modes.add(statSync(join(folder, file)).mode & 0o777);
      return false;
    });
    await new DirectoryKeyStore({ path: folder, mode: 0o640, operations }).create(MAIL, testKey(1));
    expect([...modes]).toEqual([0o600, 0o640]);
  });

  test.each([
    [0o644, "would let every user of this machine read the private key"],
    [0o660, "would let users other than the owner change the private key"],
    [0o200, "is not one for a key file"],
    [0o755, "is not one for a key file"],
  ])("mode %o is refused", async (mode, message) => {
    const store = emptyStore({ mode });
    await expect(store.create(MAIL, testKey(1))).rejects.toMatchObject({
      code: "DKIM_FILE_ACCESS",
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    expect(readdirSync(store.location)).toEqual([]);
  });

  test("mode 0644 where it is insisted on", async () => {
    const store = emptyStore({ mode: 0o644, allowInsecurePermissions: true });
    await store.create(MAIL, testKey(1));
    expect(statSync(join(store.location, keyFileName(MAIL))).mode & 0o777).toBe(0o644);
    expect((await store.read(MAIL)).warnings).toEqual([]);
  });

  test.each([
    ["owner", "no-such-user", `there is no user "no-such-user" in /etc/passwd`],
    ["group", "no such:group", `there is no group "no such:group" in /etc/group`],
  ])("an unknown %s, before anything is made", async (key, value, message) => {
    const store = emptyStore({ [key]: value });
    await expect(store.create(MAIL, testKey(1))).rejects.toMatchObject({ code: "DKIM_FILE_ACCESS", message });
    expect(readdirSync(store.location)).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)("owner and group by name and number (needs root)", async () => {
    const store = emptyStore({ mode: 0o640, owner: "nobody", group: "12345" });
    await store.create(MAIL, testKey(1, { note: "x" }));
    const nobody = Number(execFileSync("id", ["-u", "nobody"], { encoding: "utf8" }));
    expect(statSync(join(store.location, keyFileName(MAIL)))).toMatchObject({
      uid: nobody,
      gid: 12345,
      mode: 0o100640,
    });
    expect(statSync(join(store.location, ".dkimctl/tags"))).toMatchObject({ uid: nobody, gid: 12345, mode: 0o040750 });
  });

  test.each<[string, (path: string) => void]>([
    ["a key", (path) => writeFileSync(path, "old")],
    ["a dangling link", (path) => symlinkSync("elsewhere", path)],
    ["a folder", (path) => mkdirSync(path)],
  ])("never over %s", async (_, make) => {
    const store = emptyStore();
    const path = join(store.location, keyFileName(MAIL));
    make(path);
    await expect(store.create(MAIL, testKey(1, { note: "x" }))).rejects.toMatchObject({
      code: "DKIM_KEY_EXISTS",
      hint: expect.stringContaining("--force"),
    });
    expect(readdirSync(store.location)).toEqual([keyFileName(MAIL)]);
    if (lstatSync(path).isFile()) expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("a name too long for a file", async () => {
    const store = emptyStore();
    const long = parseKeyName(`${"a".repeat(60)}.example`, Array(80).fill("b").join("."));
    await expect(store.create(long, testKey(1, { note: "x" }))).rejects.toMatchObject({
      code: "DKIM_KEY_STORE",
      message: expect.stringMatching(/a file's name has 255 octets at most, and this one would have 390$/),
      hint: expect.stringContaining("shorter selector"),
    });
    const [outcome] = await store.createMany([{ ...testKey(1, { note: "x" }), name: long }]);
    expect(outcome).toMatchObject({ kind: "failed", error: { hint: expect.stringContaining("shorter selector") } });
    expect(readdirSync(store.location)).toEqual([".dkimctl"]);
    expect(readdirSync(join(store.location, ".dkimctl/tags"))).toEqual([]);
  });

  test("without hard links, the name is made with O_EXCL", async () => {
    for (const code of ["EPERM", "ENOTSUP"]) {
      const folder = temporaryFolder();
      const { operations } = faultyOperations((call) => call === "linkSync", code);
      const store = new DirectoryKeyStore({ path: folder, operations });
      await store.create(MAIL, testKey(1));
      await expect(store.create(MAIL, testKey(2))).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
      expect(readFileSync(join(folder, keyFileName(MAIL)), "utf8")).toBe(pem(1));
      const { backup } = await store.replace(MAIL, testKey(2));
      expect(readFileSync(join(folder, keyFileName(MAIL)), "utf8")).toBe(pem(2));
      expect(readFileSync(String(backup), "utf8")).toBe(pem(1));
      expect(statSync(String(backup)).mode & 0o777).toBe(0o600);
    }
  });
});

describe("a fault at any call", () => {
  const TAGS = { flags: ["s"] };

  test.each(["EIO", "ENOSPC"])("of create (%s) leaves nothing and can be tried again", async (code) => {
    let failAt = 1;
    for (let done = false; !done; failAt++) {
      const folder = temporaryFolder();
      const { operations, calls } = faultyOperations(failAt, code);
      const store = new DirectoryKeyStore({ path: folder, operations });
      const outcome = await store.create(MAIL, testKey(1, TAGS)).then(
        () => undefined,
        (error: unknown) => error,
      );
      done = calls.length < failAt;
      const files = readdirSync(folder).filter((file) => file !== ".dkimctl");
      if (outcome === undefined) {
        expect(files).toEqual([keyFileName(MAIL)]);
      } else {
        expect(outcome).toMatchObject({ code: "DKIM_KEY_STORE", exitCode: 3 });
        expect(files, calls.join(" ")).toEqual([]);
        await store.create(MAIL, testKey(1, TAGS));
      }
      expect((await store.read(MAIL)).tags).toEqual(TAGS);
    }
    expect(failAt).toBeGreaterThan(20);
  });

  test("of replace leaves the old key or the new one, never neither", async () => {
    let failures = 0;
    for (let failAt = 1; ; failAt++) {
      const folder = temporaryFolder();
      await new DirectoryKeyStore({ path: folder }).create(MAIL, testKey(1, TAGS));
      const { operations, calls } = faultyOperations(failAt);
      const store = new DirectoryKeyStore({ path: folder, operations });
      const replaced = await store.replace(MAIL, testKey(2)).then(
        () => true,
        () => false,
      );
      const { privateKey, tags } = await store.read(MAIL);
      if (!replaced) {
        failures++;
        expect({ failAt, privateKey, tags }).toEqual({ failAt, privateKey: testKey(1).privateKey, tags: TAGS });
      } else expect({ privateKey, tags }).toEqual({ privateKey: testKey(2).privateKey, tags: {} });
      if (calls.length < failAt) break;
    }
    expect(failures).toBeGreaterThan(10);
  });

  test("a folder that cannot be synced because there is nothing to sync is none", async () => {
    const folder = temporaryFolder();
    let syncs = 0;
    const { operations } = faultyOperations((call) => call === "fsyncSync" && ++syncs === 2, "EINVAL");
    await new DirectoryKeyStore({ path: folder, operations }).create(MAIL, testKey(1));
    expect(syncs).toBe(2);
  });
});

describe("creating many", () => {
  const NAMES = Array.from({ length: 300 }, (_, i) => parseKeyName(`d${i}.example`, "mail"));
  const [first, second, third] = NAMES as [KeyName, KeyName, KeyName];

  test("as one by one, in their order", async () => {
    const store = emptyStore({ mode: 0o640 });
    await store.create(second, testKey(1));
    const outcomes = await store.createMany(NAMES.map((name) => ({ ...testKey(2, { note: "x" }), name })));
    expect(outcomes[0]).toEqual({ kind: "created", location: join(store.location, keyFileName(first)) });
    expect(outcomes[1]).toMatchObject({ kind: "failed", error: { code: "DKIM_KEY_EXISTS" } });
    expect(outcomes.filter(({ kind }) => kind === "created")).toHaveLength(299);
    expect(await store.read(first)).toMatchObject({ ...testKey(2, { note: "x" }), warnings: [] });
    expect(await store.read(second)).toMatchObject(testKey(1));
    expect(statSync(join(store.location, keyFileName(third))).mode & 0o777).toBe(0o640);
    expect(readdirSync(store.location)).toHaveLength(301);
    expect(readdirSync(join(store.location, ".dkimctl/tags"))).toHaveLength(299);
  });

  test("the same name twice: one of them", async () => {
    const store = emptyStore();
    const outcomes = await store.createMany([1, 2].map((number) => ({ ...testKey(number), name: MAIL })));
    expect(outcomes).toMatchObject([{ kind: "created" }, { kind: "failed", error: { code: "DKIM_KEY_EXISTS" } }]);
    expect(await store.read(MAIL)).toMatchObject(testKey(1));
  });

  test("nothing where there is no store", async () => {
    const store = new DirectoryKeyStore({ path: join(temporaryFolder(), "none") });
    await expect(store.createMany([{ ...testKey(1), name: MAIL }])).rejects.toMatchObject({ code: "DKIM_KEY_STORE" });
  });

  test.each(["EIO", "ENOSPC"])("a fault at any call (%s): what is told is there, the rest is not", async (code) => {
    const wanted = NAMES.slice(0, 3).map((name, i) => ({ ...testKey(i, { note: "x" }), name }));
    let failures = 0;
    for (let failAt = 1; ; failAt++) {
      const folder = temporaryFolder();
      const { operations, calls } = faultyOperations(failAt, code);
      const outcomes = await new DirectoryKeyStore({ path: folder, operations }).createMany(wanted).catch(() => []);
      const store = new DirectoryKeyStore({ path: folder });
      for (const [i, key] of wanted.entries()) {
        const isThere = existsSync(join(folder, keyFileName(key.name)));
        expect({ failAt, i, isThere }).toEqual({ failAt, i, isThere: outcomes[i]?.kind === "created" });
        if (isThere) expect(await store.read(key.name)).toMatchObject(key);
      }
      if (outcomes.some(({ kind }) => kind === "failed")) failures++;
      const again = await store.createMany(wanted);
      expect(again.map(({ kind }) => kind)).toEqual(
        wanted.map((_, i) => (outcomes[i]?.kind === "created" ? "failed" : "created")),
      );
      if (calls.length < failAt) break;
    }
    expect(failures).toBeGreaterThan(20);
  });
});

describe("replacing", () => {
  const clock = () => new Date("2025-03-04T05:06:07.890Z");

  test("keeps the old key, also twice in a second", async () => {
    const store = emptyStore({ clock });
    expect(await store.replace(MAIL, testKey(1))).toMatchObject({ backup: undefined });
    const backup = `${join(store.location, keyFileName(MAIL))}.20250304T050607Z`;
    expect(await store.replace(MAIL, testKey(2))).toMatchObject({ backup: `${backup}.bak` });
    expect(await store.replace(MAIL, testKey(3))).toMatchObject({ backup: `${backup}-2.bak` });
    expect(readFileSync(`${backup}.bak`, "utf8")).toBe(pem(1));
    expect(readFileSync(`${backup}-2.bak`, "utf8")).toBe(pem(2));
    expect((await store.read(MAIL)).privateKey).toEqual(testKey(3).privateKey);
    expect((await entries(store)).map(brief)).toEqual(["example.com mail"]);
  });

  test("a shared key is left to its other names", async () => {
    const store = emptyStore({ clock });
    const other = parseKeyName("other.example", "mail");
    await store.create(MAIL, testKey(1));
    await store.share(other, MAIL);
    const { backup } = await store.replace(other, testKey(2));
    expect((await store.read(MAIL)).privateKey).toEqual(testKey(1).privateKey);
    expect(readlinkSync(String(backup))).toBe(keyFileName(MAIL));
  });

  test("a backup that is put back has its own tags", async () => {
    const store = emptyStore({ clock });
    await store.create(MAIL, testKey(1, { flags: ["y"] }));
    const { location, backup } = await store.replace(MAIL, testKey(2, { note: "new" }));
    expect((await store.read(MAIL)).tags).toEqual({ note: "new" });
    execFileSync("mv", [String(backup), location]);
    expect((await store.read(MAIL)).tags).toEqual({ flags: ["y"] });
  });

  test("waits for no holder of the lock but itself", async () => {
    const store = emptyStore();
    const lock = await store.lock();
    await store.replace(MAIL, testKey(1));
    await lock.release();
    expect(readdirSync(join(store.location, ".dkimctl"))).toEqual([]);
  });
});

describe("a key that several names share, when that of its file is removed", () => {
  const names = ["b.example", "c.example", "d.example"].map((domain) => parseKeyName(domain, "s"));
  const ownMaking = ["a.example", "e.example", "g.example"].map((domain) => parseKeyName(domain, "s"));
  const shared = async (options: Partial<DirectoryKeyStoreOptions> = {}) => {
    const path = temporaryFolder();
    const store = new DirectoryKeyStore({ path });
    await store.create(MAIL, testKey(1));
    for (const name of names) await store.share(name, MAIL);
    // Of one's own making: a link to a link, by an absolute path, beside links that have nothing to do with it.
    symlinkSync(join(path, "c.example.s.pem"), join(path, "e.example.s.pem"));
    symlinkSync("nowhere", join(path, "f.example.s.pem"));
    symlinkSync("c.example.s.pem", join(path, "a.example.s.pem"));
    const elsewhere = join(temporaryFolder(), "link");
    symlinkSync(join(path, keyFileName(MAIL)), elsewhere);
    symlinkSync(elsewhere, join(path, "g.example.s.pem"));
    return { path, store: new DirectoryKeyStore({ path, ...options }) };
  };
  const readable = async (path: string) => {
    const store = new DirectoryKeyStore({ path });
    const keys = await Promise.all([...names, ...ownMaking].map(async (name) => (await store.read(name)).privateKey));
    return keys.every((key) => encodePrivateKey(key, "pkcs8") === pem(1));
  };

  test("lives on under the others, one of which is its file then", async () => {
    const { path, store } = await shared();
    await store.remove(MAIL);
    expect(lstatSync(join(path, "a.example.s.pem")).isFile()).toBe(true);
    expect(await readable(path)).toBe(true);
    expect(readlinkSync(join(path, "f.example.s.pem"))).toBe("nowhere");
    await expect(store.read(MAIL)).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
    for (const name of names.slice(0, 2)) await store.remove(name);
    expect(encodePrivateKey((await store.read(names[2] ?? MAIL)).privateKey, "pkcs8")).toBe(pem(1));
  });

  test("is not lost under the names that link to the link that is removed", async () => {
    const { path, store } = await shared();
    await store.remove(parseKeyName("c.example", "s"));
    for (const name of [MAIL, ...ownMaking]) {
      expect(encodePrivateKey((await store.read(name)).privateKey, "pkcs8")).toBe(pem(1));
    }
    expect(existsSync(join(path, "c.example.s.pem"))).toBe(false);
  });

  test("is lost under none of them, whichever call fails", async () => {
    for (let failAt = 1; ; failAt++) {
      const { operations, calls } = faultyOperations(failAt);
      const { path, store } = await shared({ operations });
      const failed = await store.remove(MAIL).then(
        () => false,
        () => true,
      );
      expect(await readable(path), `call ${failAt}`).toBe(true);
      if (!failed && calls.length < failAt) break;
      if (existsSync(join(path, keyFileName(MAIL)))) await new DirectoryKeyStore({ path }).remove(MAIL);
      expect(await readable(path), `after call ${failAt}`).toBe(true);
    }
  });
});

describe("tags", () => {
  const TAGS = { hashAlgorithms: ["sha256"], serviceTypes: ["email", "*"], flags: ["y", "s"], note: 'é "; \n' };

  test("are kept with the key and go with it", async () => {
    const store = emptyStore();
    await store.create(MAIL, testKey(1, TAGS));
    expect((await new DirectoryKeyStore({ path: store.location }).read(MAIL)).tags).toEqual(TAGS);
    expect(statSync(join(store.location, ".dkimctl/tags")).mode & 0o777).toBe(0o700);
    await store.remove(MAIL);
    expect(readdirSync(join(store.location, ".dkimctl/tags"))).toEqual([]);
    await expect(store.remove(MAIL)).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
  });

  test("of the same key under the same name, made anew without", async () => {
    const store = emptyStore();
    await store.create(MAIL, testKey(1, TAGS));
    execFileSync("rm", [join(store.location, keyFileName(MAIL))]);
    await store.create(MAIL, testKey(1));
    expect((await store.read(MAIL)).tags).toEqual({});
  });

  test("are copied to a name that shares the key", async () => {
    const store = emptyStore();
    const other = parseKeyName("other.example", "a.b");
    await store.create(MAIL, testKey(1, TAGS));
    const { location } = await store.share(other, MAIL);
    expect(readlinkSync(location)).toBe("example.com.mail.pem");
    expect(await store.read(other)).toMatchObject({ tags: TAGS, warnings: [] });
    await expect(store.share(other, MAIL)).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
    await expect(store.share(other, parseKeyName("no.example", "s"))).rejects.toMatchObject({
      code: "DKIM_KEY_NOT_FOUND",
    });
    await store.remove(other);
    expect((await store.read(MAIL)).tags).toEqual(TAGS);
  });

  test("a name of 241 characters", async () => {
    const store = emptyStore();
    const label = "a".repeat(58);
    const long = parseKeyName(`${label}.${label}.${label}.example`, label.slice(3));
    await store.create(long, testKey(1, TAGS));
    expect((await store.read(long)).tags).toEqual(TAGS);
  });

  test.each([
    ["{", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    ["null", "it is not a JSON object"],
    ["{}", `its schema is not "dkimctl/tags/1"`],
    [`{"schema":"dkimctl/tags/1","note":1}`, `"note" is not a text`],
    [`{"schema":"dkimctl/tags/1","flags":"s"}`, `"flags" is not a list of words as a key record holds them`],
    [`{"schema":"dkimctl/tags/1","flags":["s; p="]}`, `"flags" is not a list of words as a key record holds them`],
    [`{"schema":"dkimctl/tags/1","flag":["s"]}`, `"flag" is not known here`],
  ])("a file that was edited to %s", async (text, reason) => {
    const store = emptyStore();
    await store.create(MAIL, testKey(1, TAGS));
    const folder = join(store.location, ".dkimctl/tags");
    const path = join(folder, String(readdirSync(folder)[0]));
    writeFileSync(path, text);
    await expect(store.read(MAIL)).rejects.toMatchObject({
      code: "DKIM_KEY_FILE",
      message: `the tags kept with the key, ${path}, cannot be used: ${reason}`,
      hint: `mend the file, or do without the tags: rm ${path}`,
    });
    await store.remove(MAIL);
    expect(existsSync(join(store.location, keyFileName(MAIL)))).toBe(false);
  });
});
