import { quoteName } from "./domain-name.ts";
import { parseRedisAddress, REDIS_SCHEMES, type RedisAddress } from "./redis/redis-address.ts";
import { parseStoreUrl, StoreAddressError } from "./store-url.ts";
import { parseVaultAddress, VAULT_SCHEMES, type VaultAddress } from "./vault/vault-address.ts";

/** Where keys are stored: a folder, or a server that many machines share. */
export type StoreAddress = DirectoryAddress | RedisAddress | VaultAddress;

export interface DirectoryAddress {
  readonly kind: "directory";
  readonly path: string;
}

/**
 * What `--store`, `DKIMCTL_STORE` and `store.url` say: a URL, or the path of a folder.
 * @throws {StoreAddressError} also for a password in it: an argument list and a configuration are read by many
 */
export function parseStoreAddress(text: string): StoreAddress {
  if (!isStoreUrl(text)) return { kind: "directory", path: text };
  const url = parseStoreUrl(text, passwordHint);
  if (REDIS_SCHEMES.some((scheme) => scheme === url.scheme)) return parseRedisAddress(url);
  if (VAULT_SCHEMES.some((scheme) => scheme === url.scheme)) return parseVaultAddress(url);
  if (url.scheme === "file") {
    throw new StoreAddressError(`${quoteName(url.text)} is no address of a store`, {
      hint: `name the folder itself: /${url.path}`,
    });
  }
  throw new StoreAddressError(`there is no kind of store that is called ${quoteName(url.scheme)}`, {
    hint: `known are ${[...REDIS_SCHEMES, ...VAULT_SCHEMES].join(", ")}; a folder is named by its path`,
  });
}

/** Whether the text is meant as a URL; a folder has such a name only with `./` before it. */
function isStoreUrl(text: string): boolean {
  if (!text.includes(":")) return false;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^(redis|rediss|vault):/i.test(text);
}

/** What to call a store in messages. */
export function storeName(address: StoreAddress): string {
  return address.kind === "directory" ? address.path : address.text;
}

function passwordHint(scheme: string): string {
  return scheme.startsWith("redis")
    ? "put it into the environment as REDISCLI_AUTH, or into a file: ?password-file=/etc/dkimctl.redis"
    : "Vault is told who asks by VAULT_TOKEN_FILE, or by VAULT_ROLE_ID_FILE and VAULT_SECRET_ID_FILE";
}
