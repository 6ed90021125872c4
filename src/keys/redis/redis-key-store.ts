import { randomBytes } from "node:crypto";
import { DkimctlError } from "../../errors.ts";
import type { DomainName } from "../domain-name.ts";
import { shellQuote } from "../file-permissions.ts";
import { type KeyName, keyRecordName } from "../key-name.ts";
import type {
  KeyBackup,
  KeyLocation,
  KeyStore,
  KeyStoreEntry,
  KnownKey,
  NewKey,
  PublicKeyEntry,
  StoredKey,
  StoreLeftover,
} from "../key-store.ts";
import { KeyExistsError, KeyFileError, KeyNotFoundError } from "../key-store-errors.ts";
import { encodePrivateKey, PrivateKeyError, parsePrivateKey } from "../private-key.ts";
import { publicKeyFingerprint } from "../public-key.ts";
import { formatRecordTags, hasTags, parseRecordTags } from "../record-tags-file.ts";
import { rspamdRawKey } from "../rspamd-raw-key.ts";
import type { Selector } from "../selector.ts";
import { publicHalfOf, shareByCopy } from "../stored-key.ts";
import type { RedisConnection, RedisReply } from "./redis-connection.ts";
import { asList, asText, scanFields } from "./redis-fields.ts";
import { clearTextWarnings, serverWarnings } from "./redis-health.ts";
import { type ForeignFields, findForeign, listOwn, mergeNames } from "./redis-listing.ts";
import { keyField, orderMember, type RedisNames, redisNames } from "./redis-names.ts";
import { ARE_THERE, CREATE_KEY, PROBE, READ_KEYS, REMOVE_KEY, REPLACE_KEY, SCAN_FIELDS } from "./redis-scripts.ts";

/** Keys that are read in one step; of the first ones fewer, so that a listing begins at once. */
const KEYS_AT_ONCE = 200;
const FIRST_KEYS = 10;

/** What we keep of a key beside it. */
interface AboutKey {
  /** Of the public key: what is told here is not told of a key that somebody else has put in its place. */
  readonly fingerprint: string;
  /** Seconds since the epoch. */
  readonly at: number;
  /** As in the file of a folder. */
  readonly tags?: string;
}

/**
 * Keys in the hash that rspamd reads, and beside it, under names of our own, what it does not know of: their tags, their
 * order, what was replaced. Each change is one script, so that nobody sees half of it.
 */
export class RedisKeyStore implements KeyStore {
  readonly location: string;
  readonly keepsFiles = false;
  readonly connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #clock: () => Date;
  #foreign: Promise<ForeignFields> | undefined;

  constructor(connection: RedisConnection, clock: () => Date = () => new Date()) {
    this.connection = connection;
    this.location = connection.address.text;
    this.#names = redisNames(connection.address.layout);
    this.#clock = clock;
  }

  /** Asks whether everything that will be asked for is allowed. There is nothing to make: a hash begins with its first field. */
  async prepare({ create }: { readonly create: boolean }): Promise<readonly string[]> {
    await this.connection.run(PROBE, [this.#names.probe, this.#names.keys]);
    // How the keys travel is told to whoever begins with them, not to cron every hour.
    const travel = create ? clearTextWarnings(this.connection.address) : [];
    return [...travel, ...(await serverWarnings(this.connection))];
  }

  async *list(filter: (name: KeyName) => boolean = () => true, domain?: DomainName): AsyncGenerator<KeyStoreEntry> {
    // Of one domain many are asked for, one after the other: what others have put there is looked for once.
    if (domain === undefined) this.#foreign = undefined;
    this.#foreign ??= findForeign(this.connection, this.#names, (field) => this.#locationOf(field));
    const foreign = await this.#foreign;
    const keys = domain === undefined ? foreign.keys : foreign.keys.filter((name) => name.domain === domain);
    for await (const name of mergeNames(listOwn(this.connection, this.#names, domain), keys)) {
      if (filter(name)) yield { kind: "key", name, location: this.#locationOf(keyField(name)) };
    }
    if (domain === undefined) yield* foreign.problems;
  }

  async present(domain: DomainName, selectors: readonly Selector[]): Promise<Set<Selector>> {
    const fields = selectors.map((selector) => keyField({ domain, selector }));
    const there = asList(await this.connection.run(ARE_THERE, [this.#names.keys], fields));
    return new Set(selectors.filter((_, index) => there[index] === 1));
  }

  async read(name: KeyName): Promise<StoredKey> {
    const [value, about] = await this.#fetch([name]);
    return this.#parse(name, value, about);
  }

  async *readPublicKeys(filter?: (name: KeyName) => boolean): AsyncGenerator<readonly PublicKeyEntry[]> {
    let names: KeyName[] = [];
    let most = FIRST_KEYS;
    for await (const entry of this.list(filter)) {
      if (entry.kind === "key") names.push(entry.name);
      if (names.length === most || (entry.kind === "problem" && names.length > 0)) {
        yield await this.#publicKeys(names);
        names = [];
        most = KEYS_AT_ONCE;
      }
      if (entry.kind === "problem") yield [entry];
    }
    if (names.length > 0) yield await this.#publicKeys(names);
  }

  async #publicKeys(names: readonly KeyName[]): Promise<PublicKeyEntry[]> {
    const found = await this.#fetch(names);
    return names.map((name, index): PublicKeyEntry => {
      try {
        return { kind: "key", key: publicHalfOf(this.#parse(name, found[index * 2], found[index * 2 + 1])) };
      } catch (error) {
        if (!(error instanceof DkimctlError)) throw error;
        return { kind: "failed", name, error };
      }
    });
  }

  /** Of each key what it is, and what is kept beside it, in turn. */
  async #fetch(names: readonly KeyName[]): Promise<readonly RedisReply[]> {
    const { keys, about } = this.#names;
    return asList(await this.connection.run(READ_KEYS, [keys, about], names.map(keyField)));
  }

  #parse(name: KeyName, value: RedisReply | undefined, about: RedisReply | undefined): StoredKey {
    const location = this.#locationOf(keyField(name));
    if (!Buffer.isBuffer(value)) throw this.#notFound(name);
    try {
      const parsed = parsePrivateKey(value);
      const told = aboutKey(about, publicKeyFingerprint(parsed.privateKey.publicKey));
      const tags = told?.tags === undefined ? {} : parseRecordTags(told.tags, location);
      return { ...parsed, name, location, tags, warnings: [], writtenAt: told && new Date(told.at * 1000) };
    } catch (error) {
      if (!(error instanceof PrivateKeyError)) throw error;
      throw new KeyFileError(`${location} ${error.message}`, { hint: error.hint, cause: error });
    }
  }

  async create(name: KeyName, key: NewKey): Promise<KeyLocation> {
    const { keys, about, order } = this.#names;
    const answer = asText(await this.connection.run(CREATE_KEY, [keys, about, order], this.entry(name, key)));
    if (answer === "taken") throw this.existsError(name);
    return { location: this.#locationOf(keyField(name)) };
  }

  async replace(name: KeyName, key: NewKey): Promise<KeyLocation & { readonly backup: string | undefined }> {
    const { keys, about, order, backups } = this.#names;
    // The time alone is not unique: a key that is put aside must never push out another.
    const backup = `${keyField(name)} ${this.#clock().toISOString()} ${randomBytes(4).toString("hex")}`;
    const args = [...this.entry(name, key), backup];
    const answer = await this.connection.run(REPLACE_KEY, [keys, about, order, backups], args);
    const location = this.#locationOf(keyField(name));
    if (answer === -1) {
      throw new KeyExistsError(`${location} is the key of another selector and domain, which has the same field`, {
        hint: "choose another selector, best one without a dot",
      });
    }
    return {
      location,
      backup: answer === 1 ? this.#locationOf(backup, backups) : undefined,
    };
  }

  share(name: KeyName, target: KeyName, options?: { readonly replace?: boolean }): ReturnType<KeyStore["share"]> {
    return shareByCopy(this, name, target, options);
  }

  async remove(name: KeyName): Promise<void> {
    const { keys, about, order } = this.#names;
    const args = [keyField(name), "", "", orderMember(name)];
    if (asText(await this.connection.run(REMOVE_KEY, [keys, about, order], args)) === "absent")
      throw this.#notFound(name);
  }

  async leftovers(_keys: readonly KnownKey[]): Promise<StoreLeftover[]> {
    const { backups, about } = this.#names;
    const found: StoreLeftover[] = [];
    const fields = new Set<string>();
    for await (const field of scanFields(this.connection, SCAN_FIELDS, [backups])) fields.add(field.toString("utf8"));
    for (const field of [...fields].sort()) {
      const backup = this.#backup(field);
      if (backup !== undefined) found.push(backup);
    }
    const gone = (name: KeyName) => {
      const field = keyField(name);
      found.push({ kind: "tags", location: this.#locationOf(field, about), removal: this.#removal(about, field) });
    };
    for await (const _ of listOwn(this.connection, this.#names, undefined, gone));
    return found;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** Field, value, what is kept beside it, and its place in the order: what the scripts want of a new key. */
  entry(name: KeyName, { privateKey, tags, encoding = "pkcs8" }: NewKey): string[] {
    // rspamd before 3.13.2 reads Ed25519 keys as a seed only, and no version reads what stands before -----BEGIN.
    const text = encodePrivateKey(privateKey, privateKey.type === "ed25519" ? "seed" : encoding).trimEnd();
    const about: AboutKey = {
      fingerprint: publicKeyFingerprint(privateKey.publicKey).slice(0, 16),
      at: Math.floor(this.#clock().getTime() / 1000),
      ...(hasTags(tags) && { tags: formatRecordTags(tags) }),
    };
    return [keyField(name), rspamdRawKey(text), JSON.stringify(about), orderMember(name)];
  }

  existsError(name: KeyName): KeyExistsError {
    return new KeyExistsError(`there is already a key: ${this.#locationOf(keyField(name))}`, {
      hint: "choose another selector; or replace it with keygen --force, which keeps the old one",
    });
  }

  #locationOf(field: string, hash = this.#names.keys): string {
    return `${this.location} ${hash} ${field}`;
  }

  #backup(field: string): KeyBackup | undefined {
    const [of = "", time = ""] = field.split(" ");
    const dot = of.indexOf(".");
    const since = new Date(time);
    if (dot < 1 || Number.isNaN(since.getTime())) return undefined;
    const { backups } = this.#names;
    return {
      kind: "private-key",
      name: { selector: of.slice(0, dot), domain: of.slice(dot + 1) } as KeyName,
      fingerprint: undefined,
      location: this.#locationOf(field, backups),
      removal: this.#removal(backups, field),
      since,
      warnings: [],
    };
  }

  #removal(hash: string, field: string): string {
    return `redis-cli HDEL ${shellQuote(hash)} ${shellQuote(field)}`;
  }

  #notFound(name: KeyName): KeyNotFoundError {
    return new KeyNotFoundError(`there is no key of ${keyRecordName(name)} in ${this.location}`, {
      hint: `see what there is: dkimctl showkeys; or make it: dkimctl keygen -d ${name.domain} -s ${name.selector}`,
    });
  }
}

/** `undefined`: somebody else has put the key there. */
function aboutKey(reply: unknown, fingerprint: string): AboutKey | undefined {
  if (!Buffer.isBuffer(reply)) return undefined;
  try {
    const about: AboutKey = JSON.parse(reply.toString("utf8"));
    return about.fingerprint === fingerprint.slice(0, 16) ? about : undefined;
  } catch {
    return undefined;
  }
}
