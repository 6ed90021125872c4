import { type Command, Option } from "commander";
import { checkZone } from "../checks/check-zone.ts";
import type { CliContext } from "../context.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { ExitCode, UsageError } from "../errors.ts";
import { parseDomainName } from "../keys/domain-name.ts";
import { parseKeyName } from "../keys/key-name.ts";
import { openBlockList } from "../keys/weak-keys/block-list.ts";
import { renderJsonReports } from "../report/key-report/json-format.ts";
import type { KeyReport } from "../report/key-report/key-report.ts";
import { PUBLISH_FORMAT_NAMES } from "../report/key-report/published-record.ts";
import { makeZoneReports } from "../report/key-report/record-report.ts";
import { renderKeyReport } from "../report/key-report/text-format.ts";
import { createStyle, wantsColor } from "../terminal/style.ts";
import { addDnsOptions } from "./dns-options.ts";
import { explainFinding } from "./explain-finding.ts";
import { readBytes, readFileOrExplain } from "./input-files.ts";
import { createNotices } from "./notices.ts";
import { addFormatOptions, addPassphraseOption, DEFAULT_TTL_SECONDS, wholeNumber } from "./options.ts";
import { addEvidenceOptions } from "./publication-options.ts";
import { answerRecordStream } from "./record-stream-command.ts";
import { loadSettings } from "./settings.ts";
import { verifyBytes, verifyFile } from "./verify-key-file.ts";
import type { VerifyKeyOptions, VerifyTools } from "./verify-key-options.ts";
import { verifySelector } from "./verify-key-selector.ts";
import { verifyStore } from "./verify-key-store.ts";
import { decodeText, verifyText } from "./verify-key-text.ts";

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("verify-key")
    .description("say what is wrong with a private key or a key record, and print the record as it should be")
    .argument("[file-or-domain]", "a file with a key, a record in any form, or a signed message; or a domain")
    .argument("[selector]", "look up the record of this selector, and compare it with the key in the store")
    .option("--record <text>", "check this record; with a file, also whether it is the record of that key")
    .option("--stdin", "read the record, or with --format ndjson a stream of records, from standard input")
    .option("--zone <file>", "check every _domainkey name of a zone file; - is standard input")
    .option("--all", "check every key of the store, by itself and beside the others; only findings are printed")
    .addOption(
      new Option("--max-age <days>", "with --all: tell keys that are older, such as 180d").argParser(parseDays),
    )
    .addOption(
      new Option("--origin <domain>", "what names in zone text are relative to, as $ORIGIN").argParser(parseDomainName),
    )
    .option("--blocklist <file>", "keys whose private half is known: badkeys' blocklist.dat")
    .option("--no-arithmetic", "with --format ndjson: do not try to factor RSA keys, some fifty times as fast")
    .option("--shared-primes", "with --format ndjson: after the answers, tell keys that share a prime with each other")
    .option("--explain <code>", "say all that there is to say about a finding, such as P-DER")
    .option("--verifiers", "show which verifiers accept what was found")
    .addOption(
      new Option("--publish-as <format>", "how to write the record to publish")
        .choices(PUBLISH_FORMAT_NAMES)
        .default(PUBLISH_FORMAT_NAMES[0]),
    )
    .option("--text", "print the numbers of the public key too");
  addFormatOptions(command, ["text", "json", "ndjson"], "text");
  addEvidenceOptions(command);
  addDnsOptions(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl verify-key key.pem                         is this private key strong?
  dkimctl verify-key example.com mail                what is wrong in the DNS?
  dkimctl verify-key example.com mail --both         ... and at all its servers?
  dkimctl verify-key --record 'v=DKIM1; p=MIIB...'   ... or with this text?
  dkimctl verify-key key.pem --record 'p=...'        do they belong together?
  dkimctl verify-key mail.eml --verifiers            who can verify this mail?
  dkimctl verify-key --zone db --origin example.com  is each key in it right?
  dkimctl verify-key --all --max-age 180d            which keys are weak or old?
  dkimctl verify-key --explain P-DER                 what does this code mean?
  dkimctl verify-key --stdin < records               an answer for each record`,
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
  refuseContradictions(subject, selector, options);
  const blockList =
    options.blocklist === undefined ? undefined : openBlockList(readFileOrExplain(options.blocklist, cli));
  if (options.format === "ndjson") {
    const { arithmetic, sharedPrimes = false } = options;
    return answerRecordStream(cli, { arithmetic, blockList, sharedPrimes });
  }
  const style = await createStyle(wantsColor(options.color, cli.env, cli.stdout.isTTY));
  const columns = cli.stdout.columns ?? 80;
  if (options.explain !== undefined) {
    cli.stdout.write(explainFinding(options.explain, { format: options.format, style, columns }));
    return;
  }
  const settings = loadSettings(cli, options);
  const tools = { cli, options, notices: createNotices(cli, options), settings, blockList };
  const reports = await look(subject, selector, tools);
  const ttlSeconds = settings.records.ttl ?? DEFAULT_TTL_SECONDS;
  const publishAs = { format: options.publishAs, ttlSeconds };
  const verifiers = options.verifiers === true;
  if (options.format === "json") cli.stdout.write(renderJsonReports(reports, { publishAs, verifiers }));
  else {
    const numbers = options.text === true;
    const texts = reports.map((each) => renderKeyReport(each, { style, columns, publishAs, numbers, verifiers }));
    cli.stdout.write(texts.join("\n"));
    if (options.all && reports.length === 0) tools.notices.notice("there is nothing to be said about any key");
  }
  if (reports.some(({ severity }) => severity === "error")) cli.exitCode = ExitCode.checkFailed;
}

/** `180d` or `180`. */
function parseDays(text: string): number {
  return wholeNumber("days", { min: 1, max: 36_500 })(text.replace(/d$/, ""));
}

const EVIDENCE_FLAGS = [
  ["authoritative", "--authoritative"],
  ["both", "--both"],
  ["requireDnssec", "--require-dnssec"],
] as const;

/** Each subject stands alone, but for a record beside a file. */
function refuseContradictions(
  subject: string | undefined,
  selector: string | undefined,
  options: VerifyKeyOptions,
): void {
  const { record, stdin, zone, all, maxAge, explain, format, arithmetic, sharedPrimes } = options;
  const thorough = EVIDENCE_FLAGS.find(([name]) => options[name] !== undefined);
  if (thorough !== undefined && selector === undefined) {
    throw new UsageError(`${thorough[1]} is for a key that is looked up in DNS`, { hint: "give DOMAIN SELECTOR" });
  }
  if (format === "ndjson" && (!stdin || subject !== undefined || record !== undefined)) {
    throw new UsageError("--format ndjson answers a stream of records", {
      hint: "add --stdin and give the records there",
    });
  }
  if (!arithmetic && format !== "ndjson") {
    throw new UsageError("--no-arithmetic is for a stream of records", { hint: "add --stdin --format ndjson" });
  }
  if (sharedPrimes && format !== "ndjson") {
    throw new UsageError("--shared-primes is for a stream of records", {
      hint: "add --stdin --format ndjson; of the keys in the store, --all tells it",
    });
  }
  if (maxAge !== undefined && !all) throw new UsageError("--max-age is for --all");
  const given = [subject, record, stdin, zone, all, explain].filter((each) => each !== undefined);
  const alone = Object.entries({ explain, zone, all }).find(([, value]) => value !== undefined);
  if (alone !== undefined && given.length > 1) throw new UsageError(`--${alone[0]} takes no other subject beside it`);
  if (selector !== undefined && (record !== undefined || stdin)) {
    throw new UsageError("a domain and selector are looked up in DNS: there is no other record to give");
  }
  if (stdin && record !== undefined) throw new UsageError("give the record with --record or --stdin, not with both");
  if (given.length === 0) {
    throw new UsageError("nothing to verify is given", {
      hint: "give a FILE, or DOMAIN SELECTOR, or --record TEXT, or --stdin, or --zone FILE, or --all",
    });
  }
}

async function look(
  subject: string | undefined,
  selector: string | undefined,
  tools: VerifyTools,
): Promise<KeyReport[]> {
  const { cli, options } = tools;
  if (options.all) return verifyStore(tools);
  if (options.zone !== undefined) return verifyZone(options.zone, tools);
  if (subject !== undefined && selector !== undefined) {
    return [await verifySelector(parseKeyName(subject, selector), tools)];
  }
  if (subject === undefined && options.stdin) {
    const origin = { source: "standard input", path: "-", warnings: [], name: undefined };
    return verifyBytes(await readBytes(cli.stdin), origin, undefined, tools);
  }
  const record = options.stdin
    ? { text: decodeText(await readBytes(cli.stdin)), source: "standard input" }
    : options.record === undefined
      ? undefined
      : { text: options.record, source: "--record" };
  if (subject !== undefined) return verifyFile(subject, record, tools);
  return record === undefined ? [] : verifyText(record, {}, tools);
}

async function verifyZone(path: string, { cli, options, blockList }: VerifyTools): Promise<KeyReport[]> {
  if (options.origin === undefined) {
    throw new UsageError("--zone needs the zone's name", { hint: "add --origin DOMAIN" });
  }
  const bytes = path === "-" ? await readBytes(cli.stdin) : readFileOrExplain(path, cli);
  const source = path === "-" ? "standard input" : escapeDnsText(Buffer.from(path).toString("latin1"));
  return makeZoneReports(checkZone(decodeText(bytes), options.origin, blockList), source, blockList);
}
