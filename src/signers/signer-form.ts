import { OperationError } from "../errors.ts";
import { type DomainName, quoteName } from "../keys/domain-name.ts";
import { shellQuote } from "../keys/file-permissions.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import type { PrivateKey } from "../keys/private-key.ts";

/*
 * What a signer reads, as text. Domains and selectors are safe in every syntax, for their parsers admit letters, digits,
 * "-", "_" and "." only; paths are not, so each writer escapes them or refuses them by `requirePath`.
 */

/** A key as a signer is told of it. */
export interface SignerKey {
  readonly name: KeyName;
  /** Absolute, of the key's file. */
  readonly path: string;
  readonly algorithm: PrivateKey["type"];
  /** How the file holds the key. */
  readonly encoding: "pem" | "der" | "base64" | "raw";
  readonly tags: RecordTags;
}

/** A key with its secret, for signers that keep keys themselves. */
export interface SecretSignerKey extends SignerKey {
  readonly privateKey: PrivateKey;
}

/** One file of a signer's configuration. */
export interface SignerFile {
  /** Below the folder of the configuration. */
  readonly name: string;
  readonly text: string;
}

export interface SignerFormOptions {
  /** Absolute; where the files will stand. They name each other by it. */
  readonly folder: string;
  /** After how long a signature expires; `undefined`: never. Only amavisd writes x= by configuration. */
  readonly ttlSeconds?: number | undefined;
  /** The domain whose key signs mail of all domains that have none. */
  readonly catchAll?: DomainName | undefined;
  /** Other keys, which sign until all files are replaced: a signer that reads one before and one after must find them. */
  readonly leaving?: readonly SignerKey[];
  /** The Redis hash. */
  readonly keyPrefix?: string | undefined;
  /** The version of Vault's KV engine. */
  readonly kvVersion?: 1 | 2 | undefined;
}

/** One way to tell a signer of its keys. */
export interface SignerForm<Key extends SignerKey = SignerKey> {
  /** The files in the order in which they are to be replaced: what refers to another comes after it. */
  files(keys: readonly Key[], options: SignerFormOptions): readonly SignerFile[];
  /** Why this signer cannot use such a key, among all that it is to be told of, without its name; it is left out then. */
  cannotUse?(key: SignerKey, all: readonly SignerKey[]): string | undefined;
  /** What is to be known of such a key, without its name. */
  caution?(key: SignerKey): string | undefined;
  /** The signer adds one signature a message: a domain has one key, or one of each type. */
  readonly signsOnce?: "by-domain" | "by-type";
  /** The options beside the folder that this form knows. */
  readonly takes?: readonly ("ttlSeconds" | "catchAll" | "keyPrefix" | "kvVersion")[];
  /** Where its files stand when nobody says otherwise; `undefined` for a form of one file. */
  readonly defaultFolder?: string;
  /** Files that are written for some keys only, and named to the signer by a person, in a configuration that is not ours. */
  readonly namedByHand?: { readonly files: readonly string[]; readonly configuration: string };
  /** Every version of the signer can load an Ed25519 key as a bare seed, and some in no other form. */
  readonly wantsSeeds?: boolean;
  /** Among several files the one that names the others; the last in their order. */
  readonly mainFile?: string;
  /** A person or a script takes it to the signer, which does not read it by itself. */
  readonly isHandedOver?: true;
  /** What is to be known of the form, whatever the keys are. */
  readonly warning?: string;
  /** How the signer is made to read it. */
  readonly reload?: string;
}

/** A key that cannot be told to a signer, or not in the way asked for. */
export class SignerFormError extends OperationError {
  override readonly code = "DKIM_SIGNER_FORM";
}

/** The path, proven to hold only what `pattern` allows. @throws {SignerFormError} */
export function requirePath({ path, name }: SignerKey, pattern: RegExp, signer: string): string {
  const bad = [...path].find((char) => !pattern.test(char));
  if (bad === undefined) return path;
  throw new SignerFormError(
    `the file of ${keyRecordName(name)}, ${quoteName(path)}, holds ${quoteName(bad)}, which ${signer} cannot be told`,
    { hint: "move the store to a folder with a plain name, or link to it from one" },
  );
}

/** The path as one word for a shell, in whose script it stands on one line. @throws {SignerFormError} */
export function shellPath(key: SignerKey): string {
  return shellQuote(requirePath(key, /^[^\x00-\x1f\x7f-\x9f]$/, "a shell"));
}

/** Keys by domain, in the order given. */
export function byDomain<Key extends SignerKey>(keys: readonly Key[]): Map<DomainName, Key[]> {
  const domains = new Map<DomainName, Key[]>();
  for (const key of keys) {
    const { domain } = key.name;
    domains.set(domain, [...(domains.get(domain) ?? []), key]);
  }
  return domains;
}

/** The first line of each file, so that a person who opens it knows where it comes from. */
export const WRITTEN_BY = "# Written by dkimctl export: changes made here are lost.\n";

/** Printable ASCII without space: what every line-based table can hold. */
export const PLAIN_PATH = /^[!-~]$/;
