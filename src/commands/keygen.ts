import { type Command, Option } from "commander";
import { concurrentMap, readyGroups } from "../concurrent-map.ts";
import type { CliContext } from "../context.ts";
import { parseRecordTags } from "../dns/record-tags.ts";
import { ExitCode, UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { domainWarnings } from "../keys/domain-warnings.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { RecordTags } from "../keys/key-store.ts";
import { parseSelector, type Selector, selectorWarnings } from "../keys/selector.ts";
import { DEFAULT_SELECTOR_TEMPLATE } from "../keys/selector-template.ts";
import { createProgress } from "../terminal/progress.ts";
import { commandLine } from "./command-line.ts";
import { readDomainList } from "./input-files.ts";
import { type MadeKey, prepareKey, type RsaWish, randomHex, storeKeys } from "./key-maker.ts";
import { keygenToFile, type PrivateOutput } from "./keygen-file.ts";
import { type Algorithm, planKeys } from "./keygen-plan.ts";
import { createKeygenReport, describeKey, KEYGEN_FORMATS, type KeygenFormat } from "./keygen-report.ts";
import { createNotices, type Notices } from "./notices.ts";
import {
  addFormatOptions,
  addKeyFileOptions,
  addTtlOption,
  collect,
  filePath,
  type GlobalOptions,
  type KeyFileOptions,
} from "./options.ts";
import { checkRsaBits, DEFAULT_RSA_BITS, parseRsaBits } from "./rsa-bits.ts";
import { loadSettings, openStore, prepareStore, type Settings } from "./settings.ts";
import { takenNames } from "./taken-names.ts";

export interface KeygenOptions extends GlobalOptions, KeyFileOptions {
  readonly domain?: readonly DomainName[];
  readonly domainsFrom?: string;
  readonly selector?: Selector;
  readonly type?: Algorithm | "both";
  readonly bits?: number;
  readonly keyFile?: string;
  readonly format: KeygenFormat;
  readonly privOutput: PrivateOutput;
  readonly force?: boolean;
  readonly share?: boolean;
  readonly allowWeak?: boolean;
  readonly fast?: boolean;
  readonly ttl?: number;
  readonly hash?: readonly string[];
  readonly service?: readonly string[];
  readonly flags?: readonly string[];
  readonly note?: string;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("keygen")
    .description("make keys in the store and print their records; never overwrites a key")
    .addOption(
      new Option("-d, --domain <domain>", "signing domain; may be repeated").argParser(collect(parseDomainName)),
    )
    .addOption(
      new Option("--domains-from <file>", "a domain a line; - reads standard input").argParser(
        filePath("--domains-from"),
      ),
    )
    .addOption(
      new Option("-s, --selector <selector>", "selector (default: {algorithm}-{yyyymmdd})").argParser(parseSelector),
    )
    .addOption(new Option("-t, --type <type>", "kind of key (default: rsa)").choices(["rsa", "ed25519", "both"]))
    .addOption(new Option("-b, --bits <bits>", "size of RSA keys (default: 2048)").argParser(parseRsaBits))
    .option("-k, --key-file <file>", "write the private key there instead of into the store; - prints it")
    .addOption(
      new Option("--priv-output <encoding>", "encoding of the private key")
        .choices(["pem", "der", "seed"])
        .default("pem"),
    )
    .option("-f, --force", "replace a key of the same name; the old one is kept as a .bak file")
    .option("--share", "one key for all domains given (symbolic links)")
    .option("--fast", "make RSA keys of random primes, in less than half the time; see the manual for what is given up")
    .option("--allow-weak", "allow RSA keys of 512 to 1023 bits, which no verifier may accept (RFC 8301)");
  addRecordOptions(command);
  addTtlOption(command);
  addFormatOptions(command, KEYGEN_FORMATS, "bind", "-o");
  addKeyFileOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl keygen -d example.com                       RSA key rsa-YYYYMMDD
  dkimctl keygen -d example.com -t both -s mail       mail-rsa and mail-ed25519
  dkimctl keygen --domains-from list -t ed25519 -q    one key for each line
  dkimctl keygen -d example.com -k - -o value         key and record on stdout`,
    )
    .action(() => keygen(command.optsWithGlobals<KeygenOptions>(), cli));
}

/** The tags of the record, as words that end up in DNS. */
function addRecordOptions(command: Command): Command {
  const words = collect((text) => text);
  return command
    .addOption(new Option("--hash <algorithms>", "h= of the record, such as sha256").argParser(words))
    .addOption(new Option("--service <types>", "s= of the record, such as email").argParser(words))
    .addOption(
      new Option("--flags <flags>", "t= of the record: s (no subdomains in i=) or y (testing)").argParser(words),
    )
    .option("--note <text>", "n= of the record: a note to people");
}

/** The command itself; `init` calls it too. */
export async function keygen(options: KeygenOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const settings = loadSettings(cli, options);
  const algorithms = chooseAlgorithms(options, settings);
  const bits = options.bits ?? settings.keygen.bits ?? DEFAULT_RSA_BITS;
  const rsa = { bits, fast: options.fast === true };
  if (algorithms.includes("rsa")) checkRsaBits(bits, options.allowWeak === true, notices);
  else if (options.bits !== undefined) throw new UsageError("--bits is for RSA keys; an Ed25519 key has one size");
  else if (rsa.fast) throw new UsageError("--fast is for RSA keys; an Ed25519 key is made in a moment");
  const tags = parseRecordTags(options);
  const domains = await chooseDomains(options, cli, notices);
  if (options.selector !== undefined) for (const text of selectorWarnings(options.selector)) notices.warn(text);
  const run = { options, settings, algorithms, rsa, tags, domains, notices };
  await (options.keyFile === undefined
    ? keygenToStore(run, cli)
    : keygenToFile({ ...run, keyFile: options.keyFile }, cli));
}

export interface KeygenRun {
  readonly options: KeygenOptions;
  readonly settings: Settings;
  readonly algorithms: readonly Algorithm[];
  readonly rsa: RsaWish;
  readonly tags: RecordTags;
  readonly domains: readonly DomainName[];
  readonly notices: Notices;
}

async function keygenToStore(
  { options, settings, algorithms, rsa, tags, domains, notices }: KeygenRun,
  cli: CliContext,
) {
  if (options.privOutput === "der") {
    throw new UsageError("a key of the store is a PEM file", { hint: "with -k FILE the key may be DER" });
  }
  if (options.privOutput === "seed" && algorithms.includes("rsa")) {
    throw new UsageError("only an Ed25519 key has a seed", { hint: "add -t ed25519" });
  }
  const store = await openStore(cli, options, settings);
  await prepareStore(store, notices, { create: true });
  const taken = await takenNames(store, domains);
  const jobs = planKeys({
    domains,
    algorithms,
    selector: options.selector,
    template: settings.keygen.selector ?? DEFAULT_SELECTOR_TEMPLATE,
    share: options.share === true,
    now: cli.now(),
    random: randomHex,
    isTaken: (name) => taken.has(keyRecordName(name)),
  });
  const request = {
    rsa,
    tags,
    replace: options.force === true,
    isTaken: (name: Parameters<typeof keyRecordName>[0]) => taken.has(keyRecordName(name)),
    encoding: options.privOutput === "seed" ? ("seed" as const) : ("pkcs8" as const),
  };
  const report = createKeygenReport(options.format, options.ttl ?? settings.records.ttl, cli.stdout);
  const progress = createProgress(cli.stderr, "keys made", { quiet: options.quiet === true, now: cli.now });
  const total = jobs.length;
  const listed = total <= MOST_NOTICES || options.verbose === true;
  let failed = 0;
  let done = 0;
  let made = 0;
  progress.update(done, total);
  const tell = async (results: readonly MadeKey[][]) => {
    progress.clear();
    for (const result of results.flat()) {
      report.add(result);
      if (result.kind === "failed") {
        failed++;
        notices.error(result.error);
      } else {
        made++;
        if (listed) notices.notice(describeMade(result));
        warnOfSharing(result, notices);
      }
    }
    done += results.length;
    progress.update(done, total);
    await cli.stdout.drained();
  };
  const prepared = concurrentMap(jobs, cli.parallelism, (job) => prepareKey(job, request));
  // While a group is being stored, the keys of the next are made.
  let storing = Promise.resolve<MadeKey[][]>([]);
  for await (const group of readyGroups(prepared, { most: MOST_AT_ONCE, now: cli.now })) {
    const results = await storing;
    storing = cli.signal.aborted ? Promise.resolve([]) : storeKeys(store, group, request);
    storing.catch(() => {}); // it is reported when its turn comes
    await tell(results);
    if (cli.signal.aborted) break;
  }
  // What is stored is told, whatever ends the run.
  await tell(await storing);
  cli.signal.throwIfAborted();
  progress.clear();
  const note = report.finish();
  if (note !== undefined) notices.notice(note);
  if (!listed) notices.notice(`made ${made} keys in ${store.location}`);
  if (failed > 0) {
    cli.exitCode = ExitCode.operationFailed;
    if (made > 0) {
      notices.warn(`${failed} of ${failed + made} keys were not made, see above; the others were`);
    }
  } else {
    notices.notice(`next: publish the records, then prove them with: ${commandLine(options, "testkeys")}`);
  }
}

/** Keys that are stored at once: what can be lost of the work is a second's. */
const MOST_AT_ONCE = 256;

/** More keys than this are summed up in one line. */
const MOST_NOTICES = 20;

function describeMade(made: MadeKey & { kind: "made" }): string {
  const kept = made.backup === undefined ? "" : `; the old key is kept as ${made.backup}`;
  return `wrote ${made.location} (${describeKey(made.publicKey)})${kept}`;
}

/** Names in one warning; whoever shares a key among more knows where to look for them. */
const MOST_NAMES = 5;

function warnOfSharing({ name, sharedBy = [] }: MadeKey & { kind: "made" }, notices: Notices): void {
  if (sharedBy.length === 0) return;
  const more = sharedBy.length > MOST_NAMES ? ` and ${sharedBy.length - MOST_NAMES} more` : "";
  const names = sharedBy.slice(0, MOST_NAMES).map(keyRecordName).join(", ");
  notices.warn(
    `the key of ${keyRecordName(name)} is shared: the new one is now also that of ${names}${more}`,
    "publish its record there too before they sign with it, or put the .bak file back",
  );
}

function chooseAlgorithms({ type }: KeygenOptions, { keygen: { algorithms } }: Settings): readonly Algorithm[] {
  if (type === "both") return ["rsa", "ed25519"];
  return type === undefined ? (algorithms ?? ["rsa"]) : [type];
}

async function chooseDomains(options: KeygenOptions, cli: CliContext, notices: Notices): Promise<DomainName[]> {
  const listed = options.domainsFrom === undefined ? [] : await readDomainList(options.domainsFrom, cli);
  const domains = new Set([...(options.domain ?? []), ...listed]);
  if (domains.size === 0 && options.domainsFrom === undefined) {
    const prompter = await cli.openPrompter();
    if (prompter !== undefined) domains.add(parseDomainName(await prompter.text("Signing domain:")));
  }
  if (domains.size === 0) {
    throw new UsageError("no domain is given", { hint: "name it with -d DOMAIN, or many with --domains-from FILE" });
  }
  for (const domain of domains) for (const warning of domainWarnings(domain)) notices.warn(warning);
  return [...domains];
}
