import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { RedisConnection } from "../../src/keys/redis/redis-connection.ts";
import { RedisKeyStore } from "../../src/keys/redis/redis-key-store.ts";
import { parseStoreAddress } from "../../src/keys/store-address.ts";
import { RedisJournalStore } from "../../src/rotation/redis-journal-store.ts";
import type { Journal, KeyState, RotationAlgorithm } from "../../src/rotation/rotation-key.ts";
import { requirePeer } from "../helpers/peers.ts";
import { RedisServer } from "../helpers/redis-server.ts";
import { testKey } from "../helpers/store.ts";

const { skip, reason } = requirePeer("redis-server", "redis-cli");
const EXAMPLE = parseDomainName("example.com");
const LEASE = "dkimctl:{DKIM_KEYS}:lease:example.com";
const JOURNALS = "dkimctl:{DKIM_KEYS}:journals";
const [K1, K2] = [parseKeyName("example.com", "k1"), parseKeyName("example.com", "k2")];

describe.skipIf(skip)(`leases in Redis ${reason}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start({ endsWithTest: false });
  });
  afterAll(() => server.end());
  beforeEach(() => {
    server.cli("FLUSHALL");
  });

  async function worker(parameters = "lease=1", signal?: AbortSignal) {
    const address = parseStoreAddress(server.url(parameters));
    if (address.kind !== "redis") throw new Error("no Redis");
    const store = new RedisKeyStore(new RedisConnection({ address, signal }));
    onTestFinished(() => store.close());
    const turn = await new RedisJournalStore(store).begin();
    onTestFinished(() => turn.release());
    return { store, turn };
  }

  test("one that is held is renewed, for longer than it lasts", async () => {
    const [one, two] = await Promise.all([worker(), worker()]);
    const lease = await one.turn.lease(EXAMPLE);
    for (let i = 0; i < 8; i++) {
      await delay(300);
      expect(await two.turn.lease(EXAMPLE)).toBeUndefined();
    }
    await lease?.writeJournal(journal("k1 active"));
    await lease?.release();
    expect(await two.turn.lease(EXAMPLE)).toBeDefined();
  });

  test("that of a run that is being ended is held until its work has ended, and no other work is begun", async () => {
    const ending = new AbortController();
    const [one, two] = await Promise.all([worker("lease=1", ending.signal), worker()]);
    const lease = await one.turn.lease(EXAMPLE);
    ending.abort(new Error("ended"));
    await delay(1800);
    expect(await two.turn.lease(EXAMPLE)).toBeUndefined();
    await expect(lease?.writeJournal(journal("k1 active"))).rejects.toThrow("ended");
    await lease?.release();
    expect(await two.turn.lease(EXAMPLE)).toBeDefined();
  });

  test("that of a worker that is gone runs out by the server's clock, under a greater number", async () => {
    const [one, two] = await Promise.all([worker("lease=1"), worker()]);
    await one.turn.lease(EXAMPLE);
    const [number] = server.cli("GET", LEASE).split(" ");
    expect(Number(server.cli("PTTL", LEASE))).toBeGreaterThan(300);
    await one.store.close();
    await one.turn.release();
    server.cli("SET", LEASE, `${number} host/1/killed`, "PX", "300");
    expect(await two.turn.lease(EXAMPLE)).toBeUndefined();
    await delay(400);
    expect(await two.turn.lease(EXAMPLE)).toBeDefined();
    expect(Number(server.cli("GET", LEASE).split(" ")[0])).toBeGreaterThan(Number(number));
  });

  test.each<[string, boolean]>([
    ["has run out and another worker has the domain", true],
    ["has run out, and perhaps somebody had the domain meanwhile", false],
  ])("whose lease %s changes nothing, and is told", async (_, taken) => {
    const [one, two] = await Promise.all([worker("lease=60"), worker("lease=60")]);
    const late = await one.turn.lease(EXAMPLE);
    await late?.createKey(K1, testKey(1), journal("k1 active"));
    server.cli("DEL", LEASE);
    const lease = taken ? await two.turn.lease(EXAMPLE) : undefined;
    const state = () =>
      ["DKIM_KEYS", JOURNALS].map((name) => server.cli("HGETALL", name)).join() + server.cli("GET", LEASE);
    const before = state();
    const lost = { code: "DKIM_LEASE_LOST", exitCode: 4 };
    await expect(late?.writeJournal(journal("k1 draining"))).rejects.toMatchObject(lost);
    await expect(late?.createKey(K2, testKey(2), journal("k2 new"))).rejects.toMatchObject(lost);
    await expect(late?.removeKey(K1, journal("k1 gone"))).rejects.toMatchObject(lost);
    await late?.release(true);
    expect(state()).toBe(before);
    await lease?.writeJournal(journal("k1 draining"));
    expect(state() === before).toBe(!taken);
  });

  test("a domain that one has served is passed over in this round, and served in the next", async () => {
    const [one, two] = await Promise.all([worker(), worker()]);
    const passes = { evenIfServed: false };
    const domains = Array.from({ length: 50 }, (_, index) => parseDomainName(`d${index}.example`));
    const orders = await Promise.all([one, two].map(({ turn }) => turn.beginRound?.(domains)));
    expect(orders[0]?.toSorted()).toEqual(domains.toSorted());
    expect(orders[0]).not.toEqual(orders[1]);
    await (await one.turn.lease(EXAMPLE, passes))?.release(true);
    expect(await two.turn.lease(EXAMPLE, passes)).toBeUndefined();
    const asked = await two.turn.lease(EXAMPLE, { evenIfServed: true });
    expect(asked).toBeDefined();
    // One that failed is not served.
    await asked?.release(false);
    await (await one.turn.lease(EXAMPLE, passes))?.release(true);
    await delay(5);
    await two.turn.beginRound?.(domains);
    expect(await two.turn.lease(EXAMPLE, passes)).toBeDefined();
  });

  test("the hash of selectors follows the journal, and of two keys it names the RSA key", async () => {
    const { turn } = await worker("layout=mailcow");
    const lease = await turn.lease(EXAMPLE);
    const named = () => server.cli("HGET", "DKIM_SELECTORS", "example.com");
    await lease?.createKey(K1, testKey(1), journal("k1 ready"));
    expect(named()).toBe("");
    await lease?.writeJournal(journal("k1 active"));
    expect(named()).toBe("k1");
    await lease?.writeJournal(journal("k1 draining", "k2 active ed25519", "k3 active rsa"));
    expect(named()).toBe("k3");
  });

  test("of two names that rspamd cannot tell apart, neither takes the key of the other", async () => {
    const { store, turn } = await worker();
    const theirs = parseKeyName("mail.example.com", "s1");
    const ours = parseKeyName("example.com", "s1.mail");
    await store.create(theirs, testKey(1));
    const kept = server.cli("HGETALL", "DKIM_KEYS");
    await expect(store.create(ours, testKey(2))).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
    await expect(store.replace(ours, testKey(2))).rejects.toMatchObject({
      code: "DKIM_KEY_EXISTS",
      message: expect.stringContaining("is the key of another selector and domain"),
    });
    await expect(store.remove(ours)).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
    const lease = await turn.lease(EXAMPLE);
    await lease?.removeKey(ours, journal("k1 gone"));
    expect(server.cli("HGETALL", "DKIM_KEYS")).toBe(kept);
    await store.replace(theirs, testKey(3));
    await store.remove(theirs);
    expect(server.cli("HGETALL", "DKIM_KEYS")).toBe("");
  });

  test("what is no journal of a domain hides no other", async () => {
    const { store, turn } = await worker();
    await (await turn.lease(EXAMPLE))?.writeJournal(journal("k1 active"));
    server.cli("HSET", JOURNALS, "no domain", server.cli("HGET", JOURNALS, EXAMPLE));
    const journals = new RedisJournalStore(store);
    const [first, second] = await journals.domains();
    expect([first, second]).toEqual([EXAMPLE, "no domain"]);
    await expect(journals.read(second ?? EXAMPLE)).rejects.toThrow("no domain is the journal of example.com");
    expect((await journals.read(EXAMPLE))?.keys).toHaveLength(1);
  });

  test("the latest run counts, whoever comes last", async () => {
    const { store } = await worker();
    const journals = new RedisJournalStore(store);
    for (const time of [5, 9, 7]) await journals.recordRun(time);
    expect(await journals.lastRunAt()).toBe(9);
  });
});

/** @param keys `selector state [algorithm]` */
function journal(...keys: string[]): Journal {
  const now = Date.parse("2026-11-21T12:00:00Z");
  return {
    domain: EXAMPLE,
    keys: keys.map((text) => {
      const [selector = "", state, algorithm = "ed25519"] = text.split(" ");
      return {
        selector: parseKeyName("example.com", selector).selector,
        algorithm: algorithm as RotationAlgorithm,
        state: state as KeyState,
        entered: { [state as KeyState]: now },
        record: "v=DKIM1; p=",
        staleSeconds: 0,
        ttlSeconds: 60,
      };
    }),
  };
}
