import { quoteName } from "../domain-name.ts";
import { fileParameter, requireKnownParameters, StoreAddressError, type StoreUrl } from "../store-url.ts";

/** Where a Redis store is, and under which names it keeps what there. Holds no password. */
export interface RedisAddress {
  readonly kind: "redis";
  /** For messages: the URL without its parameters. */
  readonly text: string;
  /** `sentinel`: `servers` are sentinels, which tell where the master is. `cluster`: `servers` are some of its nodes. */
  readonly topology: "server" | "sentinel" | "cluster";
  readonly servers: readonly RedisServer[];
  /** The name that sentinels know the master by. */
  readonly masterName: string | undefined;
  /** Of a server that listens on a socket of the file system; then `servers` is empty. */
  readonly socketPath: string | undefined;
  readonly tls: boolean;
  readonly database: number;
  readonly username: string | undefined;
  /** The first line of this file is the password. */
  readonly passwordFile: string | undefined;
  /** PEM certificates that are trusted instead of the system's. */
  readonly caFile: string | undefined;
  readonly layout: RedisLayout;
  /** How long a worker that is not heard of keeps a domain that it rotates. */
  readonly leaseMs: number;
}

export interface RedisServer {
  readonly host: string;
  readonly port: number;
}

/** The names of what a signer reads, and of what is dkimctl's own. */
export interface RedisLayout {
  /** The hash of private keys: field `<selector>.<domain>`. */
  readonly keys: string;
  /** The hash that names one selector for each domain, where the signer reads it: field `<domain>`. */
  readonly selectors: string | undefined;
  /** What the names of our own keys begin with: tags, backups, journals, leases. */
  readonly prefix: string;
}

/** rspamd's own configuration as shipped, and mailcow's. */
const LAYOUTS: Readonly<Record<string, Omit<RedisLayout, "prefix">>> = {
  rspamd: { keys: "DKIM_KEYS", selectors: undefined },
  mailcow: { keys: "DKIM_PRIV_KEYS", selectors: "DKIM_SELECTORS" },
};
const DEFAULT_PREFIX = "dkimctl:";
const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26_379;
const DEFAULT_LEASE_SECONDS = 30;
const PARAMETERS = ["layout", "keys", "selectors", "prefix", "lease", "password-file", "ca"];

export const REDIS_SCHEMES = [
  "redis",
  "rediss",
  "redis+unix",
  "redis+sentinel",
  "rediss+sentinel",
  "redis+cluster",
  "rediss+cluster",
] as const;

/** @throws {StoreAddressError} */
export function parseRedisAddress(url: StoreUrl): RedisAddress {
  const [protocol = "", variant] = url.scheme.split("+");
  const isSocket = variant === "unix";
  const topology = variant === "sentinel" || variant === "cluster" ? variant : "server";
  requireKnownParameters(url, PARAMETERS);
  if (isSocket ? url.hosts.length > 0 || url.path === "" : url.hosts.length === 0) {
    const example = isSocket ? "redis+unix:///run/redis/redis.sock" : `${url.scheme}://HOST:${DEFAULT_PORT}`;
    throw new StoreAddressError(`${quoteName(url.text)} names no ${isSocket ? "socket" : "server"}`, {
      hint: `write it as ${example}`,
    });
  }
  // It gets into configurations that we write.
  if (isSocket && /["\\\x00-\x1f\x7f]/.test(url.path)) {
    throw new StoreAddressError(`${quoteName(url.text)} is no path of a socket that a signer can be told`);
  }
  if (topology === "server" && url.hosts.length > 1) {
    throw new StoreAddressError(`${quoteName(url.text)} names several servers`, {
      hint: "write redis+sentinel://HOST,HOST/NAME for sentinels, redis+cluster://HOST,HOST for a cluster",
    });
  }
  const path = isSocket ? [] : url.path.split("/").filter((part) => part !== "");
  const masterName = topology === "sentinel" ? path.shift() : undefined;
  if (topology === "sentinel" && masterName === undefined) {
    throw new StoreAddressError(`${quoteName(url.text)} does not say which master the sentinels watch`, {
      hint: `write it as ${url.scheme}://HOST:${SENTINEL_PORT}/NAME; redis-cli -p ${SENTINEL_PORT} sentinel masters tells the names`,
    });
  }
  const port = topology === "sentinel" ? SENTINEL_PORT : DEFAULT_PORT;
  return {
    kind: "redis",
    text: url.text,
    topology,
    servers: url.hosts.map((server) => ({ host: server.host, port: server.port ?? port })),
    masterName,
    socketPath: isSocket ? `/${url.path}` : undefined,
    tls: protocol === "rediss",
    database: parseDatabase(path, url, topology),
    username: url.user,
    passwordFile: fileParameter(url, "password-file"),
    caFile: fileParameter(url, "ca"),
    layout: parseLayout(url, topology),
    leaseMs: parseLease(url) * 1000,
  };
}

function parseLease({ parameters }: StoreUrl): number {
  const text = parameters.get("lease") ?? String(DEFAULT_LEASE_SECONDS);
  if (/^[0-9]{1,4}$/.test(text) && Number(text) > 0) return Number(text);
  throw new StoreAddressError(`${quoteName(text)} is no number of seconds from 1 to 9999 for a lease`);
}

/** The part of a name that decides which node of a cluster has it. */
export function hashTag(name: string): string {
  return /\{([^}]+)\}/.exec(name)?.[1] ?? name;
}

function parseDatabase(path: readonly string[], { text }: StoreUrl, topology: RedisAddress["topology"]): number {
  const [number = "0", ...rest] = path;
  if (rest.length > 0 || !/^[0-9]{1,5}$/.test(number)) {
    throw new StoreAddressError(`${quoteName(text)} does not end in the number of a database`, {
      hint: "leave it out for number 0",
    });
  }
  if (topology === "cluster" && Number(number) > 0) {
    throw new StoreAddressError(`${quoteName(text)} names a database, and a cluster has number 0 only`);
  }
  return Number(number);
}

function parseLayout({ parameters }: StoreUrl, topology: RedisAddress["topology"]): RedisLayout {
  const name = parameters.get("layout") ?? "rspamd";
  const layout = Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name] : undefined;
  if (layout === undefined) {
    throw new StoreAddressError(`${quoteName(name)} is no layout of keys in Redis`, {
      hint: `known are ${Object.keys(LAYOUTS).join(", ")}; or name the hashes: keys=HASH&selectors=HASH`,
    });
  }
  const keys = parameters.get("keys") ?? layout.keys;
  const selectors = parameters.get("selectors") ?? layout.selectors;
  const prefix = parameters.get("prefix") ?? DEFAULT_PREFIX;
  for (const [what, value] of Object.entries({ keys, selectors, prefix })) {
    if (value !== undefined && !/^[\w:.{}-]{1,100}$/.test(value)) {
      throw new StoreAddressError(`${quoteName(value)} is no name for ${what} in Redis`, {
        hint: "use letters, digits and the characters _ : . - { }",
      });
    }
  }
  if (keys === selectors) throw new StoreAddressError("the keys and the selectors cannot be in the same hash");
  if (topology === "cluster" && selectors !== undefined && hashTag(keys) !== hashTag(selectors)) {
    throw new StoreAddressError(
      `a cluster cannot change ${keys} and ${selectors} in one step: they are on different nodes`,
      {
        hint: `give the selectors a name with the keys' in braces: selectors={${hashTag(keys)}}:selectors`,
      },
    );
  }
  return { keys, selectors, prefix };
}
