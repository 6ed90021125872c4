import { KeyStoreError, systemErrorCode, systemErrorReason } from "../key-store-errors.ts";
import type { StoreSurroundings } from "../open-key-store.ts";
import type { RedisAddress } from "./redis-address.ts";
import { RedisConnection } from "./redis-connection.ts";
import { RedisKeyStore } from "./redis-key-store.ts";

/** The store at an address, with the password that the environment or a file has for it. @throws {KeyStoreError} */
export function openRedisKeyStore(
  address: RedisAddress,
  { env, readFile, signal }: StoreSurroundings,
  clock?: () => Date,
): RedisKeyStore {
  const read = (path: string, what: string) => {
    try {
      return Buffer.from(readFile(path)).toString("utf8");
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      throw new KeyStoreError(`${what} of ${address.text}, ${path}, cannot be read: ${systemErrorReason(error)}`, {
        cause: error,
      });
    }
  };
  const { passwordFile, caFile } = address;
  // REDISCLI_AUTH is what redis-cli itself reads.
  const password =
    passwordFile === undefined
      ? env.REDISCLI_AUTH || undefined
      : read(passwordFile, "the password").split(/\r?\n/, 1)[0];
  const ca = caFile === undefined ? undefined : read(caFile, "the authority's certificate");
  return new RedisKeyStore(new RedisConnection({ address, password, ca, signal }), clock);
}
