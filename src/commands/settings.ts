import { type Settings as ConfigSettings, loadConfig, storeText } from "../config.ts";
import type { CliContext } from "../context.ts";
import type { FileAccessOptions } from "../keys/file-access.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { UnsupportedByStoreError } from "../keys/key-store-errors.ts";
import { parseStoreAddress, type StoreAddress, storeName } from "../keys/store-address.ts";
import type { JournalStore } from "../rotation/journal-store.ts";
import { readTextFile } from "./input-files.ts";
import type { Notices } from "./notices.ts";
import type { GlobalOptions, KeyFileOptions, PassphraseOptions } from "./options.ts";
import { applySettingOptions } from "./setting-options.ts";

/** What holds for this run: options over environment over configuration. Defaults are where they are used. */
export interface Settings extends Omit<ConfigSettings, "store"> {
  /** Modes and owners are of a folder's files; a store on a server has none. */
  readonly store: FileAccessOptions & { readonly address: StoreAddress };
}

/** @throws {ConfigError} the configuration cannot be read or cannot be meant */
export function loadSettings(cli: CliContext, options: GlobalOptions & KeyFileOptions): Settings {
  const { env } = cli;
  const { settings } = loadConfig({
    path: options.config,
    env,
    readFile(path) {
      // First, since no decoder need be made where there is no file.
      const octets = cli.readFile(path);
      return new TextDecoder().decode(octets);
    },
  });
  // The options of `addSettingOptions` alone have a dot in their names. Most runs have none, and do not load their module.
  const saysSettings = Object.keys(options).some((name) => name.includes("."));
  const { store, ...others } = saysSettings ? applySettingOptions(settings, options) : settings;
  const address = parseStoreAddress(storeText({ option: options.store, env, settings }));
  const access = {
    mode: options.mode ?? store.mode,
    owner: options.owner ?? store.owner,
    group: options.group ?? store.group,
    allowInsecurePermissions: options.insecurePermissions,
  };
  return { store: { ...access, address }, ...others };
}

/** @throws {UnsupportedByStoreError} an option about files, for a store that has none */
function requireNoFileOptions({ mode, owner, group }: KeyFileOptions, address: StoreAddress): void {
  const given = { "--mode": mode, "--owner": owner, "--group": group };
  const [flag] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (address.kind === "directory" || flag === undefined) return;
  throw new UnsupportedByStoreError(`${flag} is about files, and ${storeName(address)} keeps none`, {
    hint: "who may read the keys is decided by the server",
  });
}

/** The store of this run; an encrypted key in it is opened with `--passphrase-file`, or by asking on a terminal. */
export async function openStore(
  cli: CliContext,
  options: PassphraseOptions & KeyFileOptions,
  { store }: Pick<Settings, "store">,
): Promise<KeyStore> {
  requireNoFileOptions(options, store.address);
  const opened = await cli.openKeyStore({ ...store, clock: cli.now, passphrase: passphraseSource(cli, options) });
  cli.closers.push(async () => opened.close?.());
  return opened;
}

/** Before the first change: what cannot be is said before the work. @param create whether a new store may be begun */
export async function prepareStore(store: KeyStore, notices: Notices, { create }: { create: boolean }): Promise<void> {
  for (const warning of await store.prepare({ create })) notices.warn(warning);
}

/**
 * Where a passphrase comes from: asked for each key, or read once from a file, which may be a pipe such as `<(pass …)`.
 * `undefined`: there is nobody to ask.
 */
export function passphraseSource(
  cli: CliContext,
  { passphraseFile }: PassphraseOptions,
): (location: string) => Promise<string | undefined> {
  let read: string | undefined;
  return async (location) => {
    if (passphraseFile !== undefined) {
      read ??= readTextFile(passphraseFile, cli).replace(/\r?\n$/, "");
      return read;
    }
    const prompter = await cli.openPrompter();
    return prompter?.secret(`Passphrase of ${location}:`);
  };
}

/** The journals of the store's domains. */
export function openJournals(cli: CliContext, store: KeyStore, settings: Settings): Promise<JournalStore> {
  return cli.openJournalStore(settings.store, store);
}
