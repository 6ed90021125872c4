import { DEFAULT_POLICY as CHECK_POLICY } from "../checks/check-policy.ts";
import { checkPublishedKey } from "../checks/published-key.ts";
import type { SurveyOptions } from "../dns/authoritative.ts";
import { formatKeyRecord, keyRecordFor } from "../dns/key-record.ts";
import type { Publisher } from "../dns/publish/publisher.ts";
import { PublishAgainError } from "../dns/publish/publisher.ts";
import type { TxtLookup } from "../dns/resolver.ts";
import { TryAgainError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { generateEd25519Key, generateRsaKey } from "../keys/generate-key.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore, NewKey } from "../keys/key-store.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { Selector } from "../keys/selector.ts";
import { readIfStored } from "../keys/stored-key.ts";
import type { DomainLease } from "./journal-store.ts";
import { observeKey } from "./key-observer.ts";
import type { KeyRevealer } from "./key-revealer.ts";
import type { RotationKey } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { type MadeRotationKey, REVOKED_RECORD, type RecordWish, type RotationWorld } from "./rotation-world.ts";
import type { SignerNames } from "./signer-names.ts";

export interface StoreWorldOptions {
  readonly domain: DomainName;
  readonly store: KeyStore;
  /** `undefined`: nothing will be changed, only looked at. */
  readonly lease: DomainLease | undefined;
  readonly policy: RotationPolicy;
  readonly survey: SurveyOptions;
  readonly now: () => number;
  readonly random: () => string;
  readonly lastRunAt: number | undefined;
  readonly clockSetAt: number | undefined;
  readonly ttlSeconds: number;
  /** `undefined`: a person publishes. */
  readonly publisher: Publisher | undefined;
  /** `undefined`: a person changes the signer. */
  readonly signer: SignerSwitch | undefined;
  /** `undefined`: nobody has told where the signer's configuration is. */
  readonly names?: ((domain: DomainName) => SignerNames) | undefined;
  /** `undefined`: private keys are destroyed in secret. */
  readonly revealer: KeyRevealer | undefined;
}

/** Makes the signer use other keys. */
export interface SignerSwitch {
  /**
   * @param keys all of one domain that are to sign
   * @throws {DkimctlError} the signer was put back to what it used before, or the message says that it was not
   */
  use(keys: readonly SigningKey[], retired: readonly SigningKey[]): Promise<void>;
  /**
   * Puts back what a run that was killed had begun. Called at the start of a run, before any plan is made.
   * @throws {DkimctlError} the signer could not be put back
   */
  recover?(): Promise<void>;
  /** How the signer wants the file of a new key; `undefined`: as the store writes it. */
  encodingOf?(algorithm: RotationKey["algorithm"]): NewKey["encoding"];
}

export interface SigningKey extends KeyName {
  readonly algorithm: RotationKey["algorithm"];
  /** Where the private key is stored. */
  readonly location: string;
}

/** The key does not prove itself with what is published. */
export class NotProvenError extends TryAgainError {
  override readonly code = "DKIM_NOT_PROVEN";
}

/** The real world of one domain: a key store, the DNS, a publisher and a signer. */
export function createStoreWorld(options: StoreWorldOptions): RotationWorld {
  const { domain, store, policy, survey, now, random, lastRunAt, clockSetAt, publisher, signer, revealer, ttlSeconds } =
    options;
  const lookups = new Map<Selector, TxtLookup>();
  const lease = (): DomainLease => {
    if (options.lease === undefined) throw new RangeError("this world is only looked at");
    return options.lease;
  };
  const nameOf = ({ selector }: Pick<RotationKey, "selector">): KeyName => ({ domain, selector });
  const signingKeys = (keys: readonly RotationKey[]): Promise<SigningKey[]> =>
    Promise.all(
      keys.map(async (key) => {
        const { location } = await store.read(nameOf(key));
        return { ...nameOf(key), algorithm: key.algorithm, location };
      }),
    );
  /** Without those whose private key somebody has deleted. */
  const storedKeys = async (keys: readonly RotationKey[]) => {
    const stored = await Promise.allSettled(keys.map((key) => signingKeys([key])));
    return stored.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  };

  async function changeRecord({ key, effect, seen }: RecordWish): Promise<"done" | "asked"> {
    if (publisher === undefined) return "asked";
    if (seen?.kind !== "agreed") throw new PublishAgainError(`the zone of ${key.selector} is not known at this moment`);
    const after = effect === "publish" ? key.record : effect === "tombstone" ? REVOKED_RECORD : undefined;
    const { servedAt: name, zone, rrset: before } = seen;
    await publisher.change({ name, zone, before, after, ttlSeconds }, survey.signal);
    return "done";
  }

  async function activate(keys: readonly RotationKey[], retired: readonly RotationKey[]): Promise<"done" | "asked"> {
    if (signer === undefined) return "asked";
    await signer.use(await signingKeys(keys), await storedKeys(retired));
    return "done";
  }

  return {
    now,
    random,
    lastRunAt,
    clockSetAt,
    async taken(selectors) {
      if (selectors !== undefined) return store.present(domain, selectors);
      const taken = new Set<string>();
      const ofDomain = store.list((name) => name.domain === domain, domain);
      for await (const { name } of ofDomain) if (name) taken.add(name.selector);
      return taken;
    },
    async observe(key) {
      survey.signal?.throwIfAborted();
      const { observation, lookup } = await observeKey(nameOf(key), key.record, survey);
      if (lookup !== undefined) lookups.set(key.selector, lookup);
      return observation;
    },
    async writeJournal(journal) {
      await lease().writeJournal(journal);
    },
    async makeKey({ selector, algorithm }, journalWith) {
      const name = { domain, selector };
      const stored = await readIfStored(store, name);
      if (stored !== undefined) {
        const journal = journalWith(describeKey(stored.privateKey.publicKey, stored.tags));
        await lease().writeJournal(journal);
        return journal;
      }
      const privateKey = await (algorithm === "rsa" ? generateRsaKey(policy.bits) : generateEd25519Key());
      const journal = journalWith(describeKey(privateKey.publicKey));
      const encoding = signer?.encodingOf?.(algorithm);
      await lease().createKey(name, { privateKey, tags: {}, ...(encoding && { encoding }) }, journal);
      return journal;
    },
    async named() {
      return options.names?.(domain);
    },
    changeRecord,
    async prove(key) {
      const stored = await store.read(nameOf(key));
      const lookup = lookups.get(key.selector);
      if (lookup === undefined) throw new NotProvenError(`${key.selector} is not proven: no server was asked`);
      const { name, privateKey, tags } = stored;
      const proof = { name, privateKey, tags, publicKey: privateKey.publicKey };
      const { verdict, reason } = await checkPublishedKey(proof, { lookup }, CHECK_POLICY, new Date(now()));
      if (verdict !== "pass") throw new NotProvenError(`${key.selector} is not proven: ${reason}`);
    },
    activate,
    async destroyKey(key, journal) {
      await lease().removeKey(nameOf(key), journal);
    },
    async revealKey(key, journalWith) {
      if (revealer === undefined || key.record === undefined)
        throw new RangeError(`${key.selector} is not to be revealed`);
      const name = nameOf(key);
      return revealer.retire(name, key.record, async (isRevealed) => {
        const journal = journalWith(isRevealed ? "revealed" : "gone");
        await lease().removeKey(name, journal);
        return journal;
      });
    },
  };
}

/** What the journal keeps of a key. */
export function describeKey(publicKey: PublicKey, tags: Parameters<typeof keyRecordFor>[1] = {}): MadeRotationKey {
  const record = formatKeyRecord(keyRecordFor(publicKey, tags));
  return publicKey.type === "rsa" ? { record, bits: publicKey.modulusBits } : { record };
}
