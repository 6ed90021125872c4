import { expect, test } from "vitest";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { type KeyName, parseKeyName } from "../../src/keys/key-name.ts";
import { type CopyEnd, copyDomain } from "../../src/rotation/copy-domain.ts";
import { DirectoryJournalStore } from "../../src/rotation/directory-journal-store.ts";
import type { DomainLease } from "../../src/rotation/journal-store.ts";
import type { Journal, KeyState } from "../../src/rotation/rotation-key.ts";
import { temporaryFolder, testKey } from "../helpers/store.ts";

const [K1, K2] = [parseKeyName("example.com", "k1"), parseKeyName("example.com", "k2")];

function journalOf(...keys: [KeyName, KeyState][]): Journal {
  return {
    domain: K1.domain,
    keys: keys.map(([{ selector }, state]) => ({
      ...{ selector, algorithm: "ed25519", state, entered: { [state]: 1 }, record: "v=DKIM1; p=A" },
      ...{ staleSeconds: 0, ttlSeconds: 60 },
    })),
  };
}

function end(): CopyEnd {
  const store = new DirectoryKeyStore({ path: temporaryFolder() });
  return { store, journals: new DirectoryJournalStore(store, {}) };
}

async function leased<Result>({ journals }: CopyEnd, use: (lease: DomainLease) => Promise<Result>): Promise<Result> {
  const turn = await journals.begin();
  try {
    const lease = await turn.lease(K1.domain);
    if (lease === undefined) throw new Error("somebody else has the domain");
    return await use(lease);
  } finally {
    await turn.release();
  }
}

test.each<[string, KeyName[], KeyState, string[]]>([
  ["a key that came after the list was made", [K1], "published", ["k1 failed", "undefined failed"]],
  ["all keys", [K1, K2], "published", ["k1 copied", "k2 copied", "undefined copied"]],
  [
    "a key that is gone for the journal, and was put back into the store",
    [K1],
    "gone",
    ["k1 copied", "undefined copied"],
  ],
])("a journal is copied with the keys that it tells of only: %s", async (_, listed, state, expected) => {
  const [from, to] = [end(), end()];
  for (const [index, name] of [K1, K2].entries()) await from.store.create(name, testKey(index + 1));
  await leased(from, (lease) => lease.writeJournal(journalOf([K1, "active"], [K2, state])));
  const results = await leased(to, (lease) => copyDomain(K1.domain, listed, from, { ...to, lease }));
  expect(results.map(({ selector, result }) => `${selector} ${result}`)).toEqual(expected);
  const isWhole = expected.includes("undefined copied");
  expect((await to.journals.read(K1.domain)) !== undefined).toBe(isWhole);
  if (!isWhole) expect(results.at(-1)?.detail).toBe("k2 is in the source too, and was not copied: copy again");
});
