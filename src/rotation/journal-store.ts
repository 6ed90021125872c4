import { TryAgainError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { NewKey } from "../keys/key-store.ts";
import type { ClockReading } from "./host-clock.ts";
import type { KeptLook } from "./look.ts";
import type { Journal } from "./rotation-key.ts";

/** Where the journals of a key store's domains live: beside its keys. */
export interface JournalStore {
  /** What the signer reads follows from the journal: to write that a key is active is what makes it sign. */
  readonly activates?: true;
  /** What to call a domain's journal in messages. */
  locationOf(domain: DomainName): string;
  /** @returns `undefined`: the domain is not managed @throws {JournalError} it is damaged, or cannot be read */
  read(domain: DomainName): Promise<Journal | undefined>;
  /** The domains that have a journal, damaged or not, in order. @throws {JournalError} */
  domains(): Promise<DomainName[]>;
  /**
   * By domain, what earlier runs found as it should be. To lose it costs looks and nothing else: it is gone as soon as the
   * journal of the domain is written. A store that keeps none has no such method, and every run looks at every domain.
   */
  looks?(): Promise<ReadonlyMap<string, KeptLook>>;
  /** When any run looked at its clock last; milliseconds since the epoch, `undefined` before the first run. */
  lastRunAt(): Promise<number | undefined>;
  recordRun(now: number): Promise<void>;
  /** What the clocks of this host said when a run began last; absent where many hosts share the store. */
  lastClock?(): Promise<ClockReading | undefined>;
  recordClock?(reading: ClockReading): Promise<void>;
  /**
   * Begins to change journals. A folder has one such turn at a time; in a store that many machines share, many have
   * theirs at once, and each domain is leased by itself.
   * @throws {StoreLockedError} nobody else may begin now (exit status 4)
   */
  begin(): Promise<RotationTurn>;
}

export interface RotationTurn {
  /**
   * Begins to go through the domains. Where many workers do so at once they share the work: each has an order of its own,
   * and a domain that one has served since then is passed over by the others. Without this method nobody else is there.
   * @returns the domains in the order in which they are to be served
   */
  beginRound?(domains: readonly DomainName[]): Promise<readonly DomainName[]>;
  /**
   * @param options.evenIfServed whether the domain is wanted although another worker has served it in this round
   * @returns `undefined`: another worker has the domain at this moment, or has done what is to be done
   */
  lease(domain: DomainName, options?: { readonly evenIfServed: boolean }): Promise<DomainLease | undefined>;
  release(): Promise<void>;
}

/**
 * The right to change one domain's journal and keys. Every write is refused once somebody else has taken the domain over:
 * a worker that was paused for longer than its lease changes nothing when it wakes.
 */
export interface DomainLease {
  /** Durable when it resolves. @throws {LeaseLostError | KeyStoreError} the old journal is in place */
  writeJournal(journal: Journal): Promise<void>;
  /**
   * Stores a new key and the journal that tells of it. Both at once where the store can; else the key first.
   * @throws {KeyExistsError | LeaseLostError | KeyStoreError}
   */
  createKey(name: KeyName, key: NewKey, journal: Journal): Promise<void>;
  /** Removes the key, if it is there, and writes the journal that tells of it. @throws as `createKey` */
  removeKey(name: KeyName, journal: Journal): Promise<void>;
  /**
   * @param served whether the domain was served to the end, so that nobody need do it again in this round; absent: that
   * was not what the lease was for
   * @param look that it was then found as it should be; absent: it was not, whatever earlier runs have found
   */
  release(served?: boolean, look?: KeptLook): Promise<void>;
}

/** Somebody else has taken the domain over; nothing was written. */
export class LeaseLostError extends TryAgainError {
  override readonly code = "DKIM_LEASE_LOST";
}
