import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode, OperationError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import { createRecordFormat, RECORD_FORMAT_NAMES, type RecordFormatName } from "../report/record-formats/index.ts";
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
import { readPublicKeys } from "./stored-keys.ts";

interface ShowkeysOptions extends GlobalOptions, PassphraseOptions {
  readonly format: RecordFormatName;
  readonly relativeTo?: DomainName;
  readonly ttl?: number;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("showkeys")
    .alias("showkey")
    .description("print the DNS records of the keys in the store")
    .argument("[domain...]", "only these domains; .example.com is example.com and all below it, . is all")
    .addOption(
      new Option("--relative-to <zone>", "for --format plain: hosts as the provider of this zone wants them").argParser(
        parseDomainName,
      ),
    );
  addFormatOptions(command, RECORD_FORMAT_NAMES, "bind");
  addTtlOption(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl showkeys > dkim.zone                    all records as zone text
  dkimctl showkeys example.com --format plain     host and value for a web form
  dkimctl showkeys .example.com --format json     machine-readable`,
    )
    .action((domains: string[]) => showkeys(domains, command.optsWithGlobals<ShowkeysOptions>(), cli));
}

/** Prints each record as soon as its key is read; what cannot be shown is named and hides no other. */
async function showkeys(domains: string[], options: ShowkeysOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const chooses = parseDomainFilter(domains);
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, options, settings);
  const format = createRecordFormat(options.format, { relativeTo: options.relativeTo });
  const ttlSeconds = options.ttl ?? settings.records.ttl ?? DEFAULT_TTL_SECONDS;
  let shown = 0;
  let failed = 0;
  cli.stdout.write(format.begin?.() ?? "");
  for await (const group of readPublicKeys(store, chooses, domains.length === 0)) {
    for (const result of group) {
      if (result.kind === "failed") {
        failed++;
        notices.error(result.error);
        continue;
      }
      const { name, location, tags, warnings, publicKey } = result.key;
      for (const warning of warnings) notices.warn(warning);
      try {
        cli.stdout.write(format.record({ index: shown + 1, name, location, tags, ttlSeconds, publicKey }));
        shown++;
      } catch (error) {
        if (!(error instanceof DkimctlError)) throw error;
        failed++;
        notices.error(error);
      }
    }
    // A turn of the event loop, else a signal would not be heard, and what is written to a file not be handed on.
    await new Promise((resolve) => setImmediate(resolve));
    cli.signal.throwIfAborted();
    await cli.stdout.drained();
  }
  cli.stdout.write(format.end?.() ?? "");
  if (failed > 0) cli.exitCode = ExitCode.operationFailed;
  else if (shown === 0) throw noKeysError(store.location, domains);
}

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
