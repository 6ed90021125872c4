import type { DkimctlError } from "../errors.ts";
import type { DomainName } from "./domain-name.ts";
import type { KeyName } from "./key-name.ts";
import type { ParsedPrivateKey, PrivateKey } from "./private-key.ts";
import type { PublicKey } from "./public-key.ts";
import type { Selector } from "./selector.ts";

/**
 * Where keys live. Every command works on this interface; `DirectoryKeyStore` is the default implementation.
 * Made for 100,000 keys: `list` streams names, and a key is in memory only while its caller holds it.
 */
export interface KeyStore {
  /** What to call the store in messages: the folder's path, the server's address. */
  readonly location: string;
  /** Whether a key's `location` is the path of a file, which signers can read and people can give to a user. */
  readonly keepsFiles: boolean;
  /**
   * Makes the store ready for changes, and says so when it cannot be, before any work is done: the folder is made where
   * there is none; a server is asked whether it lets us in and whether keys are safe with it.
   * @param options.create whether a store that is not there is begun
   * @returns what a person should know before trusting keys to it, one sentence each
   * @throws {KeyStoreError | FileAccessError | TryAgainError}
   */
  prepare(options: { readonly create: boolean }): Promise<readonly string[]>;
  /**
   * Names in order of domain, then selector. What cannot be a key is an entry of its own, so that it hides no other.
   * `filter` is applied before anything is loaded, also to what turns out a problem, if that has a name.
   * @param domain the only one that the filter lets through, if it is one: a store with an index looks at no other
   * @throws {KeyStoreError} the store as a whole cannot be read
   */
  list(filter?: (name: KeyName) => boolean, domain?: DomainName): AsyncIterable<KeyStoreEntry>;
  /**
   * Which of these selectors of a domain have a key, or what `list` would call a problem, at this moment.
   * @throws {KeyStoreError}
   */
  present(domain: DomainName, selectors: readonly Selector[]): Promise<ReadonlySet<Selector>>;
  /** @throws {KeyNotFoundError | KeyFileError | KeyStoreError} */
  read(name: KeyName): Promise<StoredKey>;
  /**
   * The public half of each key, in the order of `list` and with its problems: what listings need, without holding a
   * private key. In groups, as large as the store reads at once; the first is small, so that one can begin.
   * A damaged key is a failure here as it is for `read`, but for parts of it that neither the public half nor the
   * private exponent depend on: those a store may leave to `read`. A store that reads one key at a time has no such method.
   * @throws {KeyStoreError} the store as a whole cannot be read
   */
  readPublicKeys?(filter?: (name: KeyName) => boolean): AsyncIterable<readonly PublicKeyEntry[]>;
  /**
   * Stores a key under a name that is free: durable when the promise resolves, nothing when it rejects.
   * @throws {KeyExistsError} the name is taken; nothing was changed
   */
  create(name: KeyName, key: NewKey): Promise<KeyLocation>;
  /**
   * `create` for many keys, for a store that makes many durable for the price of some. What is told to be created is
   * durable then; when the process is killed before, each key is stored whole or not at all.
   * A store for which that is no cheaper has no such method.
   * @returns an outcome for each, in their order: one that failed stops no other
   * @throws {KeyStoreError} the store as a whole cannot be written
   */
  createMany?(keys: readonly NamedNewKey[]): Promise<readonly CreateOutcome[]>;
  /** Like `create`, but an existing key is kept beside it first, under the `backup` location that is returned. */
  replace(name: KeyName, key: NewKey): Promise<ReplacedKey>;
  /**
   * Makes `name` another name of the key stored under `target` (a symbolic link in a directory), with the same tags.
   * @param options.replace a name that is taken is replaced, and what it stood for kept as by `replace`
   * @throws {KeyExistsError | KeyNotFoundError}
   */
  share(
    name: KeyName,
    target: KeyName,
    options?: { readonly replace?: boolean },
  ): Promise<KeyLocation & Partial<ReplacedKey>>;
  /**
   * Makes `name` a link to the key file at `path`, which stays where it is. A relative path starts at the store.
   * @param key what that file holds, and the tags of its record
   * A store without files has no such method.
   * @throws {KeyExistsError}
   */
  link?(name: KeyName, path: string, key: NewKey): Promise<KeyLocation>;
  /** Removes the name; a key that is shared lives on under its other names. @throws {KeyNotFoundError} */
  remove(name: KeyName): Promise<void>;
  /**
   * What lies in the store beside its keys. A store in which nothing can be left over has no such method.
   * @param keys all that the store has
   * @throws {KeyStoreError} the store as a whole cannot be read
   */
  leftovers?(keys: readonly KnownKey[]): Promise<StoreLeftover[]>;
  /** Ends what would keep the process alive. A store that holds nothing open has no such method. */
  close?(): Promise<void>;
}

/** A store in which one run at a time rotates keys. */
export interface LockableKeyStore extends KeyStore {
  /** One changing run per store at a time. @throws {StoreLockedError} somebody alive holds it (exit status 4) */
  lock(): Promise<StoreLock>;
}

export interface KnownKey {
  readonly name: KeyName;
  /** Of the public key, hexadecimal; absent when the key cannot be read: then any tags of the name may be its own. */
  readonly fingerprint: string | undefined;
}

export type StoreLeftover =
  | KeyBackup
  /** `temporary`: a file that a killed run was writing, perhaps a key. `tags`: those of a key that is gone. */
  | { readonly kind: "temporary" | "tags"; readonly location: string; readonly removal?: string };

/** What was kept of a key that was replaced, or a copy that somebody made beside it. */
export interface KeyBackup extends KnownKey {
  /** A link holds no key: it led to that of another name. */
  readonly kind: "private-key" | "link";
  readonly location: string;
  /** The command that removes it, where it is no file. */
  readonly removal?: string;
  /** When it was put aside, as its name tells, or else when it was last written. */
  readonly since: Date;
  /** Who else can read or change it, as in `StoredKey`. */
  readonly warnings: readonly string[];
}

export interface ReplacedKey extends KeyLocation {
  /** Where what stood there before is kept; `undefined` when nothing did. */
  readonly backup: string | undefined;
  /** The other names that shared what was replaced, and stand for the new key now; absent where names share no file. */
  readonly sharedBy?: readonly KeyName[];
}

export interface KeyLocation {
  /** For messages and for the comment in zone text: a path. */
  readonly location: string;
}

export type KeyStoreEntry =
  | { readonly kind: "key"; readonly name: KeyName; readonly location: string }
  /** `location` and `reason` may hold what stands in a foreign file's name: escape them for a terminal. */
  | {
      readonly kind: "problem";
      /** Absent when the file's name is not that of a key. */
      readonly name?: KeyName;
      readonly location: string;
      readonly reason: string;
      readonly hint?: string | undefined;
    };

export type KeyProblem = KeyStoreEntry & { readonly kind: "problem" };

export interface StoredKey extends ParsedPrivateKey {
  readonly name: KeyName;
  readonly location: string;
  readonly tags: RecordTags;
  /**
   * Loose permissions and the like, one sentence each with the exact command that mends it. What concerns the store as
   * a whole (its folders) stands with the first key that is read, not with each.
   */
  readonly warnings: readonly string[];
  /** When it was stored; `undefined`: nobody knows. */
  readonly writtenAt: Date | undefined;
}

export type PublicKeyEntry =
  | { readonly kind: "key"; readonly key: StoredPublicKey }
  /** As `read` would have thrown it. */
  | { readonly kind: "failed"; readonly name: KeyName; readonly error: DkimctlError }
  | KeyProblem;

export interface StoredPublicKey extends Pick<StoredKey, "name" | "location" | "tags" | "warnings"> {
  readonly publicKey: PublicKey;
}

export interface NewKey {
  readonly privateKey: PrivateKey;
  readonly tags: RecordTags;
  /** Default `pkcs8`. `pkcs1` is RSA only, `seed` (bare base64 of 32 octets, for rspamd before 3.13.2) Ed25519 only. */
  readonly encoding?: "pkcs8" | "pkcs1" | "seed";
}

export interface NamedNewKey extends NewKey {
  readonly name: KeyName;
}

export type CreateOutcome =
  | ({ readonly kind: "created" } & KeyLocation)
  /** As `create` would have thrown it. */
  | { readonly kind: "failed"; readonly error: DkimctlError };

/** The optional tags of a key's record, kept with the key (RFC 6376 §3.6.1). Decoded values; `{}` for none. */
export interface RecordTags {
  readonly hashAlgorithms?: readonly string[];
  readonly serviceTypes?: readonly string[];
  readonly flags?: readonly string[];
  /** n=, as plain text; encoded as qp-section when the record is written. */
  readonly note?: string;
}

export interface StoreLock {
  release(): Promise<void>;
}
