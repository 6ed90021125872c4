import { DEFAULT_POLICY as CHECK_POLICY } from "../checks/check-policy.ts";
import { checkPublishedKey } from "../checks/published-key.ts";
import type { SurveyOptions } from "../dns/authoritative.ts";
import { formatKeyRecord, keyRecordFor } from "../dns/key-record.ts";
import type { Publisher } from "../dns/publish/publisher.ts";
import { PublishAgainError } from "../dns/publish/publisher.ts";
import type { TxtLookup } from "../dns/resolver.ts";
import { OperationError, TryAgainError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { generateEd25519Key, generateRsaKey } from "../keys/generate-key.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { KeyNotFoundError } from "../keys/key-store-errors.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { Selector } from "../keys/selector.ts";
import type { DomainLease } from "./journal-store.ts";
import { observeKey } from "./key-observer.ts";
import type { RotationKey } from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { type MadeRotationKey, REVOKED_RECORD, type RecordWish, type RotationWorld } from "./rotation-world.ts";

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
  readonly ttlSeconds: number;
  /** `undefined`: a person publishes. */
  readonly publisher: Publisher | undefined;
  /** `undefined`: a person changes the signer. */
  readonly signer: SignerSwitch | undefined;
}

/** Makes the signer use other keys. */
export interface SignerSwitch {
  /** @throws {DkimctlError} the signer may use the old keys or the new ones */
  use(keys: readonly SigningKey[], retired: readonly SigningKey[]): Promise<void>;
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
  const { domain, store, policy, survey, now, random, lastRunAt, publisher, signer, ttlSeconds } = options;
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
    const next = await signingKeys(keys);
    const old = await storedKeys(retired);
    try {
      await signer.use(next, old);
    } catch (cause) {
      if (old.length === 0) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      try {
        await signer.use(old, []);
      } catch {
        throw new OperationError(
          `${reason}; nor did the signer go back to ${old.map(({ selector }) => selector).join(" and ")}`,
          {
            cause,
          },
        );
      }
      throw new OperationError(
        `${reason}; the signer was put back to ${old.map(({ selector }) => selector).join(" and ")}`,
        {
          cause,
        },
      );
    }
    return "done";
  }

  return {
    now,
    random,
    lastRunAt,
    async taken() {
      const taken = new Set<string>();
      for await (const { name } of store.list((name) => name.domain === domain)) if (name) taken.add(name.selector);
      return taken;
    },
    async observe(key) {
      const { observation, lookup } = await observeKey(nameOf(key), key.record, survey);
      if (lookup !== undefined) lookups.set(key.selector, lookup);
      return observation;
    },
    async writeJournal(journal) {
      await lease().writeJournal(journal);
    },
    async makeKey({ selector, algorithm }, journalWith) {
      const name = { domain, selector };
      try {
        const { privateKey, tags } = await store.read(name);
        const journal = journalWith(describeKey(privateKey.publicKey, tags));
        await lease().writeJournal(journal);
        return journal;
      } catch (error) {
        if (!(error instanceof KeyNotFoundError)) throw error;
      }
      const privateKey = await (algorithm === "rsa" ? generateRsaKey(policy.bits) : generateEd25519Key());
      const journal = journalWith(describeKey(privateKey.publicKey));
      await lease().createKey(name, { privateKey, tags: {} }, journal);
      return journal;
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
  };
}

/** What the journal keeps of a key. */
export function describeKey(publicKey: PublicKey, tags: Parameters<typeof keyRecordFor>[1] = {}): MadeRotationKey {
  const record = formatKeyRecord(keyRecordFor(publicKey, tags));
  return publicKey.type === "rsa" ? { record, bits: publicKey.modulusBits } : { record };
}
