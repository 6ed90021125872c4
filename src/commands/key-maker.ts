import { randomBytes } from "node:crypto";
import { DkimctlError } from "../errors.ts";
import { generateEd25519Key, generateRsaKey } from "../keys/generate-key.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, NewKey, RecordTags } from "../keys/key-store.ts";
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
    }
  | { readonly kind: "failed"; readonly name: KeyName; readonly error: DkimctlError };

export function generateKey(algorithm: Algorithm, bits: number): Promise<PrivateKey> {
  return algorithm === "rsa" ? generateRsaKey(bits) : generateEd25519Key();
}

export interface KeyRequest extends Omit<NewKey, "privateKey"> {
  /** Of RSA keys. */
  readonly bits: number;
  /** Whether a key of the same name may be replaced. */
  readonly replace: boolean;
  readonly isTaken: (name: KeyName) => boolean;
}

/**
 * Makes the key of one job and stores it under all of its names that are free (or may be replaced): the first of them
 * gets the file, the others share it. A failure that the user can act on is in the result, in the order of the names;
 * whatever else is thrown is a bug.
 */
export async function makeKey(
  store: KeyStore,
  { algorithm, names }: KeyJob,
  { bits, replace, isTaken, ...newKey }: KeyRequest,
): Promise<MadeKey[]> {
  // Said before the work of making a key; `create` would refuse it all the same.
  const refused = replace ? [] : names.filter(isTaken);
  const [first, ...others] = names.filter((name) => !refused.includes(name));
  const results = new Map(refused.map((name) => [name, takenFailure(name, store)]));
  if (first !== undefined) {
    const { tags } = newKey;
    const privateKey = await generateKey(algorithm, bits);
    const { publicKey } = privateKey;
    const attempt = async (name: KeyName, write: () => Promise<Stored>): Promise<MadeKey> => {
      try {
        return { kind: "made", name, algorithm, publicKey, tags, ...(await write()) };
      } catch (error) {
        if (error instanceof DkimctlError) return { kind: "failed", name, error };
        throw error;
      }
    };
    const made = await attempt(first, () => store[replace ? "replace" : "create"](first, { privateKey, ...newKey }));
    results.set(first, made);
    for (const name of others) {
      const share = () => store.share(name, first, { replace });
      results.set(name, made.kind === "failed" ? { ...made, name } : await attempt(name, share));
    }
  }
  return names.flatMap((name) => results.get(name) ?? []);
}

interface Stored {
  readonly location: string;
  readonly backup?: string | undefined;
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
