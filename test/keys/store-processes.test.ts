import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { keyFileName, parseKeyName } from "../../src/keys/key-name.ts";
import { currentProcess } from "../../src/keys/process-identity.ts";
import { compiledSource } from "../helpers/compiled-source.ts";
import { requirePeer } from "../helpers/peers.ts";
import { MAIL, temporaryFolder, testKey } from "../helpers/store.ts";

const CHILD = join(import.meta.dirname, "../helpers/store-child.js");
const KEY_FILE = keyFileName(MAIL);
const TAGS = { flags: ["s"] };
const isRoot = process.getuid?.() === 0;
const onLinux = existsSync("/proc/self/stat");
let source: string;

beforeAll(() => {
  const { path, remove } = compiledSource();
  source = path;
  return remove;
}, 60_000);

function run(...parameters: string[]): { killed: boolean; status: number | null; stderr: string } {
  const { signal, status, stderr } = spawnSync(process.execPath, [CHILD, source, ...parameters], { encoding: "utf8" });
  return { killed: signal === "SIGKILL", status, stderr };
}

function start(...parameters: string[]): { child: ChildProcess; output: () => string; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [CHILD, source, ...parameters], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  child.stderr.on("data", (data) => {
    output += data;
  });
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, output: () => output, ended };
}

function visible(folder: string): string[] {
  return readdirSync(folder).filter((file) => !file.startsWith("."));
}

describe.skipIf(!onLinux)("SIGKILL before any call", () => {
  test("of create leaves the whole key or nothing; the next run tidies", async () => {
    const seen = new Set<string>();
    for (let killAt = 1; ; killAt += 1) {
      const folder = temporaryFolder();
      const { killed, status, stderr } = run("create", folder, String(killAt));
      const files = visible(folder);
      seen.add(files.join());
      const store = new DirectoryKeyStore({ path: folder });
      if (files.length > 0) {
        expect(files).toEqual([KEY_FILE]);
        expect((await store.read(MAIL)).tags).toEqual(TAGS);
        await store.replace(MAIL, testKey(1));
      } else await store.create(MAIL, testKey(1));
      expect((await store.read(MAIL)).tags).toEqual({});
      const leftOver = [".", ".dkimctl", ".dkimctl/tags"].flatMap((part) =>
        existsSync(join(folder, part)) ? readdirSync(join(folder, part)).filter((file) => file.includes("tmp")) : [],
      );
      expect({ killAt, leftOver }).toEqual({ killAt, leftOver: [] });
      if (!killed) {
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        break;
      }
    }
    expect([...seen].sort()).toEqual(["", KEY_FILE]);
  }, 120_000);

  test("of createMany leaves each key whole or not at all; the next run tidies and makes the rest", async () => {
    const names = [0, 1, 2].map((i) => parseKeyName("example.com", `mail${i}`));
    const seen = new Set<number>();
    for (let killAt = 1; ; killAt += 1) {
      const folder = temporaryFolder();
      const { killed, status, stderr } = run("create-many", folder, String(killAt));
      const files = visible(folder);
      seen.add(files.length);
      const store = new DirectoryKeyStore({ path: folder });
      for (const name of names) {
        if (files.includes(keyFileName(name))) expect((await store.read(name)).tags).toEqual(TAGS);
      }
      const again = await store.createMany(names.map((name) => ({ ...testKey(1, TAGS), name })));
      expect(again.map(({ kind }) => kind)).toEqual(
        names.map((name) => (files.includes(keyFileName(name)) ? "failed" : "created")),
      );
      const leftOver = [".", ".dkimctl", ".dkimctl/tags"].flatMap((part) =>
        existsSync(join(folder, part)) ? readdirSync(join(folder, part)).filter((file) => file.includes("tmp")) : [],
      );
      expect({ killAt, leftOver }).toEqual({ killAt, leftOver: [] });
      if (!killed) {
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        break;
      }
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
  }, 120_000);

  test("of replace leaves the old key or the new one, and the lock free", async () => {
    for (let killAt = 1; ; killAt += 2) {
      const folder = temporaryFolder();
      const store = new DirectoryKeyStore({ path: folder });
      await store.create(MAIL, testKey(255, { note: "old" }));
      const { killed, status, stderr } = run("replace", folder, String(killAt));
      const { privateKey, tags } = await store.read(MAIL);
      const isOld = Buffer.from(testKey(255).privateKey.publicKey.type === "ed25519" ? [255] : []).equals(
        privateKey.type === "ed25519" ? privateKey.seed.subarray(0, 1) : new Uint8Array(),
      );
      expect({ killAt, tags }).toEqual({ killAt, tags: isOld ? { note: "old" } : TAGS });
      await (await store.lock()).release();
      expect(readdirSync(join(folder, ".dkimctl"))).toEqual(["tags"]);
      if (!killed) {
        expect({ status, stderr, isOld }).toEqual({ status: 0, stderr: "", isOld: false });
        break;
      }
    }
  }, 120_000);

  const strace = requirePeer("strace");
  test.skipIf(strace.skip)("in the system call itself (strace)", async () => {
    for (const call of ["link,linkat", "fsync", "fchmod", "unlink,unlinkat"]) {
      const folder = temporaryFolder();
      const inject = `inject=${call}:signal=KILL:when=1`;
      const parameters = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
      spawnSync("strace", [...parameters, process.execPath, CHILD, source, "create", folder]);
      const store = new DirectoryKeyStore({ path: folder });
      for (const file of visible(folder)) expect(file).toBe(KEY_FILE);
      if (visible(folder).length > 0) await store.read(MAIL);
      else await store.create(MAIL, testKey(1));
    }
  });
});

test("two processes make the same name: one wins, its key stays", async () => {
  for (let round = 0; round < 5; round++) {
    const folder = temporaryFolder();
    const runs = [start("create", folder), start("create", folder)];
    await Promise.all(runs.map(({ ended }) => ended));
    const winners = runs.filter(({ child }) => child.exitCode === 0);
    expect(winners).toHaveLength(1);
    const loser = runs.find(({ child }) => child.exitCode !== 0);
    expect(loser?.output()).toContain("DKIM_KEY_EXISTS");
    const { privateKey, tags } = await new DirectoryKeyStore({ path: folder }).read(MAIL);
    const seed = privateKey.type === "ed25519" ? privateKey.seed[0] : undefined;
    expect(seed).toBe(Number(winners[0]?.child.pid) % 251);
    expect(tags).toEqual(TAGS);
    expect(visible(folder)).toEqual([KEY_FILE]);
  }
});

describe("the lock", () => {
  const lockPath = (folder: string) => join(folder, ".dkimctl/lock");

  function plant(folder: string, holder: object | string): void {
    mkdirSync(join(folder, ".dkimctl"), { recursive: true });
    const whole = { ...currentProcess(), token: crypto.randomUUID(), since: "2025-01-01T00:00:00.000Z" };
    writeFileSync(lockPath(folder), typeof holder === "string" ? holder : JSON.stringify({ ...whole, ...holder }));
  }

  test("names its holder, and is inherited when that one is killed", async () => {
    const folder = temporaryFolder();
    const store = new DirectoryKeyStore({ path: folder });
    const { child, output, ended } = start("hold", folder);
    while (!output().includes("held")) await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(store.lock()).rejects.toMatchObject({
      code: "DKIM_STORE_LOCKED",
      exitCode: 4,
      message: expect.stringContaining(`process ${child.pid}`),
    });
    await store.create(MAIL, testKey(1));
    child.kill("SIGKILL");
    await ended;
    await (await store.lock()).release();
    expect(readdirSync(join(folder, ".dkimctl"))).toEqual([]);
  });

  test("is not taken twice by one process, and released once", async () => {
    const store = new DirectoryKeyStore({ path: temporaryFolder() });
    const lock = await store.lock();
    await expect(store.lock()).rejects.toMatchObject({ code: "DKIM_STORE_LOCKED" });
    await lock.release();
    const next = await store.lock();
    await lock.release();
    await expect(store.lock()).rejects.toMatchObject({ code: "DKIM_STORE_LOCKED" });
    await next.release();
  });

  test.skipIf(!onLinux).each<[string, object, boolean]>([
    ["a pid that now is another process", { startTime: "1" }, true],
    ["the last boot", { bootId: "another" }, true],
    ["a pid that is nobody's", { pid: 2 ** 22 + 1 }, true],
    ["another host", { host: "mx2.example", bootId: "another" }, false],
    ["another container", { pidNamespace: "pid:[1]" }, false],
    ["this very process", {}, false],
  ])("of %s", async (_, holder, isFree) => {
    const folder = temporaryFolder();
    plant(folder, holder);
    const locking = new DirectoryKeyStore({ path: folder }).lock();
    if (isFree) await (await locking).release();
    else await expect(locking).rejects.toMatchObject({ code: "DKIM_STORE_LOCKED", exitCode: 4 });
  });

  test.each(["", "{}", "null", `{"pid":-1}`])("a damaged lock file (%j) is not passed over", async (text) => {
    const folder = temporaryFolder();
    plant(folder, text);
    await expect(new DirectoryKeyStore({ path: folder }).lock()).rejects.toMatchObject({
      code: "DKIM_STORE_LOCKED",
      hint: `when no other dkimctl runs: rm ${lockPath(folder)}`,
    });
  });

  test.skipIf(!onLinux)(
    "SIGKILL before any call of taking over leaves it free",
    async () => {
      for (let killAt = 1; ; killAt++) {
        const folder = temporaryFolder();
        plant(folder, { startTime: "1" });
        const first = run("lock", folder, String(killAt));
        // Dies as its heir, to make the line longer.
        if (first.killed) run("lock", folder, String(killAt));
        const lock = await new DirectoryKeyStore({ path: folder }).lock();
        expect(JSON.parse(readFileSync(lockPath(folder), "utf8")).pid).toBe(process.pid);
        await lock.release();
        expect({ killAt, files: readdirSync(join(folder, ".dkimctl")) }).toEqual({ killAt, files: [] });
        if (!first.killed) break;
      }
    },
    60_000,
  );

  test.skipIf(!onLinux)(
    "many processes, some of which are killed: never two hold it",
    async () => {
      const folder = temporaryFolder();
      const outputs: string[] = [];
      const worker = async () => {
        for (let life = 0; life < 4; life++) {
          const { output, ended } = start("contend", folder, "25");
          await ended;
          outputs.push(output());
        }
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
      expect(outputs.filter((output) => !/^1*$/.test(output))).toEqual([]);
      expect(outputs.join("").length).toBeGreaterThan(10);
    },
    60_000,
  );
});

describe.skipIf(isRoot && requirePeer("setpriv").skip)("as a user who is not root", () => {
  /** Runs a child as nobody (or as ourselves), in a store that belongs to whom `prepare` says. */
  function asUser(action: string, folder: string): { status: number | null; stderr: string } {
    if (!isRoot) return run(action, folder);
    // The sources must be readable for that user, wherever the project lies.
    const script = join(source, "store-child.js");
    copyFileSync(CHILD, script);
    chmodSync(join(source, ".."), 0o755);
    const user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const command = [process.execPath, script, source, action, folder];
    return spawnSync("setpriv", [...user, ...command], { encoding: "utf8" });
  }

  test("a folder where one may not write", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    const { status, stderr } = asUser("create", folder);
    chmodSync(folder, 0o755);
    expect(status).not.toBe(0);
    expect(stderr).toContain("DKIM_KEY_STORE");
    expect(stderr).toContain("permission denied");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("an unreadable file is told by name and hides nothing", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "example.com.a.pem"), "x", { mode: 0o000 });
    writeFileSync(join(folder, "example.com.b.pem"), "x", { mode: 0o644 });
    const { status, stderr } = asUser("list", folder);
    expect(status).toBe(0);
    expect(stderr.split("\n")).toEqual([
      "example.com.a.pem: it cannot be read: permission denied",
      "example.com.b.pem",
      "",
    ]);
  });

  test("an owner or group that one may not give", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    for (const action of ["give-owner", "give-group"]) {
      const { status, stderr } = asUser(action, folder);
      expect(status).not.toBe(0);
      expect(stderr).toContain("DKIM_FILE_ACCESS");
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});

/** A file system of 128 KiB, where the machine lets us mount one. */
function tinyFileSystem(): string | undefined {
  const folder = temporaryFolder();
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder]).status === 0;
  if (mounted) onTestFinished(() => void spawnSync("umount", [folder]));
  return mounted ? folder : undefined;
}

test("a full disk leaves nothing, says so, and the next try works", async (context) => {
  const folder = tinyFileSystem();
  if (folder === undefined) return context.skip("may not mount a tmpfs here");
  const filler = join(folder, "filler");
  const filled = spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4096"]);
  expect(String(filled.stderr)).toContain("No space left");
  const store = new DirectoryKeyStore({ path: folder });
  await expect(store.create(MAIL, testKey(1, TAGS))).rejects.toMatchObject({
    code: "DKIM_KEY_STORE",
    message: expect.stringContaining("no space left on device; nothing was changed"),
    hint: `free some space, see: df -h ${folder}`,
  });
  expect(visible(folder)).toEqual(["filler"]);
  rmSync(filler);
  await store.create(MAIL, testKey(1, TAGS));
  expect((await store.read(MAIL)).tags).toEqual(TAGS);
});
