import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { OperationError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { NewKey } from "../keys/key-store.ts";
import { KeyExistsError } from "../keys/key-store-errors.ts";
import { LostAnswerError, VaultDeniedError } from "../keys/vault/vault-client.ts";
import { isEntryOf, NOT_YET, type VaultDocument, type VaultEntry, vaultEntry } from "../keys/vault/vault-document.ts";
import {
  sameDocument,
  type VaultDocuments,
  VersionConflict,
  type VersionedDocument,
} from "../keys/vault/vault-documents.ts";
import { destroyOldVersions, withoutEntry } from "../keys/vault/vault-key-store.ts";
import { formatJournal, parseJournalOf } from "./journal.ts";
import { type DomainLease, type JournalStore, LeaseLostError, type RotationTurn } from "./journal-store.ts";
import { isLive, type Journal, type RotationKey } from "./rotation-key.ts";
import { shuffled } from "./shuffled.ts";

/** Longer than any step of a rotation takes, a slow publisher's included: who has it is not disturbed meanwhile. */
const LEASE_MS = 5 * 60_000;

/** Of one change, when its answers are lost: each may have cost the time limit of a request. */
const MOST_WRITES = 4;

/** Of no domain: when a run was last. Its name is none that a domain can have. */
const CONTROL_DOCUMENT = "_dkimctl";
/** A clock that was set back by less than this troubles nobody much. */
const RECORD_RUN_EVERY_MS = 4 * 60_000;

/**
 * Journals within the documents of the keys, so that a key, its journal, and the time in which it signs change as one.
 * The version of the document is the fencing token: whoever writes after somebody else has written is refused by Vault's
 * check-and-set. The lease that is written beside it only keeps two workers from doing the same at once.
 */
export class VaultJournalStore implements JournalStore {
  readonly activates = true;
  readonly #documents: VaultDocuments;
  readonly #singleWriter: boolean;

  /** @param options.singleWriter somebody vouches that no other host rotates: then KV version 1 will do */
  constructor(documents: VaultDocuments, { singleWriter = false }: { readonly singleWriter?: boolean } = {}) {
    this.#documents = documents;
    this.#singleWriter = singleWriter;
  }

  locationOf(domain: DomainName): string {
    return `${this.#documents.locationOf(domain)}, in dkimctl.journal`;
  }

  async read(domain: DomainName): Promise<Journal | undefined> {
    const text = (await this.#documents.read(domain)).document.dkimctl?.journal;
    return text === undefined ? undefined : parseJournalOf(domain, text, this.locationOf(domain));
  }

  /** Whether a document holds a journal is seen when it is read: there may be some without. */
  async domains(): Promise<DomainName[]> {
    return (await this.#documents.names()).flatMap((name) => {
      try {
        return [parseDomainName(name)];
      } catch {
        return []; // A folder, or a document of somebody else's: listing the keys tells of it.
      }
    });
  }

  async lastRunAt(): Promise<number | undefined> {
    const { last_run } = (await this.#documents.read(CONTROL_DOCUMENT)).document;
    const time = typeof last_run === "string" ? Date.parse(last_run) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  }

  /** Many workers run at once: the time is written now and then, and one that is quicker has written as good a one. */
  async recordRun(now: number): Promise<void> {
    const { document, version } = await this.#documents.read(CONTROL_DOCUMENT);
    const before = typeof document.last_run === "string" ? Date.parse(document.last_run) : 0;
    if (now < before + RECORD_RUN_EVERY_MS) return;
    try {
      await this.#documents.write(CONTROL_DOCUMENT, { ...document, last_run: new Date(now).toISOString() }, version);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
  }

  async begin(): Promise<RotationTurn> {
    if (!this.#singleWriter && !(await this.#documents.hasCheckAndSet())) {
      throw new OperationError(
        "rotation in Vault needs KV version 2: version 1 cannot refuse a write that comes too late",
        {
          hint: "vault kv enable-versioning MOUNT; or, where one host alone rotates, add ?single-writer=yes to the address",
        },
      );
    }
    const owner = `${hostname()} ${process.pid} ${randomUUID()}`;
    return {
      beginRound: async (domains) => shuffled(domains),
      lease: (domain) => takeLease(this.#documents, domain, owner),
      release: async () => {},
    };
  }
}

/** @returns `undefined`: somebody else has a lease that has not run out */
async function takeLease(
  documents: VaultDocuments,
  domain: DomainName,
  owner: string,
): Promise<DomainLease | undefined> {
  const seen = await documents.read(domain);
  const held = seen.document.dkimctl?.lease;
  if (held !== undefined && held.owner !== owner && held.until > seen.serverTime) return undefined;
  if (seen.document.dkimctl?.destroy === undefined) return new VaultLease(documents, domain, owner, seen);
  // A run was cut off after it had removed a key, and nothing else would ever come to its old versions.
  try {
    await destroyOldVersions(documents, domain);
  } catch (error) {
    // The run that removed the key has told of it. The keys that sign go on all the same.
    if (!(error instanceof VaultDeniedError)) throw error;
  }
  return new VaultLease(documents, domain, owner, await documents.read(domain));
}

/**
 * Nothing is written as long as nothing is to be changed: of most domains in most runs one reading is all. The first
 * write brings the lease with it.
 */
class VaultLease implements DomainLease {
  readonly #documents: VaultDocuments;
  readonly #domain: DomainName;
  readonly #owner: string;
  /** How far the server's clock is ahead of ours. */
  readonly #aheadMs: number;
  #known: VersionedDocument;

  constructor(documents: VaultDocuments, domain: DomainName, owner: string, known: VersionedDocument) {
    this.#documents = documents;
    this.#domain = domain;
    this.#owner = owner;
    this.#known = known;
    this.#aheadMs = known.serverTime - Date.now();
  }

  async writeJournal(journal: Journal): Promise<void> {
    await this.#write((document) => withJournal(document, journal));
  }

  async createKey(name: KeyName, key: NewKey, journal: Journal): Promise<void> {
    const entry = { ...vaultEntry(name, key), valid_start: NOT_YET };
    await this.#write((document) => {
      if (document.selectors.some((there) => isEntryOf(there, name))) {
        throw new KeyExistsError(`there is already a key: ${this.#documents.locationOf(name.domain)}#${name.selector}`);
      }
      return withJournal({ ...document, selectors: [...document.selectors, entry] }, journal);
    });
  }

  async removeKey(name: KeyName, journal: Journal): Promise<void> {
    await this.#write((document, version) => {
      const entry = document.selectors.find((candidate) => isEntryOf(candidate, name));
      return withJournal(entry === undefined ? document : withoutEntry(document, entry, version), journal);
    });
    await destroyOldVersions(this.#documents, this.#domain);
    this.#known = await this.#documents.read(this.#domain);
  }

  async release(): Promise<void> {
    if (this.#known.document.dkimctl?.lease?.owner !== this.#owner) return;
    try {
      await this.#catchUp();
      const { lease: _, ...own } = this.#known.document.dkimctl ?? {};
      await this.#documents.write(this.#domain, { ...this.#known.document, dkimctl: own }, this.#known.version);
    } catch (error) {
      // It runs out by itself, or is somebody else's.
      const isNoMatter = [VersionConflict, LostAnswerError, LeaseLostError].some((kind) => error instanceof kind);
      if (!isNoMatter) throw error;
    }
  }

  /** @throws {LeaseLostError} somebody else has changed the journal, or has the lease */
  async #write(change: (document: VaultDocument, version: number) => VaultDocument): Promise<void> {
    await this.#catchUp();
    for (let tries = 1; ; tries++) {
      const { document, version } = this.#known;
      const changed = change(document, version);
      const lease = { owner: this.#owner, until: Date.now() + this.#aheadMs + LEASE_MS };
      const wanted = { ...changed, dkimctl: { ...changed.dkimctl, lease } };
      let failure: VersionConflict | LostAnswerError;
      try {
        const written = await this.#documents.write(this.#domain, wanted, version);
        this.#known = { ...this.#known, document: wanted, version: written };
        return;
      } catch (error) {
        if (!(error instanceof VersionConflict) && !(error instanceof LostAnswerError)) throw error;
        failure = error;
      }
      const seen = await this.#documents.read(this.#domain);
      if (sameDocument(seen.document, wanted)) {
        this.#known = seen;
        return;
      }
      this.#goOnFrom(seen);
      if (tries === MOST_WRITES && failure instanceof LostAnswerError) throw failure;
    }
  }

  /** KV version 1 refuses no write: what others have put there meanwhile must be seen before it, or would be lost. */
  async #catchUp(): Promise<void> {
    if (await this.#documents.hasCheckAndSet()) return;
    this.#goOnFrom(await this.#documents.read(this.#domain));
  }

  /**
   * Somebody may have put another key beside ours, which is none of our business; what is ours must be as we left it, and
   * the keys as they were proven.
   * @throws {LeaseLostError} they are not
   */
  #goOnFrom(seen: VersionedDocument): void {
    const [theirs, ours] = [seen.document.dkimctl, this.#known.document.dkimctl];
    if (theirs?.journal !== ours?.journal || theirs?.lease?.owner !== ours?.lease?.owner) {
      throw new LeaseLostError(`another dkimctl has taken over ${this.#domain}`, { hint: "try again in a minute" });
    }
    const there = new Set(seen.document.selectors.map(keyText));
    if (!this.#known.document.selectors.every((entry) => there.has(keyText(entry)))) {
      throw new LeaseLostError(`the keys of ${this.#domain} have been changed by another program`, {
        hint: "nothing was written; the next run looks at them anew",
      });
    }
    this.#known = seen;
  }
}

/** A key and its name, whatever else its entry says. */
function keyText({ selector, domain, key }: VaultEntry): string {
  return JSON.stringify([selector, domain, key]);
}

/** The document with this journal, and with the times in which its keys sign as the journal has them. */
function withJournal(document: VaultDocument, journal: Journal): VaultDocument {
  return {
    ...document,
    selectors: document.selectors.map((entry) => {
      const domain = journal.domain as DomainName;
      const key = journal.keys.find((known) => isLive(known) && isEntryOf(entry, { domain, selector: known.selector }));
      return key === undefined ? entry : withValidity(entry, key);
    }),
    dkimctl: { ...document.dkimctl, journal: formatJournal(journal) },
  };
}

/**
 * Since when, and until when, rspamd signs with a key: in seconds. The old key's end is the new key's beginning, so that
 * on every host, whatever its clock, one of them signs.
 */
function withValidity(
  { valid_start: _, valid_end: __, ...entry }: VaultEntry,
  { state, entered }: RotationKey,
): VaultEntry {
  const seconds = (time: number) => Math.floor(time / 1000);
  const { active, draining, tombstone } = entered;
  if (state === "active") return { ...entry, valid_start: seconds(active ?? 0) } as VaultEntry;
  const ended = draining ?? tombstone;
  if (ended === undefined) return { ...entry, valid_start: NOT_YET } as VaultEntry;
  return { ...entry, valid_start: seconds(active ?? ended), valid_end: seconds(ended) } as VaultEntry;
}
