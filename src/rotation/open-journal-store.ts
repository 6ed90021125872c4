import type { KeyStore, LockableKeyStore } from "../keys/key-store.ts";
import type { KeyStoreOptions } from "../keys/open-key-store.ts";
import type { RedisKeyStore } from "../keys/redis/redis-key-store.ts";
import type { VaultKeyStore } from "../keys/vault/vault-key-store.ts";
import type { JournalStore } from "./journal-store.ts";

/**
 * The journals that lie beside the keys of a store.
 * @param options as the store was opened with: they tell what kind it is, whatever a test has wrapped around it
 */
export async function openJournalStore(options: KeyStoreOptions, store: KeyStore): Promise<JournalStore> {
  switch (options.address.kind) {
    case "directory": {
      const { DirectoryJournalStore } = await import("./directory-journal-store.ts");
      return new DirectoryJournalStore(store as LockableKeyStore, options);
    }
    case "vault": {
      const { VaultJournalStore } = await import("./vault-journal-store.ts");
      return new VaultJournalStore((store as VaultKeyStore).documents, options.address);
    }
    case "redis": {
      const { RedisJournalStore } = await import("./redis-journal-store.ts");
      return new RedisJournalStore(store as RedisKeyStore);
    }
  }
}
