import { KeyFileError } from "./key-store-errors.ts";
import { type ParsedPrivateKey, PrivateKeyError, parsePrivateKey } from "./private-key.ts";

/** Asked for the passphrase of an encrypted key file, at `location`; `undefined` when there is none to give. */
export type PassphraseSource = (location: string) => Promise<string | undefined>;

/**
 * The private key in a file of the store, decrypted when somebody knows how.
 * @throws {KeyFileError} naming the file; its cause says what the octets are
 */
export async function parseStoredKey(
  bytes: Uint8Array,
  location: string,
  askPassphrase: PassphraseSource | undefined,
): Promise<ParsedPrivateKey> {
  try {
    return parsePrivateKey(bytes);
  } catch (error) {
    if (!(error instanceof PrivateKeyError)) throw error;
    const passphrase = error.kind === "encrypted" ? await askPassphrase?.(location) : undefined;
    if (passphrase === undefined) throw keyFileError(location, error);
    return decrypted(bytes, passphrase, location);
  }
}

async function decrypted(bytes: Uint8Array, passphrase: string, location: string): Promise<ParsedPrivateKey> {
  // Loaded only here: it brings code for old ciphers with it that few stores need.
  const { decryptPrivateKey } = await import("./encrypted-private-key.ts");
  try {
    return await decryptPrivateKey(bytes, passphrase);
  } catch (error) {
    throw error instanceof PrivateKeyError ? keyFileError(location, error) : error;
  }
}

function keyFileError(location: string, error: PrivateKeyError): KeyFileError {
  return new KeyFileError(`${location} ${error.message}`, { hint: error.hint, cause: error });
}
