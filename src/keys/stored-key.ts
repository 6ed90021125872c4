import type { KeyName } from "./key-name.ts";
import type { KeyStore, StoredKey } from "./key-store.ts";
import { KeyNotFoundError } from "./key-store-errors.ts";

/** A key of the store; `undefined`: it has none of this name. @throws {KeyStoreError | KeyFileError} as `KeyStore.read` */
export async function readIfStored(store: KeyStore, name: KeyName): Promise<StoredKey | undefined> {
  try {
    return await store.read(name);
  } catch (error) {
    if (error instanceof KeyNotFoundError) return undefined;
    throw error;
  }
}
