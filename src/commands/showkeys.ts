import { type Command, Option } from "commander";
import { PROVIDER_NAMES, type ProviderName, providerFaults } from "../checks/provider-limits.ts";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode, OperationError, UsageError } from "../errors.ts";
import { type DomainName, parseDomainName, quoteName } from "../keys/domain-name.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { StoredPublicKey } from "../keys/key-store.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import {
  createRecordFormat,
  RECORD_FORMAT_NAMES,
  type RecordFormatName,
  ZONE_FORMAT_NAMES,
} from "../report/record-formats/index.ts";
import { type RecordToPrint, recordText } from "../report/record-formats/record-format.ts";
import { commandLine } from "./command-line.ts";
import { createNotices } from "./notices.ts";
import {
  addFormatOptions,
  addPassphraseOption,
  addTtlOption,
  DEFAULT_TTL_SECONDS,
  type GlobalOptions,
  type PassphraseOptions,
} from "./options.ts";
import { loadSettings, openStore } from "./settings.ts";
import { type PublicKeyReading, readPublicKeys } from "./stored-keys.ts";

interface ShowkeysOptions extends GlobalOptions, PassphraseOptions {
  readonly format: RecordFormatName;
  readonly relativeTo?: DomainName;
  readonly provider?: ProviderName;
  readonly ttl?: number;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("showkeys")
    .alias("showkey")
    .description("print the DNS records of the keys in the store")
    .argument("[domain...]", "only these domains; .example.com is example.com and all below it, . is all")
    .addOption(
      new Option(
        "--relative-to <zone>",
        "the zone that the records go into (default: found out by the tool)",
      ).argParser(parseDomainName),
    )
    .addOption(new Option("--provider <name>", "warn of what this DNS provider cannot hold").argParser(parseProvider));
  addFormatOptions(command, RECORD_FORMAT_NAMES, "bind");
  addTtlOption(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl showkeys > dkim.zone                    all records as zone text
  dkimctl showkeys example.com --format plain     host and value for a web form
  dkimctl showkeys .example.com --format json     machine-readable
  dkimctl showkeys --format nsupdate | nsupdate -k tsig.key
  dkimctl showkeys --format plain --provider loopia`,
    )
    .action((domains: string[]) => showkeys(domains, command.optsWithGlobals<ShowkeysOptions>(), cli));
}

/** Prints each record as soon as its key is read; what cannot be shown is named and hides no other. */
async function showkeys(domains: string[], options: ShowkeysOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const chooses = parseDomainFilter(domains);
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, options, settings);
  const { relativeTo, provider } = options;
  // The list of public suffixes takes longer to load than a listing to print.
  const zoneOf = ZONE_FORMAT_NAMES.has(options.format)
    ? (await import("../keys/public-suffix.ts")).registeredDomain
    : undefined;
  const format = createRecordFormat(options.format, { relativeTo, provider, zoneOf });
  const ttlSeconds = options.ttl ?? settings.records.ttl ?? DEFAULT_TTL_SECONDS;
  let shown = 0;
  let failed = 0;
  const fail = (error: DkimctlError) => {
    failed++;
    notices.error(error);
  };
  const show = ({ name, location, tags, warnings, publicKey }: StoredPublicKey) => {
    for (const warning of warnings) notices.warn(warning);
    const record: RecordToPrint = { index: shown + 1, name, location, tags, ttlSeconds, publicKey };
    try {
      if (provider === undefined) cli.stdout.write(format.record(record));
      else {
        const faults = providerFaults(provider, recordText(record));
        for (const { message, hint } of faults) notices.warn(`${keyRecordName(name)}: ${message}`, hint);
        cli.stdout.write(format.record({ ...record, providerFaults: faults }));
      }
      shown++;
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      fail(error);
    }
  };
  const showAll = (group: readonly PublicKeyReading[]) => {
    for (const result of group) {
      if (result.kind === "failed") fail(result.error);
      else show(result.key);
    }
  };
  cli.stdout.write(format.begin?.() ?? "");
  let groups = 0;
  for await (const group of readPublicKeys(store, chooses, domains.length === 0)) {
    // A turn of the event loop, else a signal would not be heard, and what is written to a file not be handed on.
    if (groups++ > 0) await new Promise((resolve) => setImmediate(resolve));
    cli.throwIfEnded();
    showAll(group);
    await cli.stdout.drained();
  }
  cli.stdout.write(format.end?.() ?? "");
  const note = format.note?.();
  if (note !== undefined) notices.notice(note);
  if (failed > 0) cli.exitCode = ExitCode.operationFailed;
  else if (shown === 0) throw noKeysError(store.location, domains);
}

function parseProvider(text: string): ProviderName {
  const wanted = text.toLowerCase();
  const provider = PROVIDER_NAMES.find((name) => name === wanted);
  if (provider !== undefined) return provider;
  throw new UsageError(`nothing is known of a DNS provider called ${quoteName(text)}`, {
    hint: `known are ${PROVIDER_NAMES.join(", ")}`,
  });
}

/** That the store has none of the keys that were asked for. @param domains as they were given; none: all were asked for */
export function noKeysError(location: string, domains: readonly string[]): OperationError {
  const at = { store: location };
  return domains.length === 0
    ? new OperationError(`there is no key in ${location}`, {
        hint: `make one: ${commandLine(at, "keygen", "-d", "DOMAIN")}`,
      })
    : new OperationError(`no key in ${location} is of ${domains.join(", ")}`, {
        hint: `see which there are: ${commandLine(at, "showkeys", "--format", "plain")}`,
      });
}
