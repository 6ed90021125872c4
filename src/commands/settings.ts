import { type Settings as ConfigSettings, loadConfig, storePath } from "../config.ts";
import type { CliContext } from "../context.ts";
import type { FileAccessOptions } from "../keys/file-access.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { JournalStore } from "../rotation/journal-store.ts";
import { readTextFile } from "./input-files.ts";
import type { GlobalOptions, KeyFileOptions, PassphraseOptions } from "./options.ts";

/** What holds for this run: options over environment over configuration. Defaults are where they are used. */
export interface Settings {
  readonly store: FileAccessOptions & { readonly path: string };
  readonly keygen: ConfigSettings["keygen"];
  readonly records: ConfigSettings["records"];
  readonly dns: ConfigSettings["dns"];
  readonly rotation: ConfigSettings["rotation"];
  readonly publish: ConfigSettings["publish"];
  readonly signer: ConfigSettings["signer"];
  readonly hooks: ConfigSettings["hooks"];
  readonly domain: ConfigSettings["domain"];
}

/** @throws {ConfigError} the configuration cannot be read or cannot be meant */
export function loadSettings(cli: CliContext, options: GlobalOptions & KeyFileOptions): Settings {
  const { env } = cli;
  const { settings } = loadConfig({
    path: options.config,
    env,
    readFile: (path) => new TextDecoder().decode(cli.readFile(path)),
  });
  const { store, ...others } = settings;
  return {
    store: {
      path: storePath({ option: options.store, env, settings }),
      mode: options.mode ?? store.mode,
      owner: options.owner ?? store.owner,
      group: options.group ?? store.group,
      allowInsecurePermissions: options.insecurePermissions,
    },
    ...others,
  };
}

/** The store of this run; an encrypted key in it is opened with `--passphrase-file`, or by asking on a terminal. */
export function openStore(cli: CliContext, options: PassphraseOptions, { store }: Settings): Promise<KeyStore> {
  return cli.openKeyStore({ ...store, clock: cli.now, passphrase: passphraseSource(cli, options) });
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
