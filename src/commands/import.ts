import { statSync, unlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode, OperationError, UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { realPathIfKnown } from "../keys/file-permissions.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, NewKey } from "../keys/key-store.ts";
import { systemErrorReason, UnsupportedByStoreError } from "../keys/key-store-errors.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import type { SignerReading } from "../signers/signer-reading.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { type ImportStep, planImport } from "./import-plan.ts";
import { readTextFile } from "./input-files.ts";
import { createNotices, type Notices } from "./notices.ts";
import { addFormatOptions, addKeyFileOptions, type GlobalOptions, type KeyFileOptions } from "./options.ts";
import { loadSettings, openStore, prepareStore } from "./settings.ts";
import { READABLE_SIGNERS, type ReadableSigner, readConfigurations, readLooseFiles } from "./signer-sources.ts";

interface ImportOptions extends GlobalOptions, KeyFileOptions {
  readonly domain?: DomainName;
  readonly selector?: Selector;
  readonly pattern?: string;
  readonly link?: boolean;
  readonly move?: boolean;
  readonly dryRun?: boolean;
  readonly format: "text" | "json";
}

/** Loose key files have no signer. */
const FILES = "files";

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("import")
    .description("bring the keys that a signer's configuration names into the store; never overwrites a key")
    .argument("<signer>", `whose configuration: ${Object.keys(READABLE_SIGNERS).join(", ")}; ${FILES} for loose keys`)
    .argument("<path...>", "configuration files, or key files")
    .addOption(
      new Option("--domain <domain>", "files: the domain of the key; rspamd: of a Vault document").argParser(
        parseDomainName,
      ),
    )
    .addOption(new Option("--selector <selector>", "files: the selector of the key").argParser(parseSelector))
    .option("--pattern <pattern>", "files: how the folders are laid out, such as {domain}/{selector}.private")
    .option("--link", "leave the key files where they are and link to them")
    .option("--move", "remove each key file once its key is in the store")
    .option("--dry-run", "say what would be done, and do nothing");
  addFormatOptions(command, ["text", "json"], "text");
  addKeyFileOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl import opendkim /etc/opendkim.conf --dry-run
  dkimctl import amavis /etc/amavis/conf.d
  dkimctl import files --domain example.com --selector mail old.pem
  dkimctl import files /etc/dkim --pattern '{domain}/{selector}.key' --link`,
    )
    .action((signer: string, paths: string[]) =>
      importKeys(signer, paths, command.optsWithGlobals<ImportOptions>(), cli),
    );
}

async function importKeys(signer: string, paths: string[], options: ImportOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  if (options.link && options.move) throw new UsageError("--link and --move contradict each other");
  const reading = readAll(signer, paths, options, cli);
  for (const { where, reason } of reading.notUnderstood) notices.warn(`${where}: ${reason}`);
  if (reading.entries.length === 0) {
    throw new OperationError(`no key that can be imported is named in ${paths.join(", ")}`);
  }
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, options, settings);
  if (options.link && store.link === undefined) {
    throw new UnsupportedByStoreError(`${store.location} keeps no files, so it cannot link to one`, {
      hint: "leave --link out: the keys are copied",
    });
  }
  if (!options.dryRun) await prepareStore(store, notices, { create: true });
  const isThere = !store.keepsFiles || statSync(store.location, { throwIfNoEntry: false }) !== undefined;
  const steps = await planImport(reading.entries, isThere ? store : undefined);
  const results = options.dryRun ? steps.map(foreseen) : await applyImport(steps, store, options, notices);
  cli.stdout.write(options.format === "json" ? renderJson(results, reading) : renderText(results));
  const faults = results.filter(({ result }) => result === "conflict" || result === "failed").length;
  if (faults > 0) notices.warn(`${faults} of ${results.length} keys were not imported; nothing was overwritten`);
  if (faults + reading.notUnderstood.length > 0) cli.exitCode = ExitCode.operationFailed;
}

function readAll(signer: string, paths: string[], options: ImportOptions, cli: CliContext): SignerReading {
  const { domain, selector, pattern } = options;
  if (signer === FILES) return readLooseFiles(paths, { domain, selector, pattern });
  if (!Object.hasOwn(READABLE_SIGNERS, signer)) {
    throw new UsageError(`${JSON.stringify(signer)} is no signer that can be imported from`, {
      hint: `known are ${Object.keys(READABLE_SIGNERS).join(", ")}, and ${FILES} for loose key files`,
    });
  }
  if (selector !== undefined || pattern !== undefined || (domain !== undefined && signer !== "rspamd")) {
    throw new UsageError(`--domain, --selector and --pattern are for loose key files: dkimctl import ${FILES}`);
  }
  return readConfigurations(signer as ReadableSigner, paths, (path) => readTextFile(path, cli), domain);
}

interface ImportResult {
  readonly step: ImportStep;
  readonly result: "imported" | "linked" | "moved" | "would-import" | "present" | "conflict" | "failed";
  readonly location?: string;
  readonly reason?: string;
}

function foreseen(step: ImportStep): ImportResult {
  return step.kind === "import" ? { step, result: "would-import" } : settled(step);
}

function settled(step: Exclude<ImportStep, { kind: "import" }>): ImportResult {
  return {
    step,
    result: step.kind,
    ...(step.kind === "present" ? { location: step.location } : { reason: step.reason }),
  };
}

async function applyImport(
  steps: readonly ImportStep[],
  store: KeyStore,
  { link, move }: ImportOptions,
  notices: Notices,
): Promise<ImportResult[]> {
  /** The first name under which each file came in: the others share its key. */
  const imported = new Map<string, { name: KeyName; key: NewKey }>();
  const keep = new Set<string>();
  const folder = store.keepsFiles ? (realPathIfKnown(store.location) ?? resolve(store.location)) : undefined;
  const results: ImportResult[] = [];
  for (const step of steps) {
    if (step.kind !== "import") {
      // What is in the store already may be this very file, linked to.
      if (step.path !== undefined) keep.add(step.path);
      results.push(settled(step));
      continue;
    }
    const { entry, path, key } = step;
    if (path !== undefined && dirname(path) === folder) keep.add(path);
    try {
      const first = path === undefined ? undefined : imported.get(path);
      if (link && path === undefined) throw new OperationError("the key is no file: it cannot be linked to");
      const { location } =
        link && path !== undefined && store.link !== undefined
          ? await store.link(entry.name, path, key)
          : first !== undefined && JSON.stringify(first.key.tags) === JSON.stringify(key.tags)
            ? await store.share(entry.name, first.name)
            : await store.create(entry.name, key);
      if (path !== undefined && first === undefined) imported.set(path, { name: entry.name, key });
      results.push({ step, result: link ? "linked" : "imported", location });
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      if (path !== undefined) keep.add(path);
      results.push({ step, result: "failed", reason: error.message });
    }
  }
  return move ? removeSources(results, keep, notices) : results;
}

/** A file goes when every key it holds is in the store; a link to it goes with it. */
function removeSources(results: readonly ImportResult[], keep: ReadonlySet<string>, notices: Notices): ImportResult[] {
  const removed = new Set<string>();
  return results.map((one) => {
    const { step, result } = one;
    const { path, entry } = step;
    if (result !== "imported" || path === undefined || keep.has(path)) return one;
    const named = entry.source.kind === "file" ? resolve(entry.source.path) : path;
    for (const file of new Set([named, path])) {
      if (removed.has(file)) continue;
      try {
        unlinkSync(file);
        removed.add(file);
      } catch (error) {
        notices.warn(`${file} was imported and cannot be removed: ${systemErrorReason(error)}`);
        return one;
      }
    }
    return { ...one, result: "moved" };
  });
}

function sourceOf({ entry }: ImportStep): string {
  return entry.source.kind === "file" ? entry.source.path : entry.where;
}

function renderText(results: readonly ImportResult[]): string {
  return results
    .map(({ step, result, location, reason }) => {
      const from = result === "present" ? location : (reason ?? `from ${sourceOf(step)}`);
      return `${result.replace("-", " ")}: ${keyRecordName(step.entry.name)}: ${visibleText(from ?? "")}\n`;
    })
    .join("");
}

function renderJson(results: readonly ImportResult[], { notUnderstood }: SignerReading): string {
  const keys = results.map(({ step, result, location, reason }) => ({
    domain: step.entry.name.domain,
    selector: step.entry.name.selector,
    where: step.entry.where,
    source: step.entry.source.kind === "file" ? step.entry.source.path : null,
    result,
    location: location ?? null,
    reason: reason ?? null,
  }));
  return `${JSON.stringify({ schema: "dkimctl/import/1", keys, notUnderstood }, undefined, 2)}\n`;
}
