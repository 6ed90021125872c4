import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { type KeyName, keyRecordName, parseKeyName } from "../../src/keys/key-name.ts";
import { openRedisKeyStore } from "../../src/keys/redis/open-redis.ts";
import type { RedisAddress } from "../../src/keys/redis/redis-address.ts";
import { RedisConnection } from "../../src/keys/redis/redis-connection.ts";
import { RedisKeyStore } from "../../src/keys/redis/redis-key-store.ts";
import { parseStoreAddress } from "../../src/keys/store-address.ts";
import { RedisJournalStore } from "../../src/rotation/redis-journal-store.ts";
import type { Journal } from "../../src/rotation/rotation-key.ts";
import { type Cut, CuttingProxy } from "../helpers/cutting-proxy.ts";
import { freePort } from "../helpers/free-port.ts";
import { requirePeer } from "../helpers/peers.ts";
import { RedisServer, redisFolder } from "../helpers/redis-server.ts";
import { MAIL, testKey } from "../helpers/store.ts";

const { skip, reason } = requirePeer("redis-server", "redis-cli");
const EXAMPLE = parseDomainName("example.com");
const OTHER = parseKeyName("example.com", "other");

function storeAt(url: string, { patienceMs = 10_000, password }: { patienceMs?: number; password?: string } = {}) {
  const connection = new RedisConnection({ address: addressOf(url), patienceMs, password });
  const store = new RedisKeyStore(connection, () => new Date("2026-11-21T12:00:00Z"));
  onTestFinished(() => store.close());
  return store;
}

function addressOf(url: string): RedisAddress {
  const address = parseStoreAddress(url);
  if (address.kind !== "redis") throw new Error(`${url} is no Redis`);
  return address;
}

function journal(note: string): Journal {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const key = { selector: MAIL.selector, algorithm: "ed25519", state: "new", entered: { new: now } } as const;
  return { domain: EXAMPLE, keys: [{ ...key, record: note, staleSeconds: 0, ttlSeconds: 60 }] };
}

async function fingerprintOf(store: RedisKeyStore, name: KeyName): Promise<string | undefined> {
  try {
    const { privateKey } = await store.read(name);
    return privateKey.type === "ed25519" ? Buffer.from(privateKey.seed).toString("hex").slice(0, 2) : "rsa";
  } catch (error) {
    if (error instanceof Error && error.name === "KeyNotFoundError") return undefined;
    throw error;
  }
}

async function namesIn(store: RedisKeyStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, location } of store.list()) found.push(name ? keyRecordName(name) : location);
  return found;
}

describe.skipIf(skip)(`a connection that is cut ${reason}`, () => {
  /** What is done through the proxy, and what must then be true, whatever was cut. */
  const OPERATIONS: Record<string, (store: RedisKeyStore) => Promise<void>> = {
    create: async (store) => {
      await store.create(MAIL, testKey(7, { note: "n" }));
      expect(await fingerprintOf(store, MAIL)).toBe("07");
    },
    "create again": async (store) => {
      await store.create(MAIL, testKey(7));
      await expect(store.create(MAIL, testKey(8))).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
      expect(await fingerprintOf(store, MAIL)).toBe("07");
    },
    replace: async (store) => {
      await store.create(MAIL, testKey(1));
      const { backup } = await store.replace(MAIL, testKey(2));
      expect(backup).toMatch(/dkimctl:\{DKIM_KEYS\}:backups mail\.example\.com 2026-11-21T12:00:00\.000Z [0-9a-f]{8}$/);
      expect(await fingerprintOf(store, MAIL)).toBe("02");
      expect(await store.leftovers([])).toHaveLength(1);
    },
    remove: async (store) => {
      await store.create(MAIL, testKey(1));
      await store.remove(MAIL);
      expect(await namesIn(store)).toEqual([]);
    },
    list: async (store) => {
      await store.create(OTHER, testKey(1));
      await store.create(MAIL, testKey(2));
      expect(await namesIn(store)).toEqual(["mail._domainkey.example.com", "other._domainkey.example.com"]);
      const read: string[] = [];
      for await (const group of store.readPublicKeys()) read.push(...group.map(({ kind }) => kind));
      expect(read).toEqual(["key", "key"]);
    },
    rotate: async (store) => {
      const journals = new RedisJournalStore(store);
      const turn = await journals.begin();
      const lease = await turn.lease(EXAMPLE);
      await lease?.writeJournal(journal("v=DKIM1; n=1; p="));
      await lease?.createKey(MAIL, testKey(9), journal("v=DKIM1; n=2; p="));
      await lease?.removeKey(MAIL, journal("v=DKIM1; n=3; p="));
      await lease?.createKey(OTHER, testKey(3), journal("v=DKIM1; n=4; p="));
      await journals.recordRun(5);
      expect((await journals.read(EXAMPLE))?.keys[0]?.record).toBe("v=DKIM1; n=4; p=");
      expect(await journals.lastRunAt()).toBe(5);
      await lease?.release();
      expect(await turn.lease(EXAMPLE)).toBeDefined();
      await turn.release();
      expect(await namesIn(store)).toEqual(["other._domainkey.example.com"]);
    },
  };

  test.each(Object.keys(OPERATIONS).flatMap((name) => [[name, "before"] as const, [name, "after"] as const]))(
    "%s, %s the server knows, at each message: what was meant is done, once",
    { timeout: 60_000 },
    async (name, cut: Cut) => {
      const server = await RedisServer.start();
      const proxy = await CuttingProxy.start(server.port);
      let at = 1;
      for (; at < 100; at++) {
        server.cli("FLUSHALL");
        proxy.cutAt(at, cut);
        const store = storeAt(`redis://127.0.0.1:${proxy.port}`);
        await OPERATIONS[name]?.(store);
        await store.close();
        if (!proxy.hasCut) break;
      }
      expect(at).toBeGreaterThan(2);
      expect(at).toBeLessThan(100);
    },
  );

  test("a server that starts again meanwhile is waited for; nothing is lost", { timeout: 30_000 }, async () => {
    const server = await RedisServer.start();
    const store = storeAt(server.url());
    await store.create(MAIL, testKey(1));
    await server.kill();
    const made = store.create(OTHER, testKey(2));
    setTimeout(() => void server.start(), 500);
    await made;
    expect([await fingerprintOf(store, MAIL), await fingerprintOf(store, OTHER)]).toEqual(["01", "02"]);
  });

  test("a server that stays away is told, as something to try again", async () => {
    const store = storeAt(`redis://127.0.0.1:${await freePort()}`, { patienceMs: 200 });
    await expect(store.create(MAIL, testKey(1))).rejects.toMatchObject({
      code: "DKIM_STORE_UNAVAILABLE",
      exitCode: 4,
      message: expect.stringMatching(
        /^the key store redis:\/\/127\.0\.0\.1:\d+ cannot be reached: connection refused$/,
      ),
    });
  });

  test("a server that hangs is told", { timeout: 30_000 }, async () => {
    const server = await RedisServer.start();
    const store = storeAt(server.url(), { patienceMs: 1000 });
    await store.create(MAIL, testKey(1));
    server.signal("SIGSTOP");
    await expect(store.read(MAIL)).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/it has not answered in 5 seconds$/),
    });
    server.signal("SIGCONT");
    expect(await fingerprintOf(store, MAIL)).toBe("01");
  });
});

describe.skipIf(skip)(`a server that refuses ${reason}`, () => {
  async function refusal(store: RedisKeyStore): Promise<{ message: string; hint: string }> {
    const attempts = [
      () => store.prepare({ create: false }),
      () => store.create(OTHER, testKey(7)),
      () => store.replace(OTHER, testKey(7)),
    ];
    const errors: Error[] = [];
    for (const attempt of attempts) await attempt().then(unexpected, (error) => errors.push(error));
    for (const error of errors) {
      expect(error).toMatchObject({ code: "DKIM_KEY_STORE", exitCode: 3 });
      expect(error.message).toBe(errors[0]?.message);
      // The key: 32 octets of 7.
      expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain("BwcHBwcH");
    }
    return errors[0] as Error & { hint: string };
  }

  test("full: nothing is changed, and what is there is read", async () => {
    const server = await RedisServer.start({ settings: ["--maxmemory-policy", "noeviction"] });
    const store = storeAt(server.url());
    await store.create(MAIL, testKey(1));
    server.cli("CONFIG", "SET", "maxmemory", "1");
    const { message, hint } = await refusal(store);
    expect(message).toMatch(/is full: it has no memory left for a change$/);
    expect(hint).toMatch(/maxmemory/);
    expect(await fingerprintOf(store, MAIL)).toBe("01");
    expect(await namesIn(store)).toEqual(["mail._domainkey.example.com"]);
    await expect(store.remove(MAIL)).resolves.toBeUndefined();
  });

  test("a replica: no change, and the hint names the way", async () => {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({ settings: ["--replicaof", "127.0.0.1", String(master.port)] });
    await storeAt(master.url()).create(MAIL, testKey(1));
    const store = storeAt(replica.url());
    while ((await fingerprintOf(store, MAIL)) === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    const { message, hint } = await refusal(store);
    expect(message).toMatch(/is a replica, and takes no changes$/);
    expect(hint).toMatch(/name the master/);
    expect(await namesIn(store)).toEqual(["mail._domainkey.example.com"]);
  });

  test("an ACL user without rights: the hint's command gives exactly what is needed", async () => {
    const server = await RedisServer.start();
    server.cli("ACL", "SETUSER", "dkim", "on", ">secret", "resetkeys", "-@all");
    const store = storeAt(`redis://dkim@127.0.0.1:${server.port}`, { password: "secret" });
    const { message, hint } = await refusal(store);
    expect(message).toMatch(/does not allow the user dkim what is needed/);
    const command = /^allow it: redis-cli (.*)$/.exec(hint)?.[1] ?? "";
    execFileSync("sh", ["-c", `redis-cli -p ${server.port} ${command}`]);
    await store.prepare({ create: false });
    await store.create(MAIL, testKey(1));
    await store.replace(MAIL, testKey(2));
    expect(await namesIn(store)).toEqual(["mail._domainkey.example.com"]);
    const turn = await new RedisJournalStore(store).begin();
    const lease = await turn.lease(EXAMPLE);
    await lease?.createKey(OTHER, testKey(3), journal("v=DKIM1; p="));
    await lease?.release(true);
    await store.remove(MAIL);
    // And no more than that.
    expect(() =>
      server.cli("--user", "dkim", "--pass", "secret", "--no-auth-warning", "-e", "GET", "foreign"),
    ).toThrow();
  });

  test.each([
    ["no password", undefined, /asks for a password$/, /REDISCLI_AUTH/],
    ["a wrong one", "wrong", /does not accept the password of the default user$/, /REDISCLI_AUTH/],
  ])("%s", async (_, password, message, hint) => {
    const server = await RedisServer.start({ settings: ["--requirepass", "secret"] });
    const error = await refusal(storeAt(server.url(), password === undefined ? {} : { password }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(error.message + error.hint).not.toMatch(/secret|wrong$/);
  });

  test("a name of ours that is something else", async () => {
    const server = await RedisServer.start();
    server.cli("SET", "DKIM_KEYS", "x");
    const { message } = await refusal(storeAt(server.url()));
    expect(message).toMatch(/uses one of our names for something else/);
  });
});

describe.skipIf(skip)(`what a person is warned of ${reason}`, () => {
  test.each<[string, string[], RegExp[]]>([
    ["kept safely", [], []],
    ["nothing on disk", ["--appendonly", "no", "--save", ""], [/keeps nothing on its disk.*appendonly yes/]],
    ["saved now and then", ["--appendonly", "no", "--save", "60 1"], [/saves to its disk now and then only/]],
    [
      "open to the world",
      ["--protected-mode", "no", "--bind", "0.0.0.0"],
      [/lets every host that reaches it read the keys/],
    ],
    ["on all addresses, protected", ["--protected-mode", "yes", "--bind", "*"], []],
    ["on all addresses, with a password", ["--protected-mode", "no", "--bind", "*", "--requirepass", "secret"], []],
    ["for this host alone", ["--protected-mode", "no", "--bind", "127.0.0.1"], []],
  ])("%s", async (_, settings, warnings) => {
    const server = await RedisServer.start({ settings });
    const told = await storeAt(server.url(), { password: settings.includes("secret") ? "secret" : "" }).prepare({
      create: false,
    });
    expect(told).toEqual(warnings.map((warning) => expect.stringMatching(warning)));
  });

  test("who may not ask is not warned", async () => {
    const server = await RedisServer.start({ settings: ["--appendonly", "no"] });
    server.cli("ACL", "SETUSER", "dkim", "on", ">secret", "~*", "+@all", "-config", "-acl");
    expect(
      await storeAt(`redis://dkim@127.0.0.1:${server.port}`, { password: "secret" }).prepare({ create: false }),
    ).toEqual([]);
  });
});

describe.skipIf(skip)(`ways to a server ${reason}`, () => {
  const surroundings = (files: Record<string, string> = {}, env: Record<string, string> = {}) => ({
    env,
    readFile: (path: string) => Buffer.from(files[path] ?? unexpected()),
    signal: new AbortController().signal,
  });
  const open = (url: string, given = surroundings()) => {
    const store = openRedisKeyStore(addressOf(url), given);
    onTestFinished(() => store.close());
    return store;
  };
  async function works(store: RedisKeyStore): Promise<void> {
    await store.prepare({ create: false });
    await store.create(MAIL, testKey(1, { note: "n" }));
    expect(await store.read(MAIL)).toMatchObject({ tags: { note: "n" }, encoding: "base64" });
    expect(await namesIn(store)).toEqual(["mail._domainkey.example.com"]);
  }

  test("a password from the environment, or from a file; a database of its own", async () => {
    const server = await RedisServer.start({ settings: ["--requirepass", "hunter2"] });
    await works(open(`redis://127.0.0.1:${server.port}/3`, surroundings({}, { REDISCLI_AUTH: "hunter2" })));
    const file = surroundings({ "/p": "hunter2\n" });
    expect(await namesIn(open(`redis://127.0.0.1:${server.port}/3?password-file=/p`, file))).toHaveLength(1);
    expect(await namesIn(open(`redis://127.0.0.1:${server.port}/0?password-file=/p`, file))).toEqual([]);
  });

  test("a socket of the file system", async () => {
    const path = join(redisFolder(), "redis.sock");
    await RedisServer.start({ settings: ["--unixsocket", path] });
    await works(open(`redis+unix://${path}`));
  });

  test("TLS with an authority of one's own, and none else", { timeout: 30_000 }, async () => {
    const folder = redisFolder();
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    execFileSync(
      "openssl",
      [..."req -x509 -newkey ed25519 -nodes -days 2 -keyout".split(" "), key, "-out", certificate, ...subject],
      { stdio: "ignore" },
    );
    const port = await freePort();
    const tls = [
      "--tls-port",
      String(port),
      "--tls-cert-file",
      certificate,
      "--tls-key-file",
      key,
      "--tls-auth-clients",
      "no",
    ];
    await RedisServer.start({ settings: [...tls, "--tls-ca-cert-file", certificate] });
    const { readFileSync } = await import("node:fs");
    await works(open(`rediss://127.0.0.1:${port}?ca=/ca`, surroundings({ "/ca": readFileSync(certificate, "utf8") })));
    const connection = new RedisConnection({ address: addressOf(`rediss://127.0.0.1:${port}`), patienceMs: 100 });
    const untrusting = new RedisKeyStore(connection);
    await expect(untrusting.prepare({ create: false })).rejects.toThrow(/cannot be reached: self-signed certificate/);
  });

  test("sentinels: the master they know, and the one after it", { timeout: 60_000 }, async () => {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({ settings: ["--replicaof", "127.0.0.1", String(master.port)] });
    const conf = join(redisFolder(), "sentinel.conf");
    writeFileSync(
      conf,
      `sentinel monitor keys 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds keys 500\nsentinel failover-timeout keys 2000\n`,
    );
    const watcher = await RedisServer.start({ settings: [conf, "--sentinel"], program: "sentinel" });
    const store = open(`redis+sentinel://127.0.0.1:${watcher.port}/keys`);
    await works(store);
    while (replica.cli("HEXISTS", "DKIM_KEYS", "mail.example.com") !== "1")
      await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await master.kill();
    await store.create(OTHER, testKey(2));
    expect(replica.cli("HEXISTS", "DKIM_KEYS", "other.example.com")).toBe("1");
    expect(await namesIn(store)).toEqual(["mail._domainkey.example.com", "other._domainkey.example.com"]);
  });

  test("a cluster of three: all names of a store are on one node", { timeout: 60_000 }, async () => {
    const settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    const nodes = await Promise.all([1, 2, 3].map(() => RedisServer.start({ settings })));
    const [first] = nodes;
    const create = ["--cluster", "create", ...nodes.map(({ port }) => `127.0.0.1:${port}`), "--cluster-yes"];
    execFileSync("redis-cli", create, { stdio: "ignore" });
    const store = open(`redis+cluster://127.0.0.1:${first?.port}?selectors={DKIM_KEYS}:selectors`);
    await works(store);
    await store.replace(MAIL, testKey(2));
    const journals = new RedisJournalStore(store);
    const turn = await journals.begin();
    const lease = await turn.lease(EXAMPLE);
    await lease?.createKey(OTHER, testKey(3), journal("v=DKIM1; p="));
    await lease?.release();
    await turn.release();
    expect(await namesIn(store)).toEqual(["mail._domainkey.example.com", "other._domainkey.example.com"]);
    const holders = nodes.filter((node) => node.cli("DBSIZE") !== "0");
    expect(holders).toHaveLength(1);
    const other = nodes.find((node) => !holders.includes(node));
    await expect(open(`redis://127.0.0.1:${other?.port}`).read(MAIL)).rejects.toMatchObject({
      message: expect.stringMatching(/is a node of a cluster$/),
      hint: `name it as one: redis+cluster://127.0.0.1:${other?.port}`,
    });
  });
});

function unexpected(): never {
  throw new Error("this was not to happen");
}
