import { randomBytes } from "node:crypto";
import { concurrentMap } from "../concurrent-map.ts";
import { DkimctlError } from "../errors.ts";
import { generateEd25519Key, generateRsaKey } from "../keys/generate-key.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type {
  CreateOutcome,
  KeyLocation,
  KeyStore,
  NamedNewKey,
  NewKey,
  RecordTags,
  ReplacedKey,
} from "../keys/key-store.ts";
import { KeyExistsError } from "../keys/key-store-errors.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { Algorithm, KeyJob } from "./keygen-plan.ts";

/** What became of one name of one job. */
export type MadeKey =
  | {
      readonly kind: "made";
      readonly name: KeyName;
      readonly algorithm: Algorithm;
      /** `undefined`: it was printed, and is stored nowhere. */
      readonly location: string | undefined;
      readonly publicKey: PublicKey;
      readonly tags: RecordTags;
      /** Where the key that stood there before was kept. */
      readonly backup?: string | undefined;
      /** Names that were not asked for and stand for the new key too, as they did for the one before. */
      readonly sharedBy?: readonly KeyName[];
    }
  | { readonly kind: "failed"; readonly name: KeyName; readonly error: DkimctlError };

/** What RSA keys are to be; an Ed25519 key has one size, and is made in a moment. */
export interface RsaWish {
  readonly bits: number;
  /** From random primes: see `generateFastRsaKey`. */
  readonly fast: boolean;
}

/** A new private key. @param rsa of Ed25519 keys nothing in it counts */
export async function generateKey(algorithm: Algorithm, { bits, fast }: RsaWish): Promise<PrivateKey> {
  if (algorithm === "ed25519") return generateEd25519Key();
  if (!fast) return generateRsaKey(bits);
  const { generateFastRsaKey } = await import("../keys/fast-rsa-key.ts");
  return generateFastRsaKey(bits);
}

export interface KeyRequest extends Omit<NewKey, "privateKey"> {
  readonly rsa: RsaWish;
  /** Whether a key of the same name may be replaced. */
  readonly replace: boolean;
  readonly isTaken: (name: KeyName) => boolean;
}

/** A job whose key is made and not stored yet. */
export interface PreparedKey {
  readonly job: KeyJob;
  /** Those of its names that get the key; the others have one already, and keep it. */
  readonly wanted: readonly KeyName[];
  /** Absent when no name is wanted. */
  readonly privateKey: PrivateKey | undefined;
}

/** Makes the key of one job, unless none of its names is free. */
export async function prepareKey(job: KeyJob, { rsa, replace, isTaken }: KeyRequest): Promise<PreparedKey> {
  // Said before the work of making a key; `create` would refuse it all the same.
  const wanted = job.names.filter((name) => replace || !isTaken(name));
  return { job, wanted, privateKey: wanted.length === 0 ? undefined : await generateKey(job.algorithm, rsa) };
}

/**
 * Stores each key under its wanted names: the first of them gets the file, the others share it. A failure that the user
 * can act on is in the result; whatever else is thrown is a bug.
 * @returns for each key, in their order, what became of the names of its job, in the order of these
 */
export async function storeKeys(
  store: KeyStore,
  prepared: readonly PreparedKey[],
  { replace, tags, encoding }: KeyRequest,
): Promise<MadeKey[][]> {
  const keys = prepared.flatMap(({ wanted: [name], privateKey }) =>
    name === undefined || privateKey === undefined ? [] : { name, privateKey, tags, ...(encoding && { encoding }) },
  );
  const outcomes = replace ? await replaceKeys(store, keys) : await createKeys(store, keys);
  const outcomeOf = new Map(keys.map(({ name }, index) => [name, outcomes[index]]));
  const results: MadeKey[][] = [];
  for (const { job, wanted, privateKey } of prepared) {
    const made = new Map<KeyName, MadeKey>();
    const [first] = wanted;
    const outcome = first && outcomeOf.get(first);
    if (first !== undefined && outcome !== undefined && privateKey !== undefined) {
      const key = { algorithm: job.algorithm, publicKey: privateKey.publicKey, tags };
      for (const name of wanted) {
        const share = () => store.share(name, first, { replace });
        const stored = name === first || outcome.kind === "failed" ? outcome : await attempt(share);
        if (stored.kind === "failed") made.set(name, { ...stored, name });
        else made.set(name, { ...stored, ...key, kind: "made", name, sharedBy: othersOf(stored, job) });
      }
    }
    results.push(job.names.map((name) => made.get(name) ?? takenFailure(name, store)));
  }
  return results;
}

type StoreOutcome =
  | ({ readonly kind: "created" } & KeyLocation & Partial<ReplacedKey>)
  | (CreateOutcome & { kind: "failed" });

function othersOf({ sharedBy = [] }: Partial<ReplacedKey>, { names }: KeyJob): KeyName[] {
  const asked = new Set(names.map(keyRecordName));
  return sharedBy.filter((name) => !asked.has(keyRecordName(name)));
}

/** Questions to a server that are under way at once. */
const KEYS_AT_ONCE = 16;

async function createKeys(store: KeyStore, keys: readonly NamedNewKey[]): Promise<readonly CreateOutcome[]> {
  if (store.createMany !== undefined) return store.createMany(keys);
  const outcomes: CreateOutcome[] = [];
  const create = ({ name, ...key }: NamedNewKey) => attempt(() => store.create(name, key));
  for await (const outcome of concurrentMap(keys, KEYS_AT_ONCE, create)) outcomes.push(outcome);
  return outcomes;
}

/** One after another, since each waits for the store's lock. */
async function replaceKeys(store: KeyStore, keys: readonly NamedNewKey[]): Promise<StoreOutcome[]> {
  const outcomes: StoreOutcome[] = [];
  for (const { name, ...key } of keys) outcomes.push(await attempt(() => store.replace(name, key)));
  return outcomes;
}

async function attempt(store: () => Promise<KeyLocation & Partial<ReplacedKey>>): Promise<StoreOutcome> {
  try {
    return { kind: "created", ...(await store()) };
  } catch (error) {
    if (error instanceof DkimctlError) return { kind: "failed", error };
    throw error;
  }
}

function takenFailure(name: KeyName, { location }: KeyStore): MadeKey {
  const error = new KeyExistsError(`there is already a key for ${keyRecordName(name)} in ${location}`, {
    hint: "choose another selector with -s, or replace the key with --force, which keeps the old one as a .bak file",
  });
  return { kind: "failed", name, error };
}

/** Eight hex digits for the `{random}` of a selector template. */
export function randomHex(): string {
  return randomBytes(4).toString("hex");
}
