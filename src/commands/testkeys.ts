import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { type DkimctlError, OperationError, UsageError } from "../errors.ts";
import type { KeyName } from "../keys/key-name.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import { createKeyCheckFormat, KEY_CHECK_FORMAT_NAMES, type KeyCheckFormatName } from "../report/key-checks/index.ts";
import { NagiosStatus, nagiosLine, nagiosStatus } from "../report/key-checks/nagios-format.ts";
import { parseSelectorFilter } from "../report/selector-filter.ts";
import type { JournalStore } from "../rotation/journal-store.ts";
import { SigningKeys } from "../rotation/signing-keys.ts";
import { createStyle, wantsColor } from "../terminal/style.ts";
import { addDnsOptions, type DnsOptions, openResolver, openServerPool } from "./dns-options.ts";
import { addGateOptions, checkPolicy, type GateOptions } from "./gate-options.ts";
import { EvidenceGatherer } from "./key-evidence.ts";
import { type KeySource, storeSource } from "./key-source.ts";
import { exitCodeFor, runKeyTest } from "./key-test-run.ts";
import { createTest, type Deadline } from "./key-tester.ts";
import { MailPolicyLookup } from "./mail-policy-lookup.ts";
import { createNotices } from "./notices.ts";
import {
  addFormatOptions,
  addPassphraseOption,
  DEFAULT_TTL_SECONDS,
  type GlobalOptions,
  type PassphraseOptions,
} from "./options.ts";
import { addPublicationOptions, evidenceMode, type PublicationOptions } from "./publication-options.ts";
import { openRecordsSource } from "./records-source.ts";
import { openReportOutput } from "./report-output.ts";
import { loadSettings, openJournals, openStore, type Settings } from "./settings.ts";
import { noKeysError } from "./showkeys.ts";
import { addWatchOptions, isRepeated, type Round, runRounds, type WatchOptions } from "./watch.ts";

interface TestkeysOptions
  extends GlobalOptions,
    PassphraseOptions,
    DnsOptions,
    GateOptions,
    PublicationOptions,
    WatchOptions {
  readonly format: KeyCheckFormatName;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("testkeys")
    .alias("testkey")
    .description("sign a probe with every key, verify it against live DNS, and compare the published key with ours")
    .argument("[domain...]", "only these domains; .example.com is example.com and all below it, . is all");
  addFormatOptions(command, KEY_CHECK_FORMAT_NAMES, "text");
  addGateOptions(command);
  addPublicationOptions(command);
  addDnsOptions(command);
  addWatchOptions(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Exit status: 0 every key passes, 1 one fails or is revoked, 3 a key cannot be
read, 4 the DNS did not answer, or not all of it was asked by the deadline.
With --format nagios: 0 ok, 1 warning, 2 critical, 3 unknown.

Examples:
  dkimctl testkeys                                   all keys
  dkimctl testkeys example.com --server 192.0.2.53   ask this server
  dkimctl testkeys --both                            all servers, then resolvers
  dkimctl testkeys --from-records keys.json          without private keys
  dkimctl testkeys --format junit --output dkim.xml  for a CI server`,
    )
    .action((domains: string[]) => testkeys(domains, command.optsWithGlobals<TestkeysOptions>(), cli));
  cli.tellFailure = (failure, argv) => {
    if (!asksForNagios(argv)) return undefined;
    cli.stdout.write(`${nagiosLine(NagiosStatus.unknown, failure.message)}\n`);
    return NagiosStatus.unknown;
  };
}

/**
 * Nagios gives each exit status a meaning of its own, so what is no answer has to be said in its words, too. Read from the
 * words themselves, since they may be what could not be parsed.
 */
function asksForNagios(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const options = argv.slice(0, end === -1 ? argv.length : end);
  return options.some(
    (word, index) => word === "--format=nagios" || (word === "nagios" && options[index - 1] === "--format"),
  );
}

async function testkeys(domains: string[], options: TestkeysOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const policy = checkPolicy(options);
  const mode = evidenceMode(options, isRepeated(options));
  const settings = loadSettings(cli, options);
  const filter = parseFilter(domains, options);
  const { source, journals } = await openSource(options, settings, cli);
  const resolver = await openResolver(cli, options, settings);
  const pool = await openServerPool(cli, options, settings);
  const port = settings.dns["authoritative-port"];
  const all = domains.length === 0 && options.selector === undefined && !options.onlyActive;

  async function round(hold: boolean): Promise<Round> {
    const deadline = startDeadline(options.deadline);
    const signal = deadline === undefined ? cli.signal : AbortSignal.any([cli.signal, deadline.signal]);
    const chooses = journals === undefined ? filter : await onlyThatSign(filter, journals);
    const output = openReportOutput(options.output, hold, cli);
    try {
      const format = createKeyCheckFormat(options.format, {
        style: await createStyle(wantsColor(options.color, cli.env, output.isTTY)),
        ttlSeconds: settings.records.ttl ?? DEFAULT_TTL_SECONDS,
      });
      const evidence = new EvidenceGatherer({ resolver, pool, mode, port, signal });
      const mailPolicy = options.adspDmarc ? new MailPolicyLookup(resolver, signal) : undefined;
      const test = createTest({ source, evidence, policy, mailPolicy, deadline, notices, now: cli.now });
      const run = { source, chooses, all, test, format, output, notices, quiet: options.quiet === true };
      const result = await runKeyTest(run, cli);
      if (result.count + result.unnamed === 0) throw noneChosen(source, domains, options);
      cli.exitCode = options.format === "nagios" ? nagiosStatus(result) : exitCodeFor(result);
      return { result, output };
    } catch (error) {
      output.discard();
      throw error;
    }
  }

  try {
    await runRounds(options, round, { cli, notices });
  } finally {
    await Promise.all([resolver.close(), pool.close()]);
  }
}

function parseFilter(
  domains: readonly string[],
  { selector: patterns = [], onlyActive, fromRecords }: TestkeysOptions,
): (name: KeyName) => boolean {
  if (onlyActive && fromRecords !== undefined) {
    throw new UsageError("--only-active reads the store, and --from-records does without one", {
      hint: "write the records of the keys that sign into the file",
    });
  }
  const choosesDomain = parseDomainFilter(domains);
  const choosesSelector = parseSelectorFilter(patterns);
  return ({ domain, selector }) => choosesDomain(domain) && choosesSelector(selector);
}

/** Read anew in each round: what signs may have changed since. */
async function onlyThatSign(
  filter: (name: KeyName) => boolean,
  journals: JournalStore,
): Promise<(name: KeyName) => boolean> {
  const signing = await SigningKeys.read(journals);
  return (name) => filter(name) && signing.includes(name);
}

/** Where the keys are, and, if only some of them are wanted, the journals that tell which sign. Opened for all rounds. */
async function openSource(
  options: TestkeysOptions,
  settings: Settings,
  cli: CliContext,
): Promise<{ readonly source: KeySource; readonly journals?: JournalStore }> {
  if (options.fromRecords !== undefined) return { source: await openRecordsSource(options.fromRecords, cli) };
  const store = await openStore(cli, options, settings);
  const source = storeSource(store);
  return options.onlyActive ? { source, journals: await openJournals(cli, store, settings) } : { source };
}

function startDeadline(seconds: number | undefined): Deadline | undefined {
  return seconds === undefined ? undefined : { seconds, signal: AbortSignal.timeout(seconds * 1000) };
}

/** A gate that finds nothing to test has not passed. */
function noneChosen(
  { location }: KeySource,
  domains: readonly string[],
  { selector: patterns, onlyActive, fromRecords }: TestkeysOptions,
): DkimctlError {
  if (patterns === undefined && !onlyActive && fromRecords === undefined) return noKeysError(location, domains);
  const which = [...domains, ...(patterns ?? []).map((pattern) => `selector ${pattern}`)];
  const wanted = [...which, ...(onlyActive ? ["those that sign now"] : [])].join(", ");
  return new OperationError(wanted === "" ? `${location} holds no record` : `no key in ${location} is of ${wanted}`);
}
