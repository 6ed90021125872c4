import { beforeEach, describe, expect, test } from "vitest";
import { type DomainName, parseDomainName } from "../../src/keys/domain-name.ts";
import { generateEd25519Key } from "../../src/keys/generate-key.ts";
import { type KeyName, keyRecordName, parseKeyName } from "../../src/keys/key-name.ts";
import type { KeyStore, KeyStoreEntry, NewKey } from "../../src/keys/key-store.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { publicKeyFingerprint } from "../../src/keys/public-key.ts";
import type { DomainLease, JournalStore } from "../../src/rotation/journal-store.ts";
import type { Journal, RotationKey } from "../../src/rotation/rotation-key.ts";
import { rsaSample } from "./sample-keys.ts";

/*
 * What every key store promises, whatever it is made of. A store registers itself with how it is opened; what only some
 * can do (to be used by many at once) it says so.
 */

export interface OpenedStore {
  readonly store: KeyStore;
  readonly journals: JournalStore;
}

export interface StoreUnderTest extends OpenedStore {
  /** A second client of the same store, as another process would have it. */
  another(): Promise<OpenedStore>;
}

export interface StoreTraits {
  /** Many may rotate at once, each domain leased by itself. */
  readonly leases: boolean;
  /** What a run found as it should be is kept for the next. */
  readonly keepsLooks: boolean;
}

const EXAMPLE = parseDomainName("example.com");

export function describeKeyStore(title: string, open: () => Promise<StoreUnderTest>, traits: StoreTraits): void {
  describe(`${title}: what every key store promises`, () => {
    let under: StoreUnderTest;
    let store: KeyStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
      await store.prepare({ create: true });
    });

    test("a new store is empty", async () => {
      expect(await names(store)).toEqual([]);
    });

    test.each<[string, NewKey["privateKey"] | "ed25519"]>([
      ["rsa", rsaSample()],
      ["ed25519", "ed25519"],
      // In base64 "/" is the first character: somebody's, for we make no such key.
      ["ed25519", ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(0xff))],
    ])("an %s key comes back as it went in, with its tags", async (type, sample) => {
      const privateKey = sample === "ed25519" ? await generateEd25519Key() : sample;
      const tags = { hashAlgorithms: ["sha256"], serviceTypes: ["email"], flags: ["y", "s"], note: 'a "note"; ü' };
      const { location } = await store.create(name("s1"), { privateKey, tags });
      const stored = await (await under.another()).store.read(name("s1"));
      expect(stored.privateKey.type).toBe(type);
      expect(publicKeyFingerprint(stored.privateKey.publicKey)).toBe(publicKeyFingerprint(privateKey.publicKey));
      expect(stored.tags).toEqual(tags);
      expect(stored.location).toBe(location);
      expect(stored.name).toEqual(name("s1"));
    });

    test("which selectors are there, also those that another client has just made", async () => {
      const asked = ["s1", "s2", "s3"].map((selector) => name(selector).selector);
      expect(await store.present(EXAMPLE, asked)).toEqual(new Set());
      await store.create(name("s1"), await ed25519());
      await names(store);
      await (await under.another()).store.create(name("s3"), await ed25519());
      expect(await store.present(EXAMPLE, asked)).toEqual(new Set(["s1", "s3"]));
      expect(await store.present(parseDomainName("other.example"), asked)).toEqual(new Set());
    });

    test("a name that is taken stays as it is", async () => {
      const first = await ed25519();
      await store.create(name("s1"), first);
      await expect(store.create(name("s1"), await ed25519())).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
      // Not even by the same key: whoever makes one must know whether it was there.
      await expect(store.create(name("s1"), first)).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
      expect(await fingerprint(store, "s1")).toBe(publicKeyFingerprint(first.privateKey.publicKey));
    });

    test("what is not there is told as such", async () => {
      await expect(store.read(name("none"))).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
      await expect(store.remove(name("none"))).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
      await expect(store.share(name("s1"), name("none"))).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
    });

    test("of many who make the same name at once, one does", async () => {
      const clients = await Promise.all(Array.from({ length: 8 }, () => under.another()));
      const keys = await Promise.all(clients.map(() => ed25519()));
      const made = await Promise.allSettled(
        clients.map(({ store: other }, index) => other.create(name("s1"), keys[index] as NewKey)),
      );
      const winners = made.flatMap(({ status }, index) => (status === "fulfilled" ? [index] : []));
      expect(winners).toHaveLength(1);
      for (const result of made) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "DKIM_KEY_EXISTS" });
      }
      const winner = keys[winners[0] ?? -1];
      expect(await fingerprint(store, "s1")).toBe(winner && publicKeyFingerprint(winner.privateKey.publicKey));
    });

    test("of many who make different names at once, all do", async () => {
      const clients = await Promise.all(Array.from({ length: 6 }, () => under.another()));
      await Promise.all(
        clients.map(async ({ store: other }, index) => other.create(name(`s${index}`), await ed25519())),
      );
      expect(await names(store)).toEqual([0, 1, 2, 3, 4, 5].map((index) => `s${index}._domainkey.example.com`));
    });

    test("listed by domain, then selector, whatever the order they were made in", async () => {
      const wanted = [
        parseKeyName("a-b.example", "z"),
        parseKeyName("a.example", "a.dotted.selector"),
        parseKeyName("a.example", "s-1"),
        parseKeyName("a.example", "s1"),
        parseKeyName("a.example", "s_1"),
        parseKeyName("a.example.net", "s1"),
        parseKeyName("xn--bcher-kva.example", "s1"),
        parseKeyName(`${"l".repeat(60)}.${"m".repeat(60)}.example`, "x".repeat(60)),
      ].sort((a, b) => (order(a) < order(b) ? -1 : 1));
      for (const each of [...wanted].reverse()) await store.create(each, await ed25519());
      expect(await names(store)).toEqual(wanted.map(keyRecordName));
      expect(await names(store, ({ domain }) => domain === "a.example")).toEqual(
        wanted.filter(({ domain }) => domain === "a.example").map(keyRecordName),
      );
      for (const each of wanted) expect((await store.read(each)).name).toEqual(each);
    });

    test("a key that is replaced is kept beside the new one", async () => {
      const [first, second] = [await ed25519(), await ed25519()];
      expect(await store.replace(name("s1"), first)).toMatchObject({ backup: undefined });
      const { backup } = await store.replace(name("s1"), second);
      expect(backup).toMatch(/./);
      expect(await fingerprint(store, "s1")).toBe(publicKeyFingerprint(second.privateKey.publicKey));
      expect(await names(store)).toEqual(["s1._domainkey.example.com"]);
    });

    test("a removed key is gone, and its name is free", async () => {
      await store.create(name("s1"), { ...(await ed25519()), tags: { note: "old" } });
      await store.create(name("s2"), await ed25519());
      await store.remove(name("s1"));
      expect(await names(store)).toEqual(["s2._domainkey.example.com"]);
      await expect(store.read(name("s1"))).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
      await store.create(name("s1"), await ed25519());
      expect((await store.read(name("s1"))).tags).toEqual({});
    });

    test("one key for two domains", async () => {
      const key = { ...(await ed25519()), tags: { flags: ["s"] } };
      await store.create(name("s1"), key);
      const other = parseKeyName("example.net", "s1");
      await store.share(other, name("s1"));
      const shared = await store.read(other);
      expect(publicKeyFingerprint(shared.privateKey.publicKey)).toBe(publicKeyFingerprint(key.privateKey.publicKey));
      expect(shared.tags).toEqual({ flags: ["s"] });
      await expect(store.share(other, name("s1"))).rejects.toMatchObject({ code: "DKIM_KEY_EXISTS" });
      await store.remove(other);
      expect(await fingerprint(store, "s1")).toBe(publicKeyFingerprint(key.privateKey.publicKey));
    });

    test("no message of the store holds a key", async () => {
      const key = await ed25519();
      await store.create(name("s1"), key);
      const errors = await Promise.allSettled([store.create(name("s1"), key), store.read(name("none"))]);
      for (const result of errors) {
        const text = result.status === "rejected" ? `${result.reason.stack} ${JSON.stringify(result.reason)}` : "";
        expect(text).not.toContain(
          Buffer.from(key.privateKey.type === "ed25519" ? key.privateKey.seed : [])
            .toString("base64")
            .slice(0, 20),
        );
      }
    });
  });

  describe(`${title}: what every store of journals promises`, () => {
    let under: StoreUnderTest;
    beforeEach(async () => {
      under = await open();
      await under.store.prepare({ create: true });
    });

    test("a journal comes back as it went in; a domain without one has none", async () => {
      expect(await under.journals.read(EXAMPLE)).toBeUndefined();
      const turn = await under.journals.begin();
      const lease = await turn.lease(EXAMPLE);
      await lease?.writeJournal(journal("new"));
      await lease?.release();
      await turn.release();
      const { journals } = await under.another();
      expect((await journals.read(EXAMPLE))?.keys.map(({ selector, state }) => [selector, state])).toEqual([
        ["k1", "new"],
      ]);
      expect(await journals.domains()).toContain(EXAMPLE);
      expect(journals.locationOf(EXAMPLE)).toMatch(/example\.com/);
    });

    test("when a run was last", async () => {
      expect(await under.journals.lastRunAt()).toBeUndefined();
      const now = Date.parse("2026-11-21T12:00:00Z");
      await under.journals.recordRun(now);
      expect(await (await under.another()).journals.lastRunAt()).toBe(now);
    });

    test("a key and the journal that tells of it", async () => {
      const turn = await under.journals.begin();
      const lease = await turn.lease(EXAMPLE);
      const key = await ed25519();
      await lease?.writeJournal(journal("new"));
      await lease?.createKey(name("k1"), key, journal("published"));
      expect((await under.journals.read(EXAMPLE))?.keys[0]?.state).toBe("published");
      expect(await fingerprint(under.store, "k1")).toBe(publicKeyFingerprint(key.privateKey.publicKey));
      await expect(lease?.createKey(name("k1"), await ed25519(), journal("ready"))).rejects.toMatchObject({
        code: "DKIM_KEY_EXISTS",
      });
      expect((await under.journals.read(EXAMPLE))?.keys[0]?.state).toBe("published");
      await lease?.removeKey(name("k1"), journal("gone"));
      expect((await under.journals.read(EXAMPLE))?.keys[0]?.state).toBe("gone");
      await expect(under.store.read(name("k1"))).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
      // Another run was killed after this; or somebody was quicker.
      await lease?.removeKey(name("k1"), journal("gone"));
      await lease?.release();
      await turn.release();
    });

    test("a journal does not stand in the way of keys that people make", async () => {
      const turn = await under.journals.begin();
      const lease = await turn.lease(EXAMPLE);
      await lease?.writeJournal(journal("new"));
      await (await under.another()).store.create(name("manual"), await ed25519());
      await lease?.writeJournal(journal("published"));
      await lease?.release();
      await turn.release();
      expect(await names(under.store)).toEqual(["manual._domainkey.example.com"]);
      expect((await under.journals.read(EXAMPLE))?.keys[0]?.state).toBe("published");
    });

    if (traits.keepsLooks)
      test("a look is kept until the journal is written, or a look finds otherwise", async () => {
        const look = { at: 1000, until: 2000, settings: "0123456789abcdef" };
        const other = parseDomainName("other.example");
        const kept = async () => Object.fromEntries((await (await under.another()).journals.looks?.()) ?? []);
        const turn = async (
          work: (lease: DomainLease, domain: DomainName) => Promise<void>,
          ...domains: DomainName[]
        ) => {
          const { lease, release } = await under.journals.begin();
          for (const domain of domains) await work((await lease(domain)) as DomainLease, domain);
          await release();
        };
        expect(await kept()).toEqual({});
        await turn(
          async (lease, domain) => {
            await lease.writeJournal({ ...journal("active"), domain });
            await lease.release(true, look);
          },
          EXAMPLE,
          other,
        );
        expect(await kept()).toEqual({ [EXAMPLE]: look, [other]: look });
        await turn((lease) => lease.release(true), other);
        expect(await kept()).toEqual({ [EXAMPLE]: look });
        await turn((lease) => lease.release(false, look), other);
        expect(await kept()).toEqual({ [EXAMPLE]: look });

        // A run that is killed here is followed by one that looks.
        const killed = await under.journals.begin();
        const lease = await killed.lease(EXAMPLE);
        await lease?.writeJournal(journal("new"));
        expect(await kept()).toEqual({});
        await lease?.release(false);
        await killed.release();
        expect(await kept()).toEqual({});
      });

    if (!traits.leases)
      test("one run at a time has them all", async () => {
        const turn = await under.journals.begin();
        await expect((await under.another()).journals.begin()).rejects.toMatchObject({
          code: "DKIM_STORE_LOCKED",
          exitCode: 4,
        });
        await turn.release();
        await (await (await under.another()).journals.begin()).release();
      });

    if (traits.leases)
      test("two workers: each domain is one's, and free again when it is released", async () => {
        const [one, two] = await Promise.all([under.journals.begin(), (await under.another()).journals.begin()]);
        const lease = await one.lease(EXAMPLE);
        await lease?.writeJournal(journal("new"));
        expect(await two.lease(EXAMPLE)).toBeUndefined();
        const other = await two.lease(parseDomainName("example.net"));
        expect(other).toBeDefined();
        await lease?.release();
        const next = await two.lease(EXAMPLE);
        await next?.writeJournal(journal("published"));
        for (const held of [next, other]) await held?.release();
        await Promise.all([one.release(), two.release()]);
        expect((await under.journals.read(EXAMPLE))?.keys[0]?.state).toBe("published");
      });

    if (traits.leases)
      test("of two who write at once, one does, and the other is told", async () => {
        const clients = [under, await under.another()];
        const turns = await Promise.all(clients.map(({ journals }) => journals.begin()));
        const leases = await Promise.all(turns.map((turn) => turn.lease(EXAMPLE)));
        const results = await Promise.allSettled(leases.map((lease) => lease?.writeJournal(journal("new"))));
        const held = leases.filter((lease) => lease !== undefined);
        const lost = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
        expect(lost).toEqual(held.length === 2 ? ["DKIM_LEASE_LOST"] : []);
        for (const lease of held) await lease.release();
        for (const turn of turns) await turn.release();
      });
  });
}

function name(selector: string): KeyName {
  return parseKeyName("example.com", selector);
}

/** The order of listings: by domain, then selector, each octet by octet. */
function order({ domain, selector }: KeyName): string {
  return `${domain}\0${selector}`;
}

async function ed25519(): Promise<NewKey> {
  return { privateKey: await generateEd25519Key(), tags: {} };
}

async function fingerprint(store: KeyStore, selector: string): Promise<string> {
  return publicKeyFingerprint((await store.read(name(selector))).privateKey.publicKey);
}

async function names(store: KeyStore, filter?: (name: KeyName) => boolean): Promise<string[]> {
  const found: KeyStoreEntry[] = [];
  for await (const entry of store.list(filter)) found.push(entry);
  return found.map((entry) =>
    entry.kind === "key" ? keyRecordName(entry.name) : `${entry.location}: ${entry.reason}`,
  );
}

function journal(state: RotationKey["state"]): Journal {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const key: RotationKey = {
    selector: name("k1").selector,
    algorithm: "ed25519",
    state,
    entered: { new: now, [state]: now },
    record: "v=DKIM1; k=ed25519; p=AAAA",
    staleSeconds: 0,
    ttlSeconds: 60,
  };
  return { domain: EXAMPLE, keys: [key] };
}
