import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { UnderWay } from "../under-way.ts";
import type { DomainName } from "./domain-name.ts";
import { withSyncedFolder } from "./durable-file.ts";
import { DEFAULT_KEY_MODE, type FileAccess, type FileAccessOptions } from "./file-access.ts";
import { type FileOperations, fileOperations } from "./file-operations.ts";
import { shellQuote } from "./file-permissions.ts";
import { type KeyFile, keyExistsError, readKeyFile, relinkKeyFile, rewriteKeyFile, writeKeyFile } from "./key-file.ts";
import { handOverKeyFile } from "./key-file-heir.ts";
import { examineKeyFile, isFileThere, namedFiles } from "./key-file-list.ts";
import { createKeys } from "./key-group.ts";
import { KeyLinks } from "./key-links.ts";
import { type KeyName, keyFileName, keyRecordName } from "./key-name.ts";
import type {
  CreateOutcome,
  KeyLocation,
  KeyStoreEntry,
  KnownKey,
  LockableKeyStore,
  NamedNewKey,
  NewKey,
  PublicKeyEntry,
  RecordTags,
  ReplacedKey,
  StoredKey,
  StoreLeftover,
  StoreLock,
} from "./key-store.ts";
import {
  KeyExistsError,
  KeyFileError,
  KeyNotFoundError,
  systemErrorCode,
  systemErrorReason,
} from "./key-store-errors.ts";
import { encodePrivateKey, PrivateKeyError, parsePrivateKey } from "./private-key.ts";
import { publicKeyFingerprint } from "./public-key.ts";
import { publicKeyGroups } from "./public-key-groups.ts";
import { hasTags, RecordTagsFolder } from "./record-tags-file.ts";
import type { Selector } from "./selector.ts";
import { StoreChanges } from "./store-changes.ts";
import { CONTROL_FOLDER, createStoreFolder, ensureFolder, requireStoreFolder } from "./store-folder.ts";
import { listKeyBackups } from "./store-leftovers.ts";
import { StoreWarnings } from "./store-warnings.ts";
import { type PassphraseSource, parseStoredKey } from "./stored-private-key.ts";
import { abandonedTemporaryFiles } from "./temporary-file.ts";

export interface DirectoryKeyStoreOptions extends FileAccessOptions {
  readonly path: string;
  readonly passphrase?: PassphraseSource | undefined;
  /** The time in the names of backups; default the system's. */
  readonly clock?: (() => Date) | undefined;
  readonly operations?: FileOperations | undefined;
}

/**
 * A folder of `<domain>.<selector>.pem` files. All file access is synchronous: for many small files that is four to
 * eight times faster than promises, and a signal handler never finds a change half done.
 */
export class DirectoryKeyStore implements LockableKeyStore {
  readonly location: string;
  readonly keepsFiles = true;
  readonly #options: DirectoryKeyStoreOptions;
  readonly #operations: FileOperations;
  readonly #underWay = new UnderWay();
  readonly #tags: RecordTagsFolder;
  readonly #changes: StoreChanges;
  readonly #links: KeyLinks;
  readonly #warnings = new StoreWarnings();

  constructor(options: DirectoryKeyStoreOptions) {
    this.location = options.path;
    this.#options = options;
    this.#operations = options.operations ?? fileOperations;
    this.#tags = new RecordTagsFolder(join(options.path, CONTROL_FOLDER, "tags"), this.#operations);
    this.#links = new KeyLinks(options.path);
    this.#changes = new StoreChanges(options.path, options, this.#operations);
  }

  async prepare({ create }: { readonly create: boolean }): Promise<readonly string[]> {
    if (create) createStoreFolder(this.location, this.#options, this.#operations);
    else requireStoreFolder(this.location);
    return [];
  }

  async *list(filter?: (name: KeyName) => boolean): AsyncGenerator<KeyStoreEntry, void, undefined> {
    this.#tags.refresh();
    for (const file of namedFiles(this.location, filter)) yield file.kind === "named" ? examineKeyFile(file) : file;
  }

  readPublicKeys(filter?: (name: KeyName) => boolean): AsyncIterable<readonly PublicKeyEntry[]> {
    this.#tags.refresh();
    return publicKeyGroups(namedFiles(this.location, filter), {
      allowedMode: this.#options.mode ?? DEFAULT_KEY_MODE,
      folderWarnings: () => this.#warnings.ofFolder(this.location),
      isPlain: (name) => this.#tags.surelyHasNone(name),
      read: (name) => this.read(name),
    });
  }

  async present(domain: DomainName, selectors: readonly Selector[]): Promise<Set<Selector>> {
    return new Set(selectors.filter((selector) => isFileThere(this.location, { domain, selector })));
  }

  async read(name: KeyName): Promise<StoredKey> {
    const location = this.#pathOf(name);
    const file = this.#readFile(name, location);
    const parsed = await parseStoredKey(file.bytes, location, this.#options.passphrase);
    const warnings = [...file.warnings, ...this.#warnings.ofFolder(this.location)];
    if (file.realPath !== location) warnings.push(...this.#warnings.ofFolder(dirname(file.realPath)));
    let tags: RecordTags = {};
    try {
      if (this.#tags.mayHave(name)) tags = this.#tags.read(name, publicKeyFingerprint(parsed.privateKey.publicKey));
    } catch (error) {
      if (error instanceof KeyFileError) throw error;
      warnings.push(
        ...this.#warnings.once(
          `the tags kept with the keys cannot be read: ${systemErrorReason(error)}; see: namei -l ${shellQuote(join(this.location, CONTROL_FOLDER, "tags"))}`,
        ),
      );
    }
    return { ...parsed, name, location, tags, warnings, writtenAt: file.writtenAt };
  }

  async create(name: KeyName, key: NewKey): Promise<KeyLocation> {
    const location = this.#pathOf(name);
    this.#changes.make(location, (access) => {
      this.#requireFree(location);
      this.#writeWithTags(name, key, access, (bytes) => writeKeyFile(location, bytes, access, this.#operations));
    });
    return { location };
  }

  async createMany(keys: readonly NamedNewKey[]): Promise<readonly CreateOutcome[]> {
    const access = this.#changes.make(this.location, (access) => {
      if (keys.some(({ tags }) => hasTags(tags))) this.#ensureTagsFolder(access);
      return access;
    });
    const made = createKeys(keys, { folder: this.location, tags: this.#tags, access, operations: this.#operations });
    return this.#underWay.add(made);
  }

  /** Waits for what the thread pool is writing: a run that is interrupted leaves no half of it behind. */
  async close(): Promise<void> {
    await this.#underWay.ended();
  }

  async replace(name: KeyName, key: NewKey): Promise<ReplacedKey> {
    return this.#replaceBy(name, key, (location, bytes, access, now) =>
      rewriteKeyFile(location, bytes, access, now, this.#operations),
    );
  }

  async share(
    name: KeyName,
    target: KeyName,
    { replace = false }: { readonly replace?: boolean } = {},
  ): Promise<KeyLocation & Partial<ReplacedKey>> {
    const { privateKey, tags } = await this.read(target);
    if (replace && lstatSync(this.#pathOf(name), { throwIfNoEntry: false }) !== undefined) {
      return this.#replaceBy(name, { privateKey, tags }, (location, _bytes, _access, now) =>
        relinkKeyFile(location, keyFileName(target), now, this.#operations),
      );
    }
    return this.link(name, keyFileName(target), { privateKey, tags });
  }

  async link(name: KeyName, path: string, key: NewKey): Promise<KeyLocation> {
    const location = this.#pathOf(name);
    this.#links.refresh();
    this.#changes.make(location, (access) => {
      this.#requireFree(location);
      this.#writeWithTags(name, key, access, () =>
        withSyncedFolder(this.location, this.#operations, (sync) => {
          this.#operations.symlinkSync(path, location);
          try {
            sync();
          } catch (error) {
            this.#operations.unlinkSync(location);
            throw error;
          }
        }),
      );
    });
    return { location };
  }

  async remove(name: KeyName): Promise<void> {
    const location = this.#pathOf(name);
    const fingerprint = await this.#fingerprintOf(name, location);
    await this.#changes.makeLocked(location, () => {
      this.#links.refresh();
      if (lstatSync(location, { throwIfNoEntry: false }) === undefined) throw this.#notFound(name);
      withSyncedFolder(this.location, this.#operations, (sync) => {
        const links = this.#links.namesOf(keyFileName(name)).map((link) => this.#pathOf(link));
        if (handOverKeyFile(location, links, this.#operations, sync)) return;
        this.#operations.unlinkSync(location);
        sync();
      });
      if (fingerprint !== undefined) this.#tags.remove(name, fingerprint);
    });
  }

  async leftovers(keys: readonly KnownKey[]): Promise<StoreLeftover[]> {
    const backups = listKeyBackups(this.location, this.#options.mode ?? DEFAULT_KEY_MODE);
    const tagsFolder = join(this.location, CONTROL_FOLDER, "tags");
    const temporary = [this.location, join(this.location, CONTROL_FOLDER), tagsFolder].flatMap(abandonedTemporaryFiles);
    this.#tags.refresh();
    let tags: string[] = [];
    try {
      tags = this.#tags.allBut([...keys, ...backups]);
    } catch (error) {
      // That the folder cannot be read is told by the keys that have tags in it.
      if (systemErrorCode(error) === undefined) throw error;
    }
    return [
      ...backups,
      ...temporary.map((location) => ({ kind: "temporary", location }) as const),
      ...tags.map((location) => ({ kind: "tags", location }) as const),
    ];
  }

  async lock(): Promise<StoreLock> {
    return this.#changes.lock();
  }

  /** @param write puts the new key in place, and returns where the old one is kept */
  async #replaceBy(
    name: KeyName,
    key: NewKey,
    write: (location: string, bytes: Uint8Array, access: FileAccess, now: Date) => string | undefined,
  ): Promise<ReplacedKey> {
    const location = this.#pathOf(name);
    const now = this.#options.clock?.() ?? new Date();
    const backup = await this.#changes.makeLocked(location, (access) =>
      this.#writeWithTags(name, key, access, (bytes) => write(location, bytes, access, now)),
    );
    return { location, backup, sharedBy: backup === undefined ? [] : this.#links.namesOf(keyFileName(name)) };
  }

  #pathOf(name: KeyName): string {
    return join(this.location, keyFileName(name));
  }

  #readFile(name: KeyName, location: string): KeyFile {
    try {
      return readKeyFile(location, { allowedMode: this.#options.mode ?? DEFAULT_KEY_MODE });
    } catch (error) {
      if (!(error instanceof KeyNotFoundError)) throw error;
      requireStoreFolder(this.location);
      throw this.#notFound(name, error);
    }
  }

  /** Of the key that is stored, if it is one; what is no key has no tags. */
  async #fingerprintOf(name: KeyName, location: string): Promise<string | undefined> {
    try {
      const { bytes } = this.#readFile(name, location);
      return publicKeyFingerprint(parsePrivateKey(bytes).privateKey.publicKey);
    } catch (error) {
      if (error instanceof KeyFileError || error instanceof PrivateKeyError) return undefined;
      throw error;
    }
  }

  #requireFree(location: string): void {
    if (lstatSync(location, { throwIfNoEntry: false }) !== undefined) throw keyExistsError(location);
  }

  #ensureTagsFolder(access: FileAccess): void {
    ensureFolder(join(this.location, CONTROL_FOLDER), access, this.#operations);
    ensureFolder(join(this.location, CONTROL_FOLDER, "tags"), access, this.#operations);
  }

  /** The tags are in place before the key is, and gone again when it could not be made. */
  #writeWithTags<T>(name: KeyName, key: NewKey, access: FileAccess, write: (bytes: Uint8Array) => T): T {
    const bytes = new TextEncoder().encode(encodePrivateKey(key.privateKey, key.encoding ?? "pkcs8"));
    const fingerprint = publicKeyFingerprint(key.privateKey.publicKey);
    if (hasTags(key.tags)) this.#ensureTagsFolder(access);
    const undo = this.#tags.write(name, fingerprint, key.tags, access);
    try {
      return write(bytes);
    } catch (error) {
      // When the name was taken meanwhile it may be by this very key: then the tags are in use.
      if (systemErrorCode(error) !== "EEXIST" && !(error instanceof KeyExistsError)) undo();
      throw error;
    }
  }

  #notFound(name: KeyName, cause?: unknown): KeyNotFoundError {
    return new KeyNotFoundError(`there is no key of ${keyRecordName(name)} in ${this.location}`, {
      hint: `see what there is: dkimctl showkeys; or make it: dkimctl keygen -d ${name.domain} -s ${name.selector}`,
      cause,
    });
  }
}
