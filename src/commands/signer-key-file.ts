import type { PublishedKeyEvidence } from "../checks/published-key.ts";
import { dnssecState } from "../dns/key-lookup.ts";
import type { Resolver } from "../dns/resolver.ts";
import { UsageError } from "../errors.ts";
import { type FileReader, findUser } from "../keys/file-reader.ts";
import { readKeyFile } from "../keys/key-file.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import { KeyFileError } from "../keys/key-store-errors.ts";
import { type ParsedPrivateKey, PrivateKeyError, parsePrivateKey } from "../keys/private-key.ts";
import { READABLE_SIGNERS, type ReadableSigner } from "./signer-sources.ts";

/** The key of a file that a signer's configuration names, whoever may read it. @throws {DkimctlError} */
export function readSignerKeyFile(path: string): ParsedPrivateKey {
  const { bytes } = readKeyFile(path, { allowedMode: 0o777 });
  try {
    return parsePrivateKey(bytes);
  } catch (error) {
    if (!(error instanceof PrivateKeyError)) throw error;
    throw new KeyFileError(`${path} ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** What the resolvers have at the key's name. */
export async function askPublished(
  name: KeyName,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<PublishedKeyEvidence> {
  const lookup = await resolver.lookupTxt(keyRecordName(name), { signal });
  return { lookup, dnssec: await dnssecState(resolver, lookup, { signal }) };
}

/**
 * The user as which the signer reads its keys: the one that was named, who must be there, or Debian's.
 * @returns `undefined`: none was named, and this system has not Debian's
 */
export async function chooseUser({
  signer,
  user,
}: {
  readonly signer: ReadableSigner;
  readonly user: string | undefined;
}): Promise<FileReader | undefined> {
  const reader = await findUser(user ?? READABLE_SIGNERS[signer].user);
  if (reader === undefined && user !== undefined) {
    throw new UsageError(`there is no user ${JSON.stringify(user)} on this system`);
  }
  return reader;
}
