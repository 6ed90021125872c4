import type { StoreSurroundings } from "../open-key-store.ts";
import { readStoreFile, readStoreSecret } from "../store-secret.ts";
import type { RedisAddress } from "./redis-address.ts";
import { RedisConnection } from "./redis-connection.ts";
import { RedisKeyStore } from "./redis-key-store.ts";

/**
 * The store at an address, with the password that a file or the environment has for it. Nothing is asked of the server yet.
 * @throws {KeyStoreError} a file cannot be read, or everybody can read the password
 */
export function openRedisKeyStore(
  address: RedisAddress,
  { env, readFile, signal }: StoreSurroundings,
  clock?: () => Date,
): RedisKeyStore {
  const { passwordFile, caFile } = address;
  // REDISCLI_AUTH is what redis-cli itself reads.
  const password =
    passwordFile === undefined ? env.REDISCLI_AUTH || undefined : readStoreSecret(passwordFile, readFile);
  const ca = caFile === undefined ? undefined : readStoreFile(caFile, readFile);
  return new RedisKeyStore(new RedisConnection({ address, password, ca, signal }), clock);
}
