import type { KeyToProve } from "../checks/published-record.ts";
import type { DkimctlError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { type PublicKey, publicKeyFingerprint } from "../keys/public-key.ts";
import type { Selector } from "../keys/selector.ts";
import { problemError, publicKeyGroups, readKey } from "./stored-keys.ts";

/** Where the keys to test come from: the store, or a file of the records that are expected. */
export interface KeySource {
  readonly location: string;
  /** In order of domain, then selector. */
  list(chooses: (name: KeyName) => boolean): AsyncIterable<SourceEntry>;
  /** Whose key is this? */
  findOwner(key: PublicKey): Promise<KeyName | undefined>;
  /** All selectors of a domain, chosen or not. */
  selectorsOf(domain: DomainName): Promise<readonly Selector[]>;
}

export interface SourceEntry {
  /** Absent for a file whose name is not that of a key. */
  readonly name: KeyName | undefined;
  readonly location: string;
  /** Reads the key; an error is one that ends nothing but this key's test. */
  load(): Promise<LoadedKey | DkimctlError>;
}

export interface LoadedKey extends KeyToProve {
  readonly warnings: readonly string[];
}

/** The keys of a store, each with its private key, which is read when it is its turn. */
export function storeSource(store: KeyStore): KeySource {
  const owners = once(() => readOwners(store));
  const selectors = once(() => readSelectors(store));
  return {
    location: store.location,
    async *list(chooses) {
      for await (const entry of store.list(chooses)) {
        const { name, location } = entry;
        if (entry.kind === "problem") yield { name, location, load: async () => problemError(entry) };
        else yield { name, location, load: () => loadKey(store, entry.name) };
      }
    },
    findOwner: async (key) => (await owners()).get(publicKeyFingerprint(key)),
    selectorsOf: async (domain) => (await selectors()).get(domain) ?? [],
  };
}

async function loadKey(store: KeyStore, name: KeyName): Promise<LoadedKey | DkimctlError> {
  const reading = await readKey(store, name);
  if (reading.kind === "failed") return reading.error;
  const { privateKey, tags, warnings } = reading.key;
  return { name, privateKey, publicKey: privateKey.publicKey, tags, warnings };
}

/** The whole store is read for it, and only when somebody asks. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function readOwners(store: KeyStore): Promise<ReadonlyMap<string, KeyName>> {
  const owners = new Map<string, KeyName>();
  for await (const group of publicKeyGroups(store)) {
    for (const entry of group) {
      if (entry.kind === "key") owners.set(publicKeyFingerprint(entry.key.publicKey), entry.key.name);
    }
  }
  return owners;
}

async function readSelectors(store: KeyStore): Promise<ReadonlyMap<DomainName, Selector[]>> {
  const selectors = new Map<DomainName, Selector[]>();
  for await (const { name } of store.list()) if (name !== undefined) addSelector(selectors, name);
  return selectors;
}

/** Notes the selector among those of its domain. */
export function addSelector(selectors: Map<DomainName, Selector[]>, { domain, selector }: KeyName): void {
  const known = selectors.get(domain);
  if (known === undefined) selectors.set(domain, [selector]);
  else known.push(selector);
}
