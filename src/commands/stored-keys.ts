import { resolve } from "node:path";
import { DkimctlError, OperationError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore, KeyStoreEntry, PublicKeyEntry, StoredKey, StoredPublicKey } from "../keys/key-store.ts";
import { publicHalfOf } from "../keys/stored-key.ts";
import type { SignerKey } from "../signers/signer-form.ts";
import { visibleText } from "../terminal/visible-text.ts";

export type KeyReading =
  | { readonly kind: "key"; readonly key: StoredKey }
  | { readonly kind: "failed"; readonly name: KeyName | undefined; readonly error: DkimctlError };

/**
 * The keys of the chosen domains in order, each read when its turn comes. What cannot be read is a result of its own.
 * @param all whether files that cannot be a key of any domain are to be told too
 */
export function readKeys(
  store: KeyStore,
  chooses: (domain: DomainName) => boolean,
  all: boolean,
): AsyncGenerator<KeyReading> {
  const entries = store.list(({ domain }) => chooses(domain));
  return readEach(entries, store, all);
}

/** The keys of one domain, as `readKeys`; a store with an index looks at no other. */
export function readKeysOf(store: KeyStore, wanted: DomainName): AsyncGenerator<KeyReading> {
  const entries = store.list(({ domain }) => domain === wanted, wanted);
  return readEach(entries, store, false);
}

async function* readEach(
  entries: AsyncIterable<KeyStoreEntry>,
  store: KeyStore,
  all: boolean,
): AsyncGenerator<KeyReading> {
  for await (const entry of entries) {
    if (entry.kind === "key") yield await readKey(store, entry.name);
    else if (all || entry.name !== undefined) yield { kind: "failed", name: entry.name, error: problemError(entry) };
  }
}

export type PublicKeyReading =
  | { readonly kind: "key"; readonly key: StoredPublicKey }
  | { readonly kind: "failed"; readonly name: KeyName | undefined; readonly error: DkimctlError };

/** As `readKeys`, without the private halves, and in the groups that the store reads at once. */
export async function* readPublicKeys(
  store: KeyStore,
  chooses: (domain: DomainName) => boolean,
  all: boolean,
): AsyncGenerator<PublicKeyReading[]> {
  for await (const group of publicKeyGroups(store, ({ domain }) => chooses(domain))) {
    yield publicKeyReadings(group, all);
  }
}

function publicKeyReadings(group: readonly PublicKeyEntry[], all: boolean): PublicKeyReading[] {
  const readings: PublicKeyReading[] = [];
  for (const entry of group) {
    if (entry.kind !== "problem") readings.push(entry);
    else if (all || entry.name !== undefined) {
      readings.push({ kind: "failed", name: entry.name, error: problemError(entry) });
    }
  }
  return readings;
}

/** `KeyStore.readPublicKeys`, also of a store that reads one key at a time. */
export function publicKeyGroups(
  store: KeyStore,
  filter?: (name: KeyName) => boolean,
): AsyncIterable<readonly PublicKeyEntry[]> {
  return store.readPublicKeys?.(filter) ?? readOneByOne(store, filter);
}

async function* readOneByOne(
  store: KeyStore,
  filter: ((name: KeyName) => boolean) | undefined,
): AsyncGenerator<PublicKeyEntry[]> {
  for await (const entry of store.list(filter)) {
    if (entry.kind === "problem") {
      yield [entry];
      continue;
    }
    const { name } = entry;
    const reading = await readKey(store, name);
    yield [reading.kind === "failed" ? { ...reading, name } : { kind: "key", key: publicHalfOf(reading.key) }];
  }
}

/** One key, or why it cannot be read. */
export async function readKey(store: KeyStore, name: KeyName): Promise<KeyReading> {
  try {
    return { kind: "key", key: await store.read(name) };
  } catch (error) {
    if (error instanceof DkimctlError) return { kind: "failed", name, error };
    throw error;
  }
}

/** A stored key as a signer is told of it. */
export function signerKeyOf({ name, location, encoding, tags, privateKey }: StoredKey): SignerKey {
  return { name, path: resolve(location), algorithm: privateKey.type, encoding, tags };
}

/** What a file that is no readable key means to the user. */
export function problemError({ location, reason, hint }: KeyStoreEntry & { kind: "problem" }): DkimctlError {
  // A foreign file's name may hold anything but NUL and "/", and reports print this too.
  return new OperationError(visibleText(`${location}: ${reason}`), { hint });
}
