import { UsageError } from "../errors.ts";
import { UnsupportedByStoreError } from "../keys/key-store-errors.ts";
import { type StoreAddress, storeName } from "../keys/store-address.ts";
import type { NamedSignerForm } from "../signers/index.ts";
import { rspamdRedisStoreForm } from "../signers/rspamd-redis-form.ts";

/**
 * The form in which a signer is told of keys that are no files: that of the signer which reads this very store.
 * @throws {UnsupportedByStoreError}
 */
export function storeForm(signer: string, form: string | undefined, address: StoreAddress): NamedSignerForm {
  if (address.kind === "redis" && signer === "rspamd" && (form === undefined || form === "redis")) {
    if (address.topology === "cluster") throw new UsageError("rspamd cannot read keys from a Redis cluster");
    return { form: rspamdRedisStoreForm(address), isSecret: false };
  }
  throw new UnsupportedByStoreError(
    `${signer} reads files${form === undefined ? "" : ` with the form ${form}`}, and ${storeName(address)} keeps none`,
    {
      hint:
        address.kind === "redis"
          ? "rspamd reads this store: dkimctl export rspamd --form redis"
          : "choose a form that holds the keys themselves, with --reveal-private-key",
    },
  );
}
