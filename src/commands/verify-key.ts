import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { ExitCode, UsageError } from "../errors.ts";
import { parseKeyName } from "../keys/key-name.ts";
import { renderJsonReports } from "../report/key-report/json-format.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { renderKeyReport } from "../report/key-report/text-format.ts";
import { createStyle, wantsColor } from "../terminal/style.ts";
import { addDnsOptions, type DnsOptions } from "./dns-options.ts";
import { readAll } from "./input-files.ts";
import { createNotices } from "./notices.ts";
import {
  addFormatOptions,
  addPassphraseOption,
  DEFAULT_TTL_SECONDS,
  type GlobalOptions,
  type PassphraseOptions,
} from "./options.ts";
import { answerRecordStream } from "./record-stream-command.ts";
import { loadSettings } from "./settings.ts";
import { verifyFile, verifyPublished, verifyRecordText } from "./verify-key-subjects.ts";

export interface VerifyKeyOptions extends GlobalOptions, PassphraseOptions, DnsOptions {
  readonly record?: string;
  readonly stdin?: boolean;
  readonly format: "text" | "json" | "ndjson";
  readonly text?: boolean;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("verify-key")
    .description("say what is wrong with a private key or a key record, and print the record as it should be")
    .argument("[file-or-domain]", "a private key, a public key or a record in a file; or a domain, before its selector")
    .argument("[selector]", "look up the record of this selector, and compare it with the key in the store")
    .option("--record <text>", "check this record; with a file, also whether it is the record of that key")
    .option("--stdin", "read the record, or with --format ndjson a stream of records, from standard input")
    .option("--text", "print the numbers of the public key too");
  addFormatOptions(command, ["text", "json", "ndjson"], "text");
  addDnsOptions(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl verify-key /var/lib/dkim/example.com.mail.pem      is this private key sound and strong?
  dkimctl verify-key example.com mail                        what is wrong with the published key?
  dkimctl verify-key --record 'v=DKIM1; k=rsa; p=MIIB...'    ... or with this text?
  dkimctl verify-key key.pem --record 'v=DKIM1; p=...'       do these two belong together?
  dkimctl verify-key --stdin --format ndjson < records       one answer a line for a stream of records`,
    )
    .action((subject: string | undefined, selector: string | undefined) =>
      verifyKey(subject, selector, command.optsWithGlobals<VerifyKeyOptions>(), cli),
    );
}

async function verifyKey(
  subject: string | undefined,
  selector: string | undefined,
  options: VerifyKeyOptions,
  cli: CliContext,
): Promise<void> {
  if (options.format === "ndjson") {
    if (!options.stdin || subject !== undefined || options.record !== undefined) {
      throw new UsageError("--format ndjson answers a stream of records", {
        hint: "add --stdin and give the records there",
      });
    }
    return answerRecordStream(cli);
  }
  const reports = await look(subject, selector, options, cli);
  if (options.format === "json") cli.stdout.write(renderJsonReports(reports));
  else {
    const style = await createStyle(wantsColor(options.color, cli.env, cli.stdout.isTTY));
    const ttlSeconds = loadSettings(cli, options).records.ttl ?? DEFAULT_TTL_SECONDS;
    const texts = reports.map((report) =>
      renderKeyReport(report, { style, ttlSeconds, numbers: options.text === true }),
    );
    cli.stdout.write(texts.join("\n"));
  }
  if (reports.some(({ severity }) => severity === "error")) cli.exitCode = ExitCode.checkFailed;
}

async function look(
  subject: string | undefined,
  selector: string | undefined,
  options: VerifyKeyOptions,
  cli: CliContext,
): Promise<KeyReport[]> {
  const notices = createNotices(cli, options);
  const tools = { cli, options, notices, settings: loadSettings(cli, options) };
  if (subject !== undefined && selector !== undefined) {
    if (options.record !== undefined || options.stdin) {
      throw new UsageError("a domain and selector are looked up in DNS: there is no other record to give");
    }
    return verifyPublished(parseKeyName(subject, selector), tools);
  }
  const record = options.stdin ? await readAll(cli.stdin) : options.record;
  if (options.stdin && options.record !== undefined)
    throw new UsageError("give the record with --record or --stdin, not with both");
  if (subject !== undefined) return verifyFile(subject, record, tools);
  if (record !== undefined) {
    return [verifyRecordText(record, { source: options.stdin ? "standard input" : "--record" })];
  }
  throw new UsageError("nothing to verify is given", {
    hint: "give a FILE, or DOMAIN SELECTOR, or --record TEXT, or --stdin",
  });
}
