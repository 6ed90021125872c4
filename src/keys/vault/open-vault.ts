import { statSync } from "node:fs";
import { shellQuote } from "../file-permissions.ts";
import { KeyStoreError, systemErrorReason } from "../key-store-errors.ts";
import type { StoreSurroundings } from "../open-key-store.ts";
import { type VaultAddress, vaultOrigin } from "./vault-address.ts";
import { VaultClient } from "./vault-client.ts";
import { vaultCredentials } from "./vault-credentials.ts";
import { VaultDocuments } from "./vault-documents.ts";
import { VaultKeyStore } from "./vault-key-store.ts";

/**
 * The store at an address, with what the environment says of the server and of who asks: `VAULT_ADDR`, `VAULT_NAMESPACE`,
 * `VAULT_CACERT`, and the credentials. Nothing is asked of the server yet.
 * @throws {UsageError | KeyStoreError} a credential is missing, or its file cannot be read or can be read by all
 */
export function openVaultKeyStore(
  address: VaultAddress,
  { env, readFile }: Pick<StoreSurroundings, "env" | "readFile">,
  clock?: () => Date,
): VaultKeyStore {
  const read = (path: string): string => {
    try {
      return Buffer.from(readFile(path)).toString("utf8");
    } catch (error) {
      throw new KeyStoreError(`${path} cannot be read: ${systemErrorReason(error)}`, { cause: error });
    }
  };
  const readSecret = (path: string): string => {
    const text = read(path);
    if (((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0) {
      throw new KeyStoreError(`${path} can be read by every user`, { hint: `chmod 600 ${shellQuote(path)}` });
    }
    return text;
  };
  const caFile = address.caFile ?? (env.VAULT_CACERT || undefined);
  const client = new VaultClient({
    origin: address.origin ?? vaultOrigin(env.VAULT_ADDR || "https://127.0.0.1:8200"),
    credentials: vaultCredentials(
      address.tokenFile === undefined ? env : { VAULT_TOKEN_FILE: address.tokenFile },
      readSecret,
    ),
    namespace: address.namespace ?? (env.VAULT_NAMESPACE || undefined),
    ca: caFile === undefined ? undefined : read(caFile),
  });
  return new VaultKeyStore(new VaultDocuments(client, address.path), { clock, singleWriter: address.singleWriter });
}
