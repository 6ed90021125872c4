import type { FileAccessOptions } from "./file-access.ts";
import type { KeyStore } from "./key-store.ts";
import type { StoreAddress } from "./store-address.ts";
import type { PassphraseSource } from "./stored-private-key.ts";

/** What a run says of its store. Modes and owners are for the files of a folder. */
export interface KeyStoreOptions extends FileAccessOptions {
  readonly address: StoreAddress;
  readonly passphrase?: PassphraseSource | undefined;
  /** The time in the names of backups; default the system's. */
  readonly clock?: (() => Date) | undefined;
}

/** Where a store on a server finds its credentials, and what ends its waiting. */
export interface StoreSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @throws system errors */
  readFile(path: string): Uint8Array;
  readonly signal: AbortSignal;
}

/** The store at an address; the code for a kind of store is loaded only when it is used. */
export async function openKeyStore(
  { address, ...options }: KeyStoreOptions,
  surroundings: StoreSurroundings,
): Promise<KeyStore> {
  switch (address.kind) {
    case "directory": {
      const { DirectoryKeyStore } = await import("./directory-key-store.ts");
      return new DirectoryKeyStore({ ...options, path: address.path });
    }
    case "vault": {
      const { openVaultKeyStore } = await import("./vault/open-vault.ts");
      return openVaultKeyStore(address, surroundings, options.clock);
    }
    case "redis": {
      const { openRedisKeyStore } = await import("./redis/open-redis.ts");
      return openRedisKeyStore(address, surroundings, options.clock);
    }
  }
}
