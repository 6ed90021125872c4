import type { DomainName } from "../keys/domain-name.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { KeyStore } from "../keys/key-store.ts";

/** The record names of all keys that the store has for these domains, readable or not. */
export async function takenNames(store: KeyStore, domains: readonly DomainName[]): Promise<Set<string>> {
  const wanted = new Set(domains);
  const taken = new Set<string>();
  for await (const entry of store.list(({ domain }) => wanted.has(domain))) {
    if (entry.name !== undefined) taken.add(keyRecordName(entry.name));
  }
  return taken;
}
