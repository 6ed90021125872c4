import { DkimctlError } from "../errors.ts";
import { keyFilePermissionWarnings } from "./file-permissions.ts";
import { examineKeyFile, type NamedFile } from "./key-file-list.ts";
import type { KeyName } from "./key-name.ts";
import type { KeyProblem, PublicKeyEntry, RecordTags, StoredKey } from "./key-store.ts";
import { readPlainKeyFile } from "./plain-key-file.ts";
import { publicHalfOf } from "./stored-key.ts";

/** Keys in a group: enough that the handing over costs nothing, a millisecond's work. */
const MOST_AT_ONCE = 64;

/** One for all, so that what is made of it is made once. */
const NO_TAGS: RecordTags = {};

/** What a folder of keys can do for a listing. */
export interface PublicKeyTools {
  /** The mode that key files are configured to have. */
  readonly allowedMode: number;
  /** What is to be said of the folder, with the first key of it; nothing from then on. */
  readonly folderWarnings: () => readonly string[];
  /** Whether the record of this key has no tags of its own. */
  readonly isPlain: (name: KeyName) => boolean;
  readonly read: (name: KeyName) => Promise<StoredKey>;
}

/** `KeyStore.readPublicKeys` of the files of a folder: ordinary ones at once, what needs a closer look by `read`. */
export async function* publicKeyGroups(
  files: Iterable<NamedFile | KeyProblem>,
  tools: PublicKeyTools,
): AsyncGenerator<readonly PublicKeyEntry[], void, undefined> {
  const rest = files[Symbol.iterator]();
  // The first key by itself, so that its reader can begin.
  for (let most = 1; ; most = MOST_AT_ONCE) {
    const { group, other } = readPlainKeys(rest, most, tools);
    if (group.length > 0) yield group;
    // By itself, for it may be waited for: its passphrase is asked.
    if (other !== undefined) yield [await readPublicKey(other, tools)];
    else if (group.length < most) return;
  }
}

/**
 * The next ordinary keys. A function of its own: V8 takes longer to compile what can be suspended.
 * @returns `other`: the file after them, when it is no ordinary key
 */
function readPlainKeys(files: Iterator<NamedFile | KeyProblem>, most: number, tools: PublicKeyTools) {
  const group: PublicKeyEntry[] = [];
  while (group.length < most) {
    const { done, value: file } = files.next();
    if (done === true) break;
    const plain = readPlainKey(file, tools);
    if (plain === undefined) return { group, other: file };
    group.push(plain);
  }
  return { group, other: undefined };
}

function readPlainKey(
  file: NamedFile | KeyProblem,
  { isPlain, allowedMode, folderWarnings }: PublicKeyTools,
): PublicKeyEntry | undefined {
  if (file.kind === "problem" || !isPlain(file.name)) return undefined;
  const { name, location } = file;
  const plain = readPlainKeyFile(location);
  if (plain === undefined) return undefined;
  const warnings = keyFilePermissionWarnings(location, plain.mode, allowedMode);
  warnings.push(...folderWarnings());
  return { kind: "key", key: { name, location, publicKey: plain.publicKey, tags: NO_TAGS, warnings } };
}

async function readPublicKey(file: NamedFile | KeyProblem, { read }: PublicKeyTools): Promise<PublicKeyEntry> {
  const entry = file.kind === "named" ? examineKeyFile(file) : file;
  if (entry.kind === "problem") return entry;
  const { name } = entry;
  try {
    return { kind: "key", key: publicHalfOf(await read(name)) };
  } catch (error) {
    if (error instanceof DkimctlError) return { kind: "failed", name, error };
    throw error;
  }
}
