import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { concurrentMap } from "../concurrent-map.ts";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode, OperationError, UsageError } from "../errors.ts";
import { type DomainName, quoteName } from "../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import { parseStoreAddress, type StoreAddress, storeName } from "../keys/store-address.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import { type CopyEnd, type CopyResult, copyDomain } from "../rotation/copy-domain.ts";
import type { RotationTurn } from "../rotation/journal-store.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { UnderWay } from "../under-way.ts";
import { createNotices, type Notices } from "./notices.ts";
import { addPassphraseOption, type GlobalOptions, type PassphraseOptions } from "./options.ts";
import { loadSettings, openJournals, openStore, prepareStore, type Settings } from "./settings.ts";
import { problemError } from "./stored-keys.ts";

interface CopyOptions extends GlobalOptions, PassphraseOptions {
  readonly from: StoreAddress;
  readonly to: StoreAddress;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const COPY_SCHEMA = "dkimctl/copy/1";
/** A server answers many at once; a folder is no slower for it. */
const DOMAINS_AT_ONCE = 16;

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("copy")
    .description("copy keys, their tags and the journals of rotation from one store to another")
    .argument("[domain...]", "only these domains; .example.com is example.com and all below it, . is all")
    .addOption(
      new Option("--from <store>", "the store to copy from").argParser(parseStoreAddress).makeOptionMandatory(),
    )
    .addOption(new Option("--to <store>", "the store to copy to").argParser(parseStoreAddress).makeOptionMandatory())
    .option("-n, --dry-run", "say what would be copied, and copy nothing")
    .option("--json", "machine-readable");
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Nothing is overwritten. A copy that was interrupted is carried on by the next.

Examples:
  dkimctl copy --from /var/lib/dkim --to redis://127.0.0.1:6379 --dry-run
  dkimctl copy --from /var/lib/dkim --to vault:///secret/dkim example.com`,
    )
    .action((domains: string[]) => copy(domains, command.optsWithGlobals<CopyOptions>(), cli));
}

async function copy(domains: string[], options: CopyOptions, cli: CliContext): Promise<void> {
  if (options.store !== undefined) {
    throw new UsageError("copy has two stores, and --store names one", { hint: "name them with --from and --to" });
  }
  if (JSON.stringify(options.from) === JSON.stringify(options.to)) {
    throw new UsageError(`${quoteName(storeName(options.from))} cannot be copied to itself`);
  }
  const notices = createNotices(cli, options);
  const settings = loadSettings(cli, options);
  const from = await openEnd(options.from, options, settings, cli);
  const to = await openEnd(options.to, options, settings, cli);
  if (!options.dryRun) await prepareStore(to.store, notices, { create: true });
  const target = options.dryRun && !isThere(options.to) ? undefined : to;
  const turns = options.dryRun ? [] : await beginBoth(from, to, notices);
  const underWay = new UnderWay();
  cli.closers.push(() => underWay.ended());
  const totals = { copied: 0, present: 0, wrong: 0 };
  const all: CopyResult[] = [];
  try {
    const chosen = domainsOf(from, parseDomainFilter(domains), notices);
    const work = ({ domain, keys }: DomainKeys) => underWay.add(copyOne(domain, keys, from, target, turns, cli));
    for await (const results of concurrentMap(chosen, DOMAINS_AT_ONCE, work)) {
      for (const result of results) {
        if (result.result === "present") totals.present++;
        else if (result.result === "conflict" || result.result === "failed") totals.wrong++;
        else totals.copied++;
        if (options.json) all.push(result);
        else cli.stdout.write(renderLine(result));
      }
    }
  } finally {
    await underWay.ended();
    for (const turn of turns) await turn.release();
  }
  if (options.json) cli.stdout.write(renderJson(all, options.dryRun === true));
  if (totals.copied + totals.present + totals.wrong === 0) notices.warn(`${from.store.location} has nothing to copy`);
  if (totals.wrong > 0) {
    notices.warn(`${totals.wrong} were not copied; nothing was overwritten`);
    cli.exitCode = ExitCode.operationFailed;
  } else if (!options.dryRun && totals.copied > 0) {
    notices.notice(`copied ${totals.copied}; from now on let only one of the two stores be rotated`);
  }
}

async function openEnd(
  address: StoreAddress,
  options: CopyOptions,
  settings: Settings,
  cli: CliContext,
): Promise<CopyEnd> {
  const own = { ...settings, store: { ...settings.store, address } };
  const store = await openStore(cli, options, own);
  return { store, journals: await openJournals(cli, store, own) };
}

/**
 * The source too: a rotation that goes on there meanwhile would leave the copy behind. A source that nothing can be written
 * to, such as a backup, or in which nothing can be rotated, is copied all the same.
 * @returns the target's last
 */
async function beginBoth(from: CopyEnd, to: CopyEnd, notices: Notices): Promise<RotationTurn[]> {
  const turns: RotationTurn[] = [];
  try {
    turns.push(await from.journals.begin());
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    notices.warn(`${from.store.location} cannot be locked: let nobody rotate it meanwhile`);
  }
  try {
    return [...turns, await to.journals.begin()];
  } catch (error) {
    for (const turn of turns) await turn.release();
    throw error;
  }
}

function isThere(address: StoreAddress): boolean {
  return address.kind !== "directory" || existsSync(address.path);
}

interface DomainKeys {
  readonly domain: DomainName;
  readonly keys: readonly KeyName[];
}

/** Listings are in order of domains: the keys of each are together. Domains with nothing but a journal come last. */
async function* domainsOf(
  { store, journals }: CopyEnd,
  chooses: (domain: DomainName) => boolean,
  notices: Notices,
): AsyncGenerator<DomainKeys> {
  const seen = new Set<DomainName>();
  let keys: KeyName[] = [];
  for await (const entry of store.list(({ domain }) => chooses(domain))) {
    if (entry.kind === "problem") {
      const { message, hint } = problemError(entry);
      notices.warn(message, hint);
      continue;
    }
    const [first] = keys;
    if (first !== undefined && first.domain !== entry.name.domain) {
      yield { domain: first.domain, keys };
      keys = [];
    }
    keys.push(entry.name);
    seen.add(entry.name.domain);
  }
  const [last] = keys;
  if (last !== undefined) yield { domain: last.domain, keys };
  for (const domain of await journals.domains()) {
    if (chooses(domain) && !seen.has(domain)) yield { domain, keys: [] };
  }
}

async function copyOne(
  domain: DomainName,
  keys: readonly KeyName[],
  from: CopyEnd,
  to: CopyEnd | undefined,
  turns: readonly RotationTurn[],
  cli: CliContext,
): Promise<readonly CopyResult[]> {
  cli.throwIfEnded();
  const failed = (detail: string) => [{ domain, selector: undefined, result: "failed", detail } as const];
  try {
    const leases = await Promise.all(turns.map((turn) => turn.lease(domain)));
    try {
      if (leases.includes(undefined)) return failed("another dkimctl is at work on it: copy again");
      return await copyDomain(domain, keys, from, to && { ...to, lease: leases.at(-1) });
    } finally {
      for (const lease of leases) await lease?.release();
    }
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    return failed(error.message);
  }
}

function renderLine({ domain, selector, result, detail }: CopyResult): string {
  const what = selector === undefined ? `the journal of ${domain}` : keyRecordName({ domain, selector });
  return `${result.replace("-", " ")}: ${what}: ${visibleText(detail)}\n`;
}

function renderJson(results: readonly CopyResult[], dryRun: boolean): string {
  const items = results.map(({ domain, selector, result, detail }) => ({
    kind: selector === undefined ? "journal" : "key",
    domain,
    selector: selector ?? null,
    result,
    detail,
  }));
  return `${JSON.stringify({ schema: COPY_SCHEMA, dryRun, items }, undefined, 2)}\n`;
}
