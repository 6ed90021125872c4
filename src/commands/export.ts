import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { type DkimctlError, OperationError, UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import { parseDuration } from "../rotation/duration.ts";
import { SigningKeys } from "../rotation/signing-keys.ts";
import { chooseForm, requireOneSignature, requireTaken, writeForm } from "../signers/form-choice.ts";
import { EXPORT_FORMS } from "../signers/index.ts";
import type { SecretSignerKey, SignerFile, SignerForm, SignerKey } from "../signers/signer-form.ts";
import { outputPaths, replaceText } from "./export-files.ts";
import { storeForm } from "./export-store-form.ts";
import { KeyRemarks } from "./key-remarks.ts";
import { createNotices, type Notices } from "./notices.ts";
import { collect, type GlobalOptions, wholeNumber } from "./options.ts";
import { loadSettings, openJournals, openStore } from "./settings.ts";
import { noKeysError } from "./showkeys.ts";
import { readKeys, signerKeyOf } from "./stored-keys.ts";

interface ExportOptions extends GlobalOptions {
  readonly form?: string;
  readonly output?: string;
  readonly selector?: readonly Selector[];
  /** Milliseconds. */
  readonly ttl?: number;
  readonly catchAll?: DomainName;
  readonly keyPrefix?: string;
  readonly kv?: number;
  readonly revealPrivateKey?: boolean;
}

export function register(program: Command, cli: CliContext): void {
  const signers = Object.keys(EXPORT_FORMS);
  const forms = [...new Set(Object.values(EXPORT_FORMS).flatMap(Object.keys))];
  const command = program
    .command("export")
    .description("print or write what a signer reads, for the keys that shall sign now")
    .argument("<signer>", `whose configuration: ${signers.join(", ")}`)
    .argument("[domain...]", "only these domains; .example.com is example.com and all below it, . is all")
    .addOption(new Option("--form <form>", "which of the signer's ways to be told of keys").choices(forms))
    .option("--output <path>", "replace this file, or the files in this folder, each in one step")
    .addOption(
      new Option(
        "--selector <selector>",
        "only keys of this selector, whatever rotate says; may be repeated",
      ).argParser(collect(parseSelector)),
    )
    .addOption(
      new Option("--ttl <duration>", "amavis: signatures expire after this time, such as 30d").argParser(parseLifetime),
    )
    .addOption(
      new Option("--catch-all <domain>", "amavis, opendkim: sign other mail with this domain's key").argParser(
        parseDomainName,
      ),
    )
    .addOption(
      new Option("--key-prefix <hash>", "rspamd, form redis: the hash of the keys (default: DKIM_KEYS)").argParser(
        parseKeyPrefix,
      ),
    )
    .addOption(
      new Option("--kv <version>", "rspamd, form vault: version of the KV engine, 1 or 2 (default: 1)").argParser(
        wholeNumber("versions", { min: 1, max: 2 }),
      ),
    )
    .option("--reveal-private-key", "allow forms that hold the private keys themselves");
  command
    .addHelpText(
      "after",
      `
Forms, the default first:
${Object.entries(EXPORT_FORMS)
  .map(([signer, known]) => `  ${signer.padEnd(15)}${Object.keys(known).join(", ")}`)
  .join("\n")}

Examples:
  dkimctl export rspamd --output /etc/rspamd/local.d/dkim_signing.conf
  dkimctl export amavis --selector mail --output /etc/amavis/conf.d/52-dkim
  dkimctl export opendkim --output /etc/opendkim`,
    )
    .action((signer: string, domains: string[]) =>
      exportKeys(signer, domains, command.optsWithGlobals<ExportOptions>(), cli),
    );
}

async function exportKeys(signer: string, domains: string[], options: ExportOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, {}, settings);
  const chosenForm = chooseForm(signer, options.form);
  const named =
    store.keepsFiles || chosenForm.isSecret ? chosenForm : storeForm(signer, options.form, settings.store.address);
  const { form, isSecret } = named;
  requireTaken(form, signer, {
    ttlSeconds: ["--ttl", options.ttl],
    catchAll: ["--catch-all", options.catchAll],
    keyPrefix: ["--key-prefix", options.keyPrefix],
    kvVersion: ["--kv", options.kv],
  });
  if (isSecret && options.revealPrivateKey !== true) {
    throw new UsageError("this form holds the private keys themselves", {
      hint: "if they may be read where the output goes, add --reveal-private-key",
    });
  }
  const signing = await SigningKeys.read(await openJournals(cli, store, settings), parseDomainFilter(domains));
  const chosen = await readSignerKeys(store, domains, { selectors: options.selector, signing, isSecret, notices, cli });
  if (chosen.length === 0) throw noKeysError(store.location, [...domains, ...(options.selector ?? [])]);
  const [leftOut, cautions] = [new KeyRemarks(), new KeyRemarks()];
  const keys = chosen.filter((key) => {
    const reason = form.cannotUse?.(key, chosen);
    const caution = reason === undefined ? form.caution?.(key) : undefined;
    if (reason !== undefined) leftOut.add(key.name, reason);
    if (caution !== undefined) cautions.add(key.name, caution);
    return reason === undefined;
  });
  leftOut.tell(notices, "left out ");
  cautions.tell(notices);
  if (keys.length === 0) throw new OperationError(`there is no key that ${signer} can use`);
  requireOneSignature(keys, form, signer);
  if (options.catchAll !== undefined && !keys.some(({ name }) => name.domain === options.catchAll)) {
    throw new UsageError(`the domain of --catch-all, ${options.catchAll}, has no key among those exported`);
  }
  if (form.warning !== undefined) notices.warn(form.warning);
  const output = options.output === undefined ? undefined : resolve(options.output);
  const files = writeForm(named, keys, {
    folder: output ?? form.defaultFolder ?? "/",
    ttlSeconds: options.ttl === undefined ? undefined : options.ttl / 1000,
    catchAll: options.catchAll,
    keyPrefix: options.keyPrefix,
    kvVersion: options.kv === 2 ? 2 : 1,
  });
  if (output === undefined) return print(files, form, isSecret, cli);
  const paths = outputPaths(files, form, output);
  const changed = paths.filter(({ path, text }) => replaceText(path, text, isSecret));
  for (const { path } of changed) notices.notice(`wrote ${path}`);
  if (changed.length === 0) notices.notice(`nothing changed in ${output}`);
  else if (form.reload !== undefined) notices.notice(`next: make the signer read it: ${form.reload}`);
}

interface Selection {
  /** Without them, the keys that shall sign now. */
  readonly selectors: readonly Selector[] | undefined;
  readonly signing: SigningKeys;
  readonly isSecret: boolean;
  readonly notices: Notices;
  readonly cli: CliContext;
}

/**
 * The chosen keys. A key that cannot be read ends the run: a configuration without it would stop its domain's signatures.
 */
async function readSignerKeys(
  store: KeyStore,
  domains: readonly string[],
  { selectors, signing, isSecret, notices, cli }: Selection,
): Promise<(SignerKey & Partial<SecretSignerKey>)[]> {
  const keys: (SignerKey & Partial<SecretSignerKey>)[] = [];
  const failures: DkimctlError[] = [];
  const wants = (name: KeyName) =>
    selectors === undefined ? signing.includes(name) : selectors.includes(name.selector);
  for await (const result of readKeys(store, parseDomainFilter(domains), domains.length === 0)) {
    cli.signal.throwIfAborted();
    if (result.kind === "failed") {
      if (result.name === undefined) notices.warn(result.error.message, result.error.hint);
      else if (wants(result.name)) failures.push(result.error);
      continue;
    }
    const { name, warnings, privateKey } = result.key;
    if (!wants(name)) continue;
    for (const warning of warnings) notices.detail(warning);
    const key = signerKeyOf(result.key);
    // Only what is asked to hold keys holds them: of 100,000 the names are enough.
    keys.push(isSecret ? { ...key, privateKey } : key);
  }
  for (const failure of failures) notices.error(failure);
  if (failures.length > 0) {
    throw new OperationError(`${failures.length} of the keys cannot be read; nothing was exported`, {
      hint: "mend what is named above, or name the domains to export",
    });
  }
  return keys;
}

function print(files: readonly SignerFile[], form: SignerForm<never>, isSecret: boolean, cli: CliContext): void {
  const [first, ...others] = files;
  if (others.length === 0) cli.stdout.write(first?.text ?? "");
  else if (isSecret) {
    throw new UsageError("each domain is a document of its own here", {
      hint: "name one domain, or give a folder: --output FOLDER",
    });
  } else {
    const folder = form.defaultFolder ?? "";
    cli.stdout.write(files.map(({ name, text }) => `# ==> ${join(folder, name)} <==\n${text}`).join("\n"));
  }
}

/** Milliseconds. */
function parseLifetime(text: string): number {
  const ms = parseDuration(text);
  if (ms === 0)
    throw new UsageError("a signature that expires at once is of no use", { hint: "write it as 30d or 2w" });
  return ms;
}

function parseKeyPrefix(text: string): string {
  if (/^[\w:.-]+$/.test(text)) return text;
  throw new UsageError(`${JSON.stringify(text)} is no name for a hash`, {
    hint: "use letters, digits and the characters _ : . -",
  });
}
