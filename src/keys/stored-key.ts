import type { KeyName } from "./key-name.ts";
import type { KeyLocation, KeyStore, ReplacedKey, StoredKey, StoredPublicKey } from "./key-store.ts";
import { KeyNotFoundError } from "./key-store-errors.ts";

/** A key of the store; `undefined`: it has none of this name. @throws {KeyStoreError | KeyFileError} as `KeyStore.read` */
export async function readIfStored(store: Pick<KeyStore, "read">, name: KeyName): Promise<StoredKey | undefined> {
  try {
    return await store.read(name);
  } catch (error) {
    if (error instanceof KeyNotFoundError) return undefined;
    throw error;
  }
}

/** What is to be known of a stored key without its secret, so that many may be kept. */
export function publicHalfOf({ name, location, tags, warnings, privateKey }: StoredKey): StoredPublicKey {
  return { name, location, tags, warnings, publicKey: privateKey.publicKey };
}

/** `KeyStore.share` where every name has a copy of its own: what is shared is the key, not its place. */
export async function shareByCopy(
  store: Pick<KeyStore, "read" | "create" | "replace">,
  name: KeyName,
  target: KeyName,
  { replace = false }: { readonly replace?: boolean } = {},
): Promise<KeyLocation & Partial<ReplacedKey>> {
  const { privateKey, tags } = await store.read(target);
  return replace ? store.replace(name, { privateKey, tags }) : store.create(name, { privateKey, tags });
}
