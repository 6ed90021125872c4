import type { Selector } from "../keys/selector.ts";
import type { Observation } from "./observation.ts";
import type { Journal, RotationAlgorithm, RotationKey } from "./rotation-key.ts";
import type { SignerNames } from "./signer-names.ts";

/**
 * Everything outside that rotating one domain touches: the real world of a command, or that of the simulation. Every
 * change may be asked for again after it has been made. A rejection with a `DkimctlError` is a failure of this one
 * change; the others go on.
 */
export interface RotationWorld {
  /** Milliseconds since the epoch. */
  now(): number;
  /** When the run before this one looked at the clock. */
  readonly lastRunAt: number | undefined;
  /** When the clock was found to have been set forward. */
  readonly clockSetAt?: number | undefined;
  random(): string;
  /** Which of these selectors the store has for the domain; without a question: all that it has. */
  taken(selectors?: readonly Selector[]): Promise<ReadonlySet<string>>;
  observe(key: RotationKey): Promise<Observation>;
  /** Which of the domain's keys the signer's configuration names. A world that cannot know has no such method. */
  named?(): Promise<SignerNames | undefined>;
  /** Durable when it resolves. */
  writeJournal(journal: Journal): Promise<void>;
  /**
   * Makes and stores the private key, and writes the journal that tells of it; a key that is stored already is taken as
   * it is.
   * @returns what was written
   */
  makeKey(
    key: { readonly selector: Selector; readonly algorithm: RotationAlgorithm },
    journalWith: (made: MadeRotationKey) => Journal,
  ): Promise<Journal>;
  /**
   * Asks for a change of the record; whether it was made is found out by looking. `asked`: a person was told to.
   */
  changeRecord(change: RecordWish): Promise<"done" | "asked">;
  /** Proves with a signed probe that the stored key and the published record are a pair. Rejects when they are not. */
  prove(key: RotationKey): Promise<void>;
  /**
   * Makes the signer use `keys`, and no longer `retired`. `asked`: a person was told to, and will tell when it is done.
   * When it rejects, the signer uses what it used before.
   */
  activate(keys: readonly RotationKey[], retired: readonly RotationKey[]): Promise<"done" | "asked">;
  /** Destroys the private key, if it is still there, and writes the journal that tells of it. */
  destroyKey(key: RotationKey, journal: Journal): Promise<void>;
  /**
   * Makes the private key public, if nothing else uses it, and then destroys it and writes the journal that tells what
   * has become of it.
   * @returns what was written
   */
  revealKey(key: RotationKey, journalWith: (end: "gone" | "revealed") => Journal): Promise<Journal>;
}

export interface MadeRotationKey {
  readonly record: string;
  readonly bits?: number | undefined;
}

export interface RecordWish {
  readonly key: RotationKey;
  readonly effect: "publish" | "tombstone" | "withdraw";
  /** What was seen last. */
  readonly seen: Observation | undefined;
}

/** The record of a key that is revoked (RFC 6376 §3.6.1). */
export const REVOKED_RECORD = "v=DKIM1; p=";
