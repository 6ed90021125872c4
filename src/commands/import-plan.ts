import { resolve } from "node:path";
import { DkimctlError } from "../errors.ts";
import { readKeyFile } from "../keys/key-file.ts";
import { compareKeyNames, type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, NewKey } from "../keys/key-store.ts";
import { PrivateKeyError, parsePrivateKey } from "../keys/private-key.ts";
import { samePublicKey } from "../keys/public-key.ts";
import { readIfStored } from "../keys/stored-key.ts";
import type { SignerEntry } from "../signers/signer-reading.ts";

/** What is to become of one key that a configuration names. */
export type ImportStep = {
  readonly entry: SignerEntry;
  /** The key's own file, links followed; `undefined` for a key in the configuration. */
  readonly path: string | undefined;
} & (
  | { readonly kind: "import"; readonly key: NewKey }
  /** The store has it already. */
  | { readonly kind: "present"; readonly location: string }
  /** The store, or an earlier line, has another key of this name. */
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string }
);

/** Reads every key and looks for its name in the store; changes nothing. In order of the names. */
export async function planImport(entries: readonly SignerEntry[], store: KeyStore | undefined): Promise<ImportStep[]> {
  const planned = new Map<string, ImportStep & { kind: "import" }>();
  const steps: ImportStep[] = [];
  for (const entry of [...entries].sort((a, b) => compareKeyNames(a.name, b.name))) {
    const read = readSource(entry);
    if (read.key === undefined) {
      steps.push({ entry, path: undefined, kind: "failed", reason: read.reason });
      continue;
    }
    const { key, path } = read;
    const earlier = planned.get(keyRecordName(entry.name));
    if (earlier !== undefined) {
      // A line that says the same once more adds nothing.
      if (!samePublicKey(earlier.key.privateKey.publicKey, key.privateKey.publicKey)) {
        steps.push({ entry, path, kind: "conflict", reason: `${earlier.entry.where} names another key` });
      }
      continue;
    }
    const taken = await findStored(store, entry.name, key);
    if (taken !== undefined) steps.push({ entry, path, ...taken });
    else {
      const step = { entry, path, kind: "import", key } as const;
      planned.set(keyRecordName(entry.name), step);
      steps.push(step);
    }
  }
  return steps;
}

type Source =
  | { readonly key: NewKey; readonly path: string | undefined }
  | { readonly key?: undefined; readonly reason: string };

function readSource({ source, tags, where }: SignerEntry): Source {
  try {
    const file = source.kind === "file" ? readKeyFile(resolve(source.path), { allowedMode: 0o777 }) : undefined;
    const { privateKey, format } = parsePrivateKey(
      source.kind === "file" ? (file?.bytes ?? new Uint8Array()) : source.bytes,
    );
    const encoding = format === "seed" || format === "seed-public" ? "seed" : format === "pkcs1" ? "pkcs1" : "pkcs8";
    return { key: { privateKey, tags, encoding }, path: file?.realPath };
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    const what = source.kind === "file" ? source.path : `the key at ${where}`;
    const reason = error instanceof PrivateKeyError ? `${what} ${error.message}` : error.message;
    return { reason: error.hint === undefined ? reason : `${reason} (${error.hint})` };
  }
}

async function findStored(
  store: KeyStore | undefined,
  name: KeyName,
  key: NewKey,
): Promise<{ kind: "present"; location: string } | { kind: "conflict"; reason: string } | undefined> {
  if (store === undefined) return undefined;
  try {
    const stored = await readIfStored(store, name);
    if (stored === undefined) return undefined;
    const { privateKey, location } = stored;
    if (samePublicKey(privateKey.publicKey, key.privateKey.publicKey)) return { kind: "present", location };
    return { kind: "conflict", reason: `the store has another key of this name: ${location}` };
  } catch (error) {
    if (error instanceof DkimctlError) return { kind: "conflict", reason: error.message };
    throw error;
  }
}
