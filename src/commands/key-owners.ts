import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { type PublicKey, publicKeyFingerprint } from "../keys/public-key.ts";
import { readKeys } from "./stored-keys.ts";

/** Whose key is this? The store is read through once, and only when somebody asks. */
export class KeyOwners {
  readonly #store: KeyStore;
  #names: Promise<ReadonlyMap<string, KeyName>> | undefined;

  constructor(store: KeyStore) {
    this.#store = store;
  }

  async find(key: PublicKey): Promise<KeyName | undefined> {
    this.#names ??= this.#read();
    return (await this.#names).get(publicKeyFingerprint(key));
  }

  async #read(): Promise<ReadonlyMap<string, KeyName>> {
    const names = new Map<string, KeyName>();
    for await (const reading of readKeys(this.#store, () => true, false)) {
      if (reading.kind === "key") names.set(publicKeyFingerprint(reading.key.privateKey.publicKey), reading.key.name);
    }
    return names;
  }
}
