import type { KeyName } from "./key-name.ts";
import type { ParsedPrivateKey, PrivateKey } from "./private-key.ts";

/**
 * Where keys live. Every command works on this interface; `DirectoryKeyStore` is the default implementation.
 * Made for 100,000 keys: `list` streams names, and a key is in memory only while its caller holds it.
 */
export interface KeyStore {
  /** What to call the store in messages: the folder's path. */
  readonly location: string;
  /**
   * Names in order of domain, then selector. What cannot be a key is an entry of its own, so that it hides no other.
   * `filter` is applied before anything is loaded, also to what turns out a problem, if that has a name.
   * @throws {KeyStoreError} the store as a whole cannot be read
   */
  list(filter?: (name: KeyName) => boolean): AsyncIterable<KeyStoreEntry>;
  /** @throws {KeyNotFoundError | KeyFileError | KeyStoreError} */
  read(name: KeyName): Promise<StoredKey>;
  /**
   * Stores a key under a name that is free: durable when the promise resolves, nothing when it rejects.
   * @throws {KeyExistsError} the name is taken; nothing was changed
   */
  create(name: KeyName, key: NewKey): Promise<KeyLocation>;
  /** Like `create`, but an existing key is kept beside it first, under the `backup` location that is returned. */
  replace(name: KeyName, key: NewKey): Promise<KeyLocation & { readonly backup: string | undefined }>;
  /**
   * Makes `name` another name of the key stored under `target` (a symbolic link in a directory), with the same tags.
   * @param options.replace a name that is taken is replaced, and what it stood for kept as by `replace`
   * @throws {KeyExistsError | KeyNotFoundError}
   */
  share(
    name: KeyName,
    target: KeyName,
    options?: { readonly replace?: boolean },
  ): Promise<KeyLocation & { readonly backup?: string | undefined }>;
  /** Removes the name; a key that is shared lives on under its other names. @throws {KeyNotFoundError} */
  remove(name: KeyName): Promise<void>;
  /** One changing run per store at a time. @throws {StoreLockedError} somebody alive holds it (exit status 4) */
  lock(): Promise<StoreLock>;
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

export interface StoredKey extends ParsedPrivateKey {
  readonly name: KeyName;
  readonly location: string;
  readonly tags: RecordTags;
  /**
   * Loose permissions and the like, one sentence each with the exact command that mends it. What concerns the store as
   * a whole (its folders) stands with the first key that is read, not with each.
   */
  readonly warnings: readonly string[];
}

export interface NewKey {
  readonly privateKey: PrivateKey;
  readonly tags: RecordTags;
  /** Default `pkcs8`. `pkcs1` is RSA only, `seed` (bare base64 of 32 octets, for rspamd before 3.13.2) Ed25519 only. */
  readonly encoding?: "pkcs8" | "pkcs1" | "seed";
}

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
