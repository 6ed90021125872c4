import { readFileSync } from "node:fs";
import type { Settings } from "./config/config-schema.ts";
import { ConfigError, parseConfig } from "./config/config-text.ts";
import { systemErrorCode, systemErrorReason } from "./keys/key-store-errors.ts";

export type { Settings } from "./config/config-schema.ts";

const DEFAULT_CONFIG_PATH = "/etc/dkimctl.toml";
const DEFAULT_STORE_PATH = "/var/lib/dkim";

export interface Config {
  /** The file that was read, `undefined` when there is none. */
  readonly path: string | undefined;
  readonly settings: Settings;
}

export interface ConfigSource {
  /** `--config` */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: from the file system. @throws system errors */
  readonly readFile?: ((path: string) => string) | undefined;
}

/**
 * The configuration: `--config`, else `DKIMCTL_CONFIG`, else `/etc/dkimctl.toml` if it is there. Read strictly: what is
 * not understood is an error, never passed over.
 * @throws {ConfigError} the file cannot be read, is no TOML, or holds an unknown key or a wrong value
 */
export function loadConfig({ path, env, readFile = (file) => readFileSync(file, "utf8") }: ConfigSource): Config {
  const file = configPath({ path, env });
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (path === undefined && !env.DKIMCTL_CONFIG && code === "ENOENT")
      return { path: undefined, settings: NO_SETTINGS };
    throw new ConfigError(`cannot read the configuration ${file}: ${systemErrorReason(error)}`, { cause: error });
  }
  return { path: file, settings: parseConfig(text, file) };
}

/** Where the configuration is, or would be: `--config`, else `DKIMCTL_CONFIG`, else `/etc/dkimctl.toml`. */
export function configPath({ path, env }: Pick<ConfigSource, "path" | "env">): string {
  return path ?? (env.DKIMCTL_CONFIG || DEFAULT_CONFIG_PATH);
}

/** Where the store is, as text: `--store`, else `DKIMCTL_STORE`, else the configuration's, else `/var/lib/dkim`. */
export function storeText({
  option,
  env,
  settings,
}: {
  readonly option?: string | undefined;
  readonly env: ConfigSource["env"];
  readonly settings: Pick<Settings, "store">;
}): string {
  const { path, url } = settings.store;
  return option ?? (env.DKIMCTL_STORE || undefined) ?? url ?? path ?? DEFAULT_STORE_PATH;
}

/** What holds without a file; the bundle loads the schema for those who have one. */
const NO_SETTINGS: Settings = {
  store: {},
  keygen: {},
  records: {},
  dns: {},
  rotation: {},
  publish: {},
  signer: {},
  hooks: {},
  domain: {},
};
