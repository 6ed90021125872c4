import { concurrentMap } from "../../concurrent-map.ts";
import { DkimctlError, ExitCode } from "../../errors.ts";
import { type DomainName, parseDomainName } from "../domain-name.ts";
import { compareKeyNames, type KeyName, keyRecordName } from "../key-name.ts";
import type { KeyLocation, KeyStore, KeyStoreEntry, NewKey, StoredKey } from "../key-store.ts";
import { KeyExistsError, KeyFileError, KeyNotFoundError } from "../key-store-errors.ts";
import { PrivateKeyError, parsePrivateKey } from "../private-key.ts";
import type { Selector } from "../selector.ts";
import { shareByCopy } from "../stored-key.ts";
import {
  entryName,
  entryTags,
  isEntryOf,
  NOT_YET,
  type VaultDocument,
  type VaultEntry,
  vaultEntry,
} from "./vault-document.ts";
import { changeDocument, type VaultDocuments } from "./vault-documents.ts";

/** Documents that are asked for at once while keys are listed. */
const DOCUMENTS_AT_ONCE = 16;
/** Listed documents that are kept for the `read` that follows, and for how long. */
const RECENT_DOCUMENTS = 256;
const RECENT_MS = 5000;

/** A document, and when it was read; milliseconds since the epoch. */
interface RecentDocument {
  readonly document: VaultDocument;
  readonly at: number;
}

export interface VaultKeyStoreOptions {
  /** The time in what tells of replaced keys; default the system's. */
  readonly clock?: (() => Date) | undefined;
  /** Somebody vouches that nobody else writes: then KV version 1 is no reason to warn. */
  readonly singleWriter?: boolean | undefined;
}

/**
 * Keys in a KV secrets engine of Vault or OpenBao: for each domain the document that rspamd reads. A new key is put there
 * as one that does not sign yet; rotation sets since when, and until when, each key signs.
 */
export class VaultKeyStore implements KeyStore {
  readonly location: string;
  readonly keepsFiles = false;
  readonly documents: VaultDocuments;
  readonly #clock: () => Date;
  readonly #singleWriter: boolean;
  #warned = false;
  readonly #recent = new Map<string, RecentDocument>();

  constructor(documents: VaultDocuments, options: VaultKeyStoreOptions = {}) {
    this.documents = documents;
    this.location = documents.locationOf("").replace(/\/$/, "");
    this.#clock = options.clock ?? (() => new Date());
    this.#singleWriter = options.singleWriter ?? false;
  }

  /** Asks whether the secrets engine is there and lets us in. There is nothing to make: a folder begins with its first document. */
  async prepare(): Promise<readonly string[]> {
    await this.documents.names();
    return this.#warnings();
  }

  async *list(filter: (name: KeyName) => boolean = () => true, only?: DomainName): AsyncGenerator<KeyStoreEntry> {
    const names = only === undefined ? await this.documents.names() : [only];
    const documents = concurrentMap(names, DOCUMENTS_AT_ONCE, (name) => this.#entriesOf(name));
    for await (const { entries, recent } of documents) {
      const chosen = entries.filter((entry) => entry.name === undefined || filter(entry.name));
      const domain = chosen.find(({ name }) => name !== undefined)?.name?.domain;
      // Whoever lists a store reads what he has chosen next; who looks at one domain changes it, and must see it as it is.
      if (recent !== undefined && domain !== undefined && only === undefined) this.#remember(domain, recent);
      yield* chosen;
    }
  }

  /** Never from what was listed a moment ago: another host may have put a key there since. */
  async present(domain: DomainName, selectors: readonly Selector[]): Promise<Set<Selector>> {
    const { document } = await this.documents.read(domain);
    const there = new Set(document.selectors.map(({ selector }) => selector.toLowerCase()));
    return new Set(selectors.filter((selector) => there.has(selector)));
  }

  async read(name: KeyName): Promise<StoredKey> {
    const document = await this.#documentFor(name.domain);
    const entry = this.#find(document, name);
    if (entry === undefined) throw this.#notFound(name);
    const location = this.#locationOf(name);
    try {
      const parsed = parsePrivateKey(new TextEncoder().encode(entry.key));
      return {
        ...parsed,
        name,
        location,
        tags: entryTags(entry, location),
        warnings: await this.#warnings(),
        writtenAt: undefined,
      };
    } catch (error) {
      if (!(error instanceof PrivateKeyError)) throw error;
      throw new KeyFileError(`${location} ${error.message}`, { hint: error.hint, cause: error });
    }
  }

  async create(name: KeyName, key: NewKey): Promise<KeyLocation> {
    const entry = { ...vaultEntry(name, key), valid_start: NOT_YET };
    await this.#change(name.domain, (document, mayBeDone) => {
      const there = this.#find(document, name);
      if (there === undefined) return { ...document, selectors: [...document.selectors, entry] };
      if (mayBeDone && there.key === entry.key) return undefined;
      throw new KeyExistsError(`there is already a key: ${this.#locationOf(name)}`, {
        hint: "choose another selector; or replace it with --force, which keeps the old one beside it",
      });
    });
    return { location: this.#locationOf(name) };
  }

  async replace(name: KeyName, key: NewKey): Promise<KeyLocation & { readonly backup: string | undefined }> {
    const entry = vaultEntry(name, key);
    const replaced_at = this.#clock().toISOString();
    let backup: string | undefined;
    await this.#change(name.domain, (document, mayBeDone) => {
      const there = this.#find(document, name);
      if (mayBeDone && there?.key === entry.key) return undefined;
      if (there === undefined) {
        backup = undefined;
        return { ...document, selectors: [...document.selectors, { ...entry, valid_start: NOT_YET }] };
      }
      backup = `${this.#locationOf(name)}, in dkimctl.replaced of ${replaced_at}`;
      const { valid_start, valid_end } = there;
      const validity = {
        ...(valid_start !== undefined && { valid_start }),
        ...(valid_end !== undefined && { valid_end }),
      };
      const { dkimctl } = document;
      return {
        ...document,
        selectors: document.selectors.map((old) => (old === there ? { ...entry, ...validity } : old)),
        dkimctl: { ...dkimctl, replaced: [...(dkimctl?.replaced ?? []), { ...there, replaced_at }] },
      };
    });
    return { location: this.#locationOf(name), backup };
  }

  share(name: KeyName, target: KeyName, options?: { readonly replace?: boolean }): ReturnType<KeyStore["share"]> {
    return shareByCopy(this, name, target, options);
  }

  async remove(name: KeyName): Promise<void> {
    let wasThere = false;
    await this.#change(name.domain, (document, mayBeDone, version) => {
      const there = this.#find(document, name);
      wasThere = there !== undefined || mayBeDone;
      return there === undefined ? undefined : withoutEntry(document, there, version);
    });
    // Also for one that is gone already: the run that removed it may have been killed before it came to this.
    await destroyOldVersions(this.documents, name.domain);
    if (!wasThere) throw this.#notFound(name);
  }

  async #change(
    domain: DomainName,
    change: (document: VaultDocument, mayBeDone: boolean, version: number) => VaultDocument | undefined,
  ): Promise<void> {
    this.#recent.delete(domain);
    await changeDocument(this.documents, domain, ({ document, version }, mayBeDone) =>
      change(document, mayBeDone, version),
    );
  }

  /** Once for the store, with the first key that is read. */
  async #warnings(): Promise<string[]> {
    if (this.#warned || this.#singleWriter || (await this.documents.hasCheckAndSet())) return [];
    this.#warned = true;
    return [
      `${this.location} is of KV version 1, in which two that write at once can lose a key; use version 2: vault kv enable-versioning`,
    ];
  }

  async #entriesOf(name: string): Promise<{ entries: KeyStoreEntry[]; recent?: RecentDocument }> {
    const location = this.documents.locationOf(name);
    try {
      const domain = parseDomainName(name);
      const { document } = await this.documents.read(domain);
      const entries = documentEntries(document, domain, (key) => this.#locationOf(key), location);
      return { entries, recent: { document, at: Date.now() } };
    } catch (error) {
      if (!(error instanceof DkimctlError) || error.exitCode === ExitCode.tryAgain) throw error;
      return { entries: [{ kind: "problem", location, reason: error.message, hint: error.hint }] };
    }
  }

  #remember(domain: DomainName, recent: RecentDocument): void {
    const [oldest] = this.#recent.keys();
    if (this.#recent.size >= RECENT_DOCUMENTS && oldest !== undefined) this.#recent.delete(oldest);
    this.#recent.set(domain, recent);
  }

  async #documentFor(domain: DomainName): Promise<VaultDocument> {
    const recent = this.#recent.get(domain);
    if (recent !== undefined && Date.now() - recent.at < RECENT_MS) return recent.document;
    return (await this.documents.read(domain)).document;
  }

  #find(document: VaultDocument, name: KeyName): VaultEntry | undefined {
    const { domain, selector } = name;
    const found = document.selectors.filter((entry) => isEntryOf(entry, name));
    if (found.length > 1) {
      throw new KeyFileError(
        `${this.documents.locationOf(domain)} holds ${found.length} keys of selector ${selector}`,
        {
          hint: "remove all but the one that is published: vault kv get; vault kv put",
        },
      );
    }
    return found[0];
  }

  #locationOf({ domain, selector }: KeyName): string {
    return `${this.documents.locationOf(domain)}#${selector}`;
  }

  #notFound(name: KeyName): KeyNotFoundError {
    return new KeyNotFoundError(`there is no key of ${keyRecordName(name)} in ${this.location}`, {
      hint: `see what there is: dkimctl showkeys; or make it: dkimctl keygen -d ${name.domain} -s ${name.selector}`,
    });
  }
}

/** The keys of one document in order; what is none is an entry of its own. */
function documentEntries(
  document: VaultDocument,
  domain: DomainName,
  locationOf: (name: KeyName) => string,
  location: string,
): KeyStoreEntry[] {
  const entries: KeyStoreEntry[] = [];
  const seen = new Set<string>();
  for (const entry of document.selectors) {
    try {
      const name = entryName(entry, domain);
      const at = locationOf(name);
      if (name.domain !== domain) {
        const reason = `the document of ${domain} holds a key of ${name.domain}`;
        entries.push({ kind: "problem", location: at, reason, hint: "put it into that domain's own document" });
      } else if (seen.has(name.selector)) {
        entries.push({ kind: "problem", location: at, reason: "a second key of the same selector" });
      } else entries.push({ kind: "key", name, location: at });
      seen.add(name.selector);
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      entries.push({ kind: "problem", location, reason: error.message, hint: error.hint });
    }
  }
  return entries.sort((a, b) =>
    a.name && b.name ? compareKeyNames(a.name, b.name) : Number(!a.name) - Number(!b.name),
  );
}

/** The document without this key, and told which versions of it still hold the key. */
export function withoutEntry(document: VaultDocument, entry: VaultEntry, version: number): VaultDocument {
  return {
    ...document,
    selectors: document.selectors.filter((other) => other !== entry),
    // Written down with the removal: a run that is killed before it can destroy them is followed by one that does.
    dkimctl: { ...document.dkimctl, destroy: version },
  };
}

/**
 * Destroys the versions that hold a key which is gone, if there are any to destroy.
 * @throws {VaultDeniedError} the policy lacks `destroy`: the key is no longer used, but lives on in old versions
 */
export async function destroyOldVersions(documents: VaultDocuments, domain: DomainName): Promise<void> {
  const { document } = await documents.read(domain);
  const last = document.dkimctl?.destroy;
  if (last === undefined) return;
  await documents.destroyUpTo(domain, last);
  await changeDocument(documents, domain, ({ document: current }) => {
    if (current.dkimctl?.destroy !== last) return undefined;
    const { destroy: _, ...own } = current.dkimctl;
    const { dkimctl: __, ...rest } = current;
    return Object.keys(own).length === 0 ? rest : { ...rest, dkimctl: own };
  });
}
