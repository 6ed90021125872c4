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
      readonly location: string;
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
 * Makes the key of one job and stores it under all of its names. A failure that the user can act on is in the result;
 * whatever else is thrown is a bug.
 */
export async function makeKey(
  store: KeyStore,
  { algorithm, names: [first, ...others] }: KeyJob,
  { bits, replace, isTaken, ...newKey }: KeyRequest,
): Promise<MadeKey[]> {
  const { tags } = newKey;
  if (!replace && isTaken(first)) {
    // Said before the work of making a key; `create` would refuse it all the same.
    const error = new KeyExistsError(`there is already a key for ${keyRecordName(first)} in ${store.location}`, {
      hint: "choose another selector with -s, or replace the key with --force, which keeps the old one as a .bak file",
    });
    return [first, ...others].map((name) => ({ kind: "failed", name, error }));
  }
  const outcome = async (
    name: KeyName,
    publicKey: PublicKey,
    store: () => Promise<{ location: string; backup?: string | undefined }>,
  ) => {
    try {
      return { kind: "made", name, algorithm, publicKey, tags, ...(await store()) } satisfies MadeKey;
    } catch (error) {
      if (error instanceof DkimctlError) return { kind: "failed", name, error } satisfies MadeKey;
      throw error;
    }
  };
  const privateKey = await generateKey(algorithm, bits);
  const { publicKey } = privateKey;
  const made: MadeKey = await outcome(first, publicKey, () =>
    store[replace ? "replace" : "create"](first, { privateKey, ...newKey }),
  );
  if (made.kind === "failed") return [made, ...others.map((name) => ({ ...made, name }))];
  const shared: MadeKey[] = [];
  for (const name of others) shared.push(await outcome(name, publicKey, () => store.share(name, first)));
  return [made, ...shared];
}

/** Eight hex digits for the `{random}` of a selector template. */
export function randomHex(): string {
  return randomBytes(4).toString("hex");
}
