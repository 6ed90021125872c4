import { isIP } from "node:net";
import { quoteName } from "../domain-name.ts";
import { fileParameter, requireKnownParameters, StoreAddressError, type StoreUrl } from "../store-url.ts";

/** `vault` is HTTPS; `vault+http` is for a Vault agent or a laboratory on this host. */
export const VAULT_SCHEMES = ["vault", "vault+http"] as const;

/** Where documents of keys are in a Vault or OpenBao. */
export interface VaultAddress {
  readonly kind: "vault";
  /** As written, without parameters: what messages call the store. */
  readonly text: string;
  /** `https://vault.example:8200`; `undefined`: as `VAULT_ADDR` says. */
  readonly origin: string | undefined;
  /** Mount and folder: `secret/dkim`. */
  readonly path: string;
  readonly namespace: string | undefined;
  /** PEM certificates that are trusted instead of Node's own list. */
  readonly caFile: string | undefined;
  readonly tokenFile: string | undefined;
  /** Somebody vouches that one host alone rotates: without check-and-set, KV version 1 cannot refuse a late write. */
  readonly singleWriter: boolean;
}

const DEFAULT_PORT = 8200;
const PARAMETERS = ["ca", "namespace", "token-file", "single-writer"];

/**
 * `vault://HOST[:PORT]/MOUNT/FOLDER`, or `vault:///MOUNT/FOLDER` for the server of `VAULT_ADDR`.
 * @throws {StoreAddressError}
 */
export function parseVaultAddress(url: StoreUrl): VaultAddress {
  requireKnownParameters(url, PARAMETERS);
  const [host, second] = url.hosts;
  if (second !== undefined) throw new StoreAddressError("a vault: address names one host, that of the cluster");
  if (url.user !== undefined) throw new StoreAddressError("a vault: address names no user", { hint: CREDENTIALS });
  const path = url.path.replace(/\/+$/, "");
  if (
    !/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(path) ||
    path.split("/").some((part) => part === "." || part === "..")
  ) {
    throw new StoreAddressError(`${quoteName(url.text)} does not say where in Vault the keys are`, {
      hint: "name the mount of the KV engine, and a folder in it: vault://HOST:8200/secret/dkim",
    });
  }
  return {
    kind: "vault",
    text: url.text,
    origin: host === undefined ? undefined : originOf(url.scheme === "vault" ? "https" : "http", host.host, host.port),
    path,
    namespace: url.parameters.get("namespace"),
    caFile: fileParameter(url, "ca"),
    tokenFile: fileParameter(url, "token-file"),
    singleWriter: parseYes(url, "single-writer"),
  };
}

function parseYes({ parameters }: StoreUrl, name: string): boolean {
  const value = parameters.get(name);
  if (value === undefined || value === "yes") return value === "yes";
  throw new StoreAddressError(`${name} of the store's address is yes or left out, not ${quoteName(value)}`);
}

const CREDENTIALS = "Vault is told who asks by VAULT_TOKEN_FILE, or VAULT_ROLE_ID_FILE and VAULT_SECRET_ID_FILE";

/** The origin that `VAULT_ADDR` names, without a port that of HTTPS or HTTP, as for `vault` itself. @throws {StoreAddressError} */
export function vaultOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:") || url.username !== "") {
    throw new StoreAddressError("VAULT_ADDR is no address of a Vault", { hint: "write it as https://HOST:8200" });
  }
  const isHttps = url.protocol === "https:";
  // A URL does not keep the port that its scheme has anyway.
  const port = url.port === "" ? (isHttps ? 443 : 80) : Number(url.port);
  return originOf(isHttps ? "https" : "http", url.hostname.replace(/^\[|\]$/g, ""), port);
}

function originOf(protocol: "https" | "http", host: string, port = DEFAULT_PORT): string {
  if (protocol === "http" && !/^(localhost|127\.[0-9.]+|::1)$/.test(host)) {
    throw new StoreAddressError(`keys and tokens would travel to ${host} for all to read`, {
      hint: "use HTTPS, or a Vault agent on this host",
    });
  }
  return `${protocol}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
