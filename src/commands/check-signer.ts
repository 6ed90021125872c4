import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { ExitCode, OperationError, UsageError } from "../errors.ts";
import { type FileReader, testReading } from "../keys/file-reader.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { StoredPublicKey } from "../keys/key-store.ts";
import { parsePrivateKey } from "../keys/private-key.ts";
import { publicHalfOf } from "../keys/stored-key.ts";
import { checkChoices, checkSignerKeys, noteChoices, type SignerKeyCheck } from "../signers/signer-check.ts";
import type { SignerReading } from "../signers/signer-reading.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { addDnsOptions, type DnsOptions, openResolver } from "./dns-options.ts";
import { readTextFile } from "./input-files.ts";
import { createNotices } from "./notices.ts";
import { addFormatOptions, addPassphraseOption, type GlobalOptions, type PassphraseOptions } from "./options.ts";
import { loadSettings, openStore } from "./settings.ts";
import { askPublished, chooseUser, readSignerKeyFile } from "./signer-key-file.ts";
import { READABLE_SIGNERS, type ReadableSigner, readConfigurations } from "./signer-sources.ts";
import { readKeys } from "./stored-keys.ts";

interface CheckSignerOptions extends GlobalOptions, DnsOptions, PassphraseOptions {
  readonly user?: string;
  readonly allowUnused?: boolean;
  readonly format: "text" | "json";
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("check-signer")
    .description("check that a signer can read and use the keys it is configured with, and that they are published")
    .argument("<signer>", `whose configuration: ${Object.keys(READABLE_SIGNERS).join(", ")}`)
    .argument("[path...]", "its configuration (default: where Debian has it)")
    .addOption(new Option("--user <user>", "the user as which the signer reads its keys (default: Debian's)"))
    .option("--allow-unused", "a key of the store that the signer is not told of is no fault");
  addFormatOptions(command, ["text", "json"], "text");
  addDnsOptions(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Exit status: 0 all is well, 1 a key fails or is unused, 3 something could not be
understood or read, 4 the DNS did not answer.

Examples:
  dkimctl check-signer rspamd
  dkimctl check-signer amavis /etc/amavis/conf.d/52-dkim --user amavis
  dkimctl check-signer opendkim --json`,
    )
    .action((signer: string, paths: string[]) =>
      checkSigner(signer, paths, command.optsWithGlobals<CheckSignerOptions>(), cli),
    );
}

async function checkSigner(
  signer: string,
  paths: string[],
  options: CheckSignerOptions,
  cli: CliContext,
): Promise<void> {
  const notices = createNotices(cli, options);
  if (!Object.hasOwn(READABLE_SIGNERS, signer)) {
    throw new UsageError(`${JSON.stringify(signer)} is no signer that can be checked`, {
      hint: `known are ${Object.keys(READABLE_SIGNERS).join(", ")}`,
    });
  }
  const known = READABLE_SIGNERS[signer as ReadableSigner];
  const files = paths.length === 0 ? [known.configuration] : paths;
  const reading = readConfigurations(signer as ReadableSigner, files, (path) => readTextFile(path, cli));
  for (const { where, reason } of reading.notUnderstood) notices.warn(`${where}: ${reason}`);
  const reader = await chooseUser({ signer: signer as ReadableSigner, user: options.user });
  if (reader === undefined) {
    notices.warn(
      `there is no user ${known.user} here: whether the signer can read its keys was not tested`,
      "name it with --user USER",
    );
  }
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, options, settings);
  const stored: StoredPublicKey[] = [];
  let unreadable = 0;
  for await (const result of readKeys(store, () => true, true)) {
    cli.signal.throwIfAborted();
    if (result.kind === "key") stored.push(publicHalfOf(result.key));
    else {
      unreadable++;
      notices.error(result.error);
    }
  }
  if (reading.entries.length === 0 && stored.length === 0) {
    throw new OperationError(`${files.join(", ")} names no key, and there is none in ${store.location}`);
  }
  const resolver = await openResolver(cli, options, settings);
  let isUntested = false;
  let checks: SignerKeyCheck[];
  try {
    checks = await checkSignerKeys(reading.entries, stored, {
      signer,
      now: cli.now(),
      readKeyFile: readSignerKeyFile,
      parseKey: parsePrivateKey,
      async testReading(tested) {
        const results = reader === undefined ? [] : await testReading(tested, reader);
        isUntested = results.some(({ kind }) => kind === "unknown");
        return results;
      },
      askDns: (name) => askPublished(name, resolver, cli.signal),
    });
  } finally {
    await resolver.close();
  }
  if (isUntested && reader !== undefined) {
    notices.warn(`only root can test what user ${reader.name} can read; that was not tested`);
  }
  checks = [...noteChoices(checks, reading.choices), ...checkChoices(reading.choices, reading.entries)];
  const shown = checks.filter(({ verdict }) => verdict !== "unused" || options.allowUnused !== true);
  cli.stdout.write(
    options.format === "json" ? renderJson({ signer, reader, checks: shown, reading }) : shown.map(renderText).join(""),
  );
  cli.exitCode = exitCodeFor(shown, unreadable + reading.notUnderstood.length);
}

function exitCodeFor(checks: readonly SignerKeyCheck[], notKnown: number): ExitCode {
  if (checks.some(({ verdict }) => verdict === "fail" || verdict === "unused")) return ExitCode.checkFailed;
  if (notKnown > 0) return ExitCode.operationFailed;
  return checks.some(({ verdict }) => verdict === "temporary") ? ExitCode.tryAgain : ExitCode.ok;
}

function renderText({ name, entry, verdict, problems, notes }: SignerKeyCheck): string {
  const lines = [
    `${verdict}: ${keyRecordName(name)}${entry === undefined ? "" : ` (${entry.where})`}`,
    ...problems.map(({ code, message, hint }) => `  ${code}: ${message}${hint === undefined ? "" : ` (${hint})`}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
  return lines.map((line) => `${visibleText(line)}\n`).join("");
}

interface Report {
  readonly signer: string;
  readonly reader: FileReader | undefined;
  readonly checks: readonly SignerKeyCheck[];
  readonly reading: SignerReading;
}

function renderJson({ signer, reader, checks, reading }: Report): string {
  const keys = checks.map(({ name, entry, verdict, problems, notes }) => ({
    domain: name.domain,
    selector: name.selector,
    where: entry?.where ?? null,
    source: entry?.source.kind === "file" ? entry.source.path : null,
    verdict,
    problems: problems.map(({ code, message, hint }) => ({ code, message, hint: hint ?? null })),
    notes,
  }));
  const { notUnderstood } = reading;
  const document = { schema: "dkimctl/check-signer/1", signer, user: reader?.name ?? null, keys, notUnderstood };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
