import { parseKeyRecord, publishedKeyBytes } from "../dns/key-record.ts";
import { DkimctlError } from "../errors.ts";
import { compareKeyNames, type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, StoredKey } from "../keys/key-store.ts";
import { publicKeyFingerprint, sameOctets, samePublicKey } from "../keys/public-key.ts";
import { readIfStored } from "../keys/stored-key.ts";
import { oneAtATime } from "../one-at-a-time.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { RevealError, type RevealFolder } from "./reveal-folder.ts";
import type { Journal } from "./rotation-key.ts";

/** Publishes private keys that nothing in the store uses any more. */
export interface KeyRevealer {
  /**
   * Publishes the private key of a record that has left the DNS, and has it removed from the store then. A key that the
   * store has under another name too is not published: under the last of its names it will be.
   * @param remove removes it from the store; it is told whether the key is public now, by this run or one that was killed
   * @throws {RevealError} nothing was removed
   */
  retire(name: KeyName, record: string, remove: (isRevealed: boolean) => Promise<Journal>): Promise<Journal>;
}

/** The revealers of a store, by the folder that they publish in. */
export function createKeyRevealers(store: KeyStore): (folder: RevealFolder) => KeyRevealer {
  const namesOf = createNameIndex(store);
  // Of two names of one key each would find the other still there.
  const inTurn = oneAtATime((work: () => Promise<Journal>) => work());
  return (folder) => ({
    retire: (name, record, remove) =>
      inTurn(async () => {
        const published = parseKeyRecord(record).publicKey;
        if (published === undefined) throw new RevealError(`the record of ${keyRecordName(name)} holds no key`);
        const stored = await readIfStored(store, name);
        if (stored === undefined) return remove(folder.has(published));
        const { privateKey } = stored;
        const { publicKey } = privateKey;
        if (!sameOctets(publishedKeyBytes(publicKey), published)) {
          throw new RevealError(`the key in ${stored.location} is not the one whose record has left the DNS`, {
            hint: "see what it is: dkimctl verify-key; then move it away",
          });
        }
        for (const other of await namesOf(publicKeyFingerprint(publicKey))) {
          if (compareKeyNames(other, name) === 0) continue;
          const twin = await readIfStored(store, other);
          if (twin !== undefined && samePublicKey(twin.privateKey.publicKey, publicKey)) return remove(false);
        }
        folder.reveal(privateKey);
        return remove(true);
      }),
  });
}

/** All names of a key. The store is read once, when the first is asked for: keys that are made later are new ones. */
function createNameIndex(store: KeyStore): (fingerprint: string) => Promise<readonly KeyName[]> {
  let index: Promise<Map<string, KeyName[]>> | undefined;
  const readAll = async () => {
    const names = new Map<string, KeyName[]>();
    for await (const entry of store.list()) {
      const key = entry.kind === "key" ? await readOrRefuse(store, entry) : undefined;
      if (entry.kind === "problem") throw unreadable(entry.location, entry.reason);
      if (key === undefined) continue;
      const fingerprint = publicKeyFingerprint(key.privateKey.publicKey);
      names.set(fingerprint, [...(names.get(fingerprint) ?? []), key.name]);
    }
    return names;
  };
  return async (fingerprint) => {
    index ??= readAll();
    return (await index).get(fingerprint) ?? [];
  };
}

async function readOrRefuse(
  store: KeyStore,
  { name, location }: { readonly name: KeyName; readonly location: string },
): Promise<StoredKey | undefined> {
  try {
    return await readIfStored(store, name);
  } catch (error) {
    throw error instanceof DkimctlError ? unreadable(location, error.message) : error;
  }
}

function unreadable(location: string, reason: string): RevealError {
  return new RevealError(`whether ${visibleText(location)} holds the same key cannot be told: ${visibleText(reason)}`, {
    hint: "mend it, or move it away: a key that is still used must not be published",
  });
}
