import { describe, expect, test } from "vitest";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { VaultClient } from "../../src/keys/vault/vault-client.ts";
import { VaultDocuments } from "../../src/keys/vault/vault-documents.ts";
import { VaultKeyStore } from "../../src/keys/vault/vault-key-store.ts";
import type { Journal, KeyState, RotationKey } from "../../src/rotation/rotation-key.ts";
import { VaultJournalStore } from "../../src/rotation/vault-journal-store.ts";
import { testKey } from "../helpers/store.ts";
import { startVault, type VaultServerOptions } from "../helpers/vault-server.ts";

const MAIL = parseKeyName("example.com", "mail");
const OTHER = parseKeyName("example.com", "other");
const DOCUMENT = "dkim/example.com";

async function opened(options?: VaultServerOptions) {
  const vault = await startVault(options);
  const credentials = { kind: "token", token: vault.token } as const;
  const documents = new VaultDocuments(new VaultClient({ origin: vault.origin, credentials }), `${vault.mount}/dkim`);
  const journals = new VaultJournalStore(documents, { singleWriter: options?.kv === 1 });
  const entries = () => (vault.stored(DOCUMENT) as { selectors: Record<string, unknown>[] }).selectors;
  const lease = async () => {
    const taken = await (await journals.begin()).lease(MAIL.domain);
    if (taken === undefined) throw new Error("somebody else has the domain");
    return taken;
  };
  return { vault, store: new VaultKeyStore(documents), lease, entries };
}

function journal(...keys: [state: KeyState, entered: RotationKey["entered"]][]): Journal {
  return {
    domain: "example.com",
    keys: keys.map(([state, entered]) => ({
      ...{ selector: MAIL.selector, algorithm: "ed25519", staleSeconds: 0, ttlSeconds: 60, record: "v=DKIM1; p=A" },
      ...{ state, entered },
    })),
  };
}

describe("a domain's document", () => {
  test.each<KeyState>(["gone", "revealed"])(
    "a selector of a ring that is used again: the %s key before it does not decide when it signs",
    async (state) => {
      const { store, lease, entries } = await opened();
      await store.create(MAIL, testKey(1));
      const before = { new: 1000, active: 2000, draining: 3000, tombstone: 4000, [state]: 5000 };
      const held = await lease();
      await held.writeJournal(journal([state, before], ["ready", { ready: 6000 }]));
      expect(entries()).toMatchObject([{ valid_start: 253_402_300_799 }]);
      await held.writeJournal(journal([state, before], ["active", { ready: 6000, active: 7000 }]));
      expect(entries()).toMatchObject([{ valid_start: 7 }]);
      expect(entries()[0]).not.toHaveProperty("valid_end");
    },
  );

  test("an entry of another domain with the same selector is left as it is, and the key itself is removed", async () => {
    const { vault, store, lease, entries } = await opened();
    const strange = { selector: "mail", domain: "example.org", key: "AAAA" };
    vault.put(DOCUMENT, { selectors: [strange] });
    await store.create(MAIL, testKey(1));
    const held = await lease();
    await held.writeJournal(journal(["active", { active: 1000 }]));
    expect(entries()).toMatchObject([strange, { domain: "example.com", valid_start: 1 }]);
    expect(entries()[0]).toEqual(strange);
    await held.removeKey(MAIL, journal(["gone", { gone: 2000 }]));
    expect(entries()).toEqual([strange]);
  });

  test.each<1 | 2>([1, 2])("KV version %d: a key that is put there while a rotation is under way stays", async (kv) => {
    const { store, lease, entries } = await opened({ kv });
    await store.create(MAIL, testKey(1));
    const held = await lease();
    await held.writeJournal(journal(["active", { active: 1000 }]));
    await store.create(OTHER, testKey(2));
    await held.writeJournal(journal(["draining", { active: 1000, draining: 2000 }]));
    expect(entries().map(({ selector }) => selector)).toEqual(["mail", "other"]);
    const third = parseKeyName("example.com", "third");
    await store.create(third, testKey(3));
    await held.release();
    expect(entries().map(({ selector }) => selector)).toEqual(["mail", "other", "third"]);
  });

  test("a key that was replaced since it was proven does not sign", async () => {
    const { store, lease, entries } = await opened();
    await store.create(MAIL, testKey(1));
    const held = await lease();
    await held.writeJournal(journal(["ready", { ready: 1000 }]));
    await store.replace(MAIL, testKey(2));
    await expect(held.writeJournal(journal(["active", { active: 2000 }]))).rejects.toMatchObject({
      code: "DKIM_LEASE_LOST",
      message: "the keys of example.com have been changed by another program",
    });
    expect(entries()).toMatchObject([{ valid_start: 253_402_300_799 }]);
  });

  test("what a rotation has listed is not what it reads a moment later", async () => {
    const { vault, store } = await opened();
    await store.create(MAIL, testKey(1));
    for await (const _ of store.list(() => false));
    for await (const _ of store.list(undefined, MAIL.domain));
    const credentials = { kind: "token", token: vault.token } as const;
    const client = new VaultClient({ origin: vault.origin, credentials });
    await new VaultKeyStore(new VaultDocuments(client, `${vault.mount}/dkim`)).replace(MAIL, testKey(2));
    const { privateKey } = await store.read(MAIL);
    expect(privateKey).toEqual(testKey(2).privateKey);
  });

  test("a run that was cut off before it could destroy old versions is followed by one that does", async () => {
    const { vault, store, lease, entries } = await opened();
    await store.create(MAIL, testKey(1));
    const secret = String(entries()[0]?.key);
    vault.fault = (request) => (request.startsWith("POST secret/destroy") ? "cut-before" : undefined);
    await expect((await lease()).removeKey(MAIL, journal(["gone", { gone: 2000 }]))).rejects.toThrow();
    expect(JSON.stringify(vault.versions(DOCUMENT))).toContain(secret);
    vault.fault = () => undefined;
    vault.clockAheadMs = 6 * 60_000;
    await lease();
    expect(JSON.stringify(vault.versions(DOCUMENT))).not.toContain(secret);
  });
});
