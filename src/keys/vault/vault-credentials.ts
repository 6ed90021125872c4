import { UsageError } from "../../errors.ts";

/** How to prove to Vault who asks. Never part of an address, an argument or a message. */
export type VaultCredentials =
  | { readonly kind: "token"; readonly token: string }
  | {
      readonly kind: "approle";
      readonly roleId: string;
      readonly secretId: string;
      /** Where the method is enabled; Vault's default is `approle`. */
      readonly mount: string;
    };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `VAULT_TOKEN`, else the file of `VAULT_TOKEN_FILE`, else an AppRole: `VAULT_ROLE_ID` and `VAULT_SECRET_ID`, or the files
 * that `VAULT_ROLE_ID_FILE` and `VAULT_SECRET_ID_FILE` name. The token that `vault login` leaves in the home of a person is
 * not taken: what cron does must not hang on who logged in last.
 * @param readSecret the text of a file that only its owner may read
 * @throws {UsageError} there is nothing to prove it with
 */
export function vaultCredentials(env: Environment, readSecret: (path: string) => string): VaultCredentials {
  const secret = (name: string): string | undefined => {
    const { [name]: value, [`${name}_FILE`]: file } = env;
    if (value) return requirePlain(value, name);
    return file ? requirePlain(readSecret(file).trim(), `${name}_FILE`) : undefined;
  };
  const token = secret("VAULT_TOKEN");
  if (token !== undefined) return { kind: "token", token };
  const roleId = secret("VAULT_ROLE_ID");
  const secretId = secret("VAULT_SECRET_ID");
  if (roleId === undefined || secretId === undefined) {
    throw new UsageError("there is nothing to log in to Vault with", {
      hint: "set VAULT_TOKEN_FILE; or VAULT_ROLE_ID_FILE and VAULT_SECRET_ID_FILE",
    });
  }
  return { kind: "approle", roleId, secretId, mount: env.VAULT_APPROLE_MOUNT || "approle" };
}

/** A header must hold nothing else; and the value must not get into a message. */
function requirePlain(value: string, name: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new UsageError(`${name} holds no token: it is empty, or holds what no token holds`);
}
