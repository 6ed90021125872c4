import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { type Command, Option } from "commander";
import { formatConfig } from "../config/config-format.ts";
import { configPath, storeText } from "../config.ts";
import type { CliContext } from "../context.ts";
import { OperationError, UsageError } from "../errors.ts";
import { type DomainName, NameSyntaxError, parseDomainName } from "../keys/domain-name.ts";
import { createFile } from "../keys/durable-file.ts";
import { DEFAULT_KEY_MODE, resolveFileAccess } from "../keys/file-access.ts";
import { fileOperations } from "../keys/file-operations.ts";
import { writeFailure } from "../keys/key-file.ts";
import { systemErrorCode } from "../keys/key-store-errors.ts";
import { DEFAULT_SELECTOR_TEMPLATE, parseSelectorTemplate, type SelectorTemplate } from "../keys/selector-template.ts";
import { parseStoreAddress } from "../keys/store-address.ts";
import type { Prompter } from "../terminal/prompt.ts";
import { keygen } from "./keygen.ts";
import type { Algorithm } from "./keygen-plan.ts";
import { KEYGEN_FORMATS, type KeygenFormat } from "./keygen-report.ts";
import { createNotices } from "./notices.ts";
import { addFormatOptions, addKeyFileOptions, collect, type GlobalOptions, type KeyFileOptions } from "./options.ts";
import { openStore } from "./settings.ts";

interface InitOptions extends GlobalOptions, KeyFileOptions {
  readonly domain?: readonly DomainName[];
  readonly type?: Algorithm | "both";
  readonly selectorTemplate?: SelectorTemplate;
  readonly yes?: boolean;
  readonly format: KeygenFormat;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("init")
    .description("set up: write the configuration, make the first keys, print their records; asks what is not given")
    .addOption(
      new Option("-d, --domain <domain>", "signing domain; may be repeated").argParser(collect(parseDomainName)),
    )
    .addOption(new Option("-t, --type <type>", "kind of keys (default: both)").choices(["rsa", "ed25519", "both"]))
    .addOption(
      new Option(
        "--selector-template <template>",
        `names of new keys (default: ${DEFAULT_SELECTOR_TEMPLATE})`,
      ).argParser(parseSelectorTemplate),
    )
    .option("-y, --yes", "ask nothing: take the defaults for what is not given");
  addFormatOptions(command, KEYGEN_FORMATS, "bind", "-o");
  addKeyFileOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl init                                        asks for everything
  dkimctl init -y -d example.com --group rspamd       asks nothing`,
    )
    .action(() => init(command.optsWithGlobals<InitOptions>(), cli));
}

/** What the wizard wants to know. */
interface Answers {
  readonly domains: readonly DomainName[];
  readonly type: Algorithm | "both";
  readonly template: SelectorTemplate;
  /** The absolute path of a folder, or a URL. */
  readonly store: string;
  readonly owner: string | undefined;
  readonly group: string | undefined;
}

async function init(options: InitOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const config = configPath({ path: options.config, env: cli.env });
  if (existsSync(config)) throw configExists(config);
  const prompter = options.yes ? undefined : await cli.openPrompter();
  const answers = prompter === undefined ? takeDefaults(options, cli) : await askForRest(options, cli, prompter);
  const { domains, type, template, store, owner, group } = answers;
  const address = parseStoreAddress(store);
  const isFolder = address.kind === "directory";
  const mode = options.mode ?? (group === undefined ? DEFAULT_KEY_MODE : 0o640);
  const access = { mode, owner, group, allowInsecurePermissions: options.insecurePermissions };
  // What cannot be is said before anything is made; keygen tells the warnings.
  const opened = await openStore(cli, options, { store: { ...(isFolder && access), address } });
  await opened.prepare({ create: true });
  const ofFiles = { mode, ...(owner !== undefined && { owner }), ...(group !== undefined && { group }) };
  const text = formatConfig({
    store: isFolder ? { path: store, ...ofFiles } : { url: store },
    keygen: { algorithms: type === "both" ? ["rsa", "ed25519"] : [type], selector: template },
  });
  writeConfig(config, text);
  notices.notice(`wrote ${config}`);
  // Left out where the configuration says it now: the next step that keygen prints is then as short as it may be.
  const { store: _, ...rest } = options;
  const named = storeWithoutOption(store, cli) === store ? {} : { store };
  await keygen({ ...rest, ...named, domain: domains, type, privOutput: "pem" }, cli);
}

function configExists(config: string, cause?: unknown): OperationError {
  return new OperationError(`there is already a configuration: ${config}`, {
    hint: "edit it, and make more keys with dkimctl keygen; or set up elsewhere with --config FILE --store DIR",
    cause,
  });
}

function takeDefaults(options: InitOptions, cli: CliContext): Answers {
  if (options.domain === undefined) {
    throw new UsageError("no domain is given, and there is no terminal to ask on", { hint: "name it with -d DOMAIN" });
  }
  return {
    domains: options.domain,
    type: options.type ?? "both",
    template: options.selectorTemplate ?? DEFAULT_SELECTOR_TEMPLATE,
    store: defaultStore(options, cli),
    owner: options.owner,
    group: options.group,
  };
}

async function askForRest(options: InitOptions, cli: CliContext, prompter: Prompter): Promise<Answers> {
  const domains =
    options.domain ??
    splitDomains(await prompter.text("Signing domains (separated by spaces):", { validate: valid(splitDomains) }));
  const type =
    options.type ??
    (await prompter.choose<Algorithm | "both">("Kind of keys:", [
      { name: "RSA and Ed25519: every receiver verifies one of them", value: "both" },
      { name: "RSA, 2048 bits: every receiver verifies it", value: "rsa" },
      { name: "Ed25519: short records, but many receivers do not verify it", value: "ed25519" },
    ]));
  const template =
    options.selectorTemplate ??
    parseSelectorTemplate(
      await prompter.text("Names of keys:", {
        default: DEFAULT_SELECTOR_TEMPLATE,
        validate: valid(parseSelectorTemplate),
      }),
    );
  const store =
    options.store === undefined
      ? await prompter.text("Folder of the keys:", { default: defaultStore(options, cli), validate: absolutePath })
      : defaultStore(options, cli);
  const { kind } = parseStoreAddress(store);
  const owner =
    kind !== "directory"
      ? undefined
      : (options.owner ??
        (await prompter.text("User who owns the keys (empty: the one who runs dkimctl):", {
          validate: valid((name) => name === "" || resolveFileAccess({ owner: name })),
        })));
  const group =
    kind !== "directory"
      ? undefined
      : (options.group ??
        (await prompter.text("Group of the mail server that signs (empty: only the owner reads keys):", {
          validate: valid((name) => name === "" || resolveFileAccess({ group: name })),
        })));
  return { domains, type, template, store, owner: owner || undefined, group: group || undefined };
}

function absolutePath(answer: string): true | string {
  return isAbsolute(answer) || "write the whole path, from /";
}

function splitDomains(text: string): DomainName[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 0) throw new NameSyntaxError("name at least one domain");
  return words.map(parseDomainName);
}

/** An answer is asked for again until it can be parsed. */
function valid(parse: (text: string) => unknown): (answer: string) => true | string {
  return (answer) => {
    try {
      parse(answer);
      return true;
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
  };
}

/** A path is absolute, since the configuration must mean the same in every folder. */
function defaultStore({ store }: InitOptions, cli: CliContext): string {
  const text = store ?? storeWithoutOption(undefined, cli);
  return parseStoreAddress(text).kind === "directory" ? resolve(text) : text;
}

/** The store of a run without `--store`, when the configuration says `store`. */
function storeWithoutOption(store: string | undefined, { env }: CliContext): string {
  return storeText({ env, settings: { store: store === undefined ? {} : { url: store } } });
}

function writeConfig(path: string, text: string): void {
  try {
    createFile(path, Buffer.from(text), { mode: 0o644 }, fileOperations);
  } catch (error) {
    throw systemErrorCode(error) === "EEXIST" ? configExists(path, error) : writeFailure(error, path);
  }
}
