import { existsSync } from "node:fs";
import { DkimctlError, OperationError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { keyRecordName } from "../keys/key-name.ts";
import { readIfStored } from "../keys/stored-key.ts";
import { JournalError } from "../rotation/journal.ts";
import type { SignerKey } from "../signers/signer-form.ts";
import type { SignerEntry } from "../signers/signer-reading.ts";
import { readSignerKeyFile } from "./signer-key-file.ts";
import { readConfiguration } from "./signer-sources.ts";
import type { SignerSwitchOptions } from "./signer-switch.ts";
import { signerKeyOf } from "./stored-keys.ts";

export interface SignersKeys {
  readonly keys: Map<DomainName, readonly SignerKey[]>;
  /** What the configuration names so far. */
  readonly entries: readonly SignerEntry[];
}

/**
 * The keys that a signer's configuration has to name: of a domain with a key that rotation has made sign, the active ones
 * of its journal; of any other, what the configuration names already, for nobody has told that this should change.
 * @param isThere whether there is a configuration so far
 * @throws {DkimctlError} one of them cannot be read: without it its domain's mail would go unsigned
 */
export async function signersKeys(
  { target, store, journals, serves, readText }: SignerSwitchOptions,
  isThere: boolean,
): Promise<SignersKeys> {
  const keys = new Map<DomainName, readonly SignerKey[]>();
  const managed = new Set<DomainName>();
  /** Those of which no key of ours has signed so far: what the configuration names still does. */
  const begun = new Set<DomainName>();
  for (const domain of await journals.domains()) {
    if (!serves(domain)) continue;
    try {
      const journal = await journals.read(domain);
      const active = journal?.keys.filter(({ state }) => state === "active") ?? [];
      const own: SignerKey[] = [];
      for (const { selector } of active) {
        const stored = await readIfStored(store, { domain, selector });
        // A key whose file is gone cannot sign anyway, and one such file stops some signers altogether.
        if (stored !== undefined) own.push(signerKeyOf(stored));
      }
      const hasSigned = journal?.keys.some(({ entered }) => entered.active !== undefined);
      (hasSigned ? managed : begun).add(domain);
      if (own.length > 0) keys.set(domain, own);
    } catch (error) {
      // What is damaged is told when its own turn comes; here the domain goes on with what it has.
      if (!(error instanceof JournalError)) throw error;
    }
  }
  if (!isThere) return { keys, entries: [] };
  const { entries, notUnderstood } = readConfiguration(target.signer, target.mainPath, readText);
  const [strange] = notUnderstood;
  if (strange !== undefined) {
    throw new OperationError(`${strange.where}: ${strange.reason}; the file is not replaced`, {
      hint: `somebody changed it by hand: mend it, or write it anew: dkimctl export ${target.signer}`,
    });
  }
  for (const entry of entries) {
    const { domain } = entry.name;
    const isLost = begun.has(domain) && entry.source.kind === "file" && !existsSync(entry.source.path);
    if (!managed.has(domain) && !isLost) keys.set(domain, [...(keys.get(domain) ?? []), keyOfEntry(entry)]);
  }
  return { keys, entries };
}

function keyOfEntry({ name, source, tags, where }: SignerEntry): SignerKey {
  if (source.kind !== "file") throw new OperationError(`${where}: the key stands in the configuration itself`);
  try {
    const { privateKey, encoding } = readSignerKeyFile(source.path);
    return { name, path: source.path, algorithm: privateKey.type, encoding, tags };
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    throw new OperationError(`${where} names a key of ${keyRecordName(name)} that cannot be read: ${error.message}`, {
      hint: "mend that first: nothing was changed",
      cause: error,
    });
  }
}
