import type { Command } from "commander";
import { checkPublishedKey, differingTags } from "../checks/published-key.ts";
import { concurrentMap } from "../concurrent-map.ts";
import type { CliContext } from "../context.ts";
import type { Resolver } from "../dns/resolver.ts";
import { type DkimctlError, ExitCode } from "../errors.ts";
import { keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, KeyStoreEntry } from "../keys/key-store.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import { createKeyCheckFormat, KEY_CHECK_FORMAT_NAMES, type KeyCheckFormatName } from "../report/key-checks/index.ts";
import type { Tally, TestedKey, TestOutcome } from "../report/key-checks/key-check-format.ts";
import { createProgress } from "../terminal/progress.ts";
import { createStyle, wantsColor } from "../terminal/style.ts";
import { addDnsOptions, type DnsOptions, openResolver } from "./dns-options.ts";
import { KeyOwners } from "./key-owners.ts";
import { createNotices, type Notices } from "./notices.ts";
import {
  addFormatOptions,
  addPassphraseOption,
  DEFAULT_TTL_SECONDS,
  type GlobalOptions,
  type PassphraseOptions,
} from "./options.ts";
import { loadSettings, openStore } from "./settings.ts";
import { noKeysError } from "./showkeys.ts";
import { problemError, readKey } from "./stored-keys.ts";

interface TestkeysOptions extends GlobalOptions, PassphraseOptions, DnsOptions {
  readonly format: KeyCheckFormatName;
}

/** Answers are waited for, not computed: more than cores, and no more than a server takes (PERFORMANCE §4). */
const KEYS_AT_ONCE = 32;

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("testkeys")
    .alias("testkey")
    .description("sign a probe with every key, verify it against live DNS, and compare the published key with ours")
    .argument("[domain...]", "only these domains; .example.com is example.com and all below it, . is all");
  addFormatOptions(command, KEY_CHECK_FORMAT_NAMES, "text");
  addDnsOptions(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Exit status: 0 every key passes, 1 one fails or is revoked, 3 a key cannot be read, 4 the DNS did not answer.

Examples:
  dkimctl testkeys                                   all keys, with the system's name servers
  dkimctl testkeys example.com --server 192.0.2.53   ask this server
  dkimctl testkeys --json                            machine-readable`,
    )
    .action((domains: string[]) => testkeys(domains, command.optsWithGlobals<TestkeysOptions>(), cli));
}

async function testkeys(domains: string[], options: TestkeysOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const chooses = parseDomainFilter(domains);
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, options, settings);
  const resolver = await openResolver(cli, options, settings);
  const format = createKeyCheckFormat(options.format, {
    style: await createStyle(wantsColor(options.color, cli.env, cli.stdout.isTTY)),
    ttlSeconds: settings.records.ttl ?? DEFAULT_TTL_SECONDS,
  });
  const progress = createProgress(cli.stderr, "keys tested", { quiet: options.quiet === true, now: cli.now });
  const tally: Record<keyof Tally, number> = { pass: 0, fail: 0, revoked: 0, temporary: 0, error: 0 };
  const entries = store.list(({ domain }) => chooses(domain));
  const test = createTest({ store, resolver, notices, owners: new KeyOwners(store), now: cli.now });
  let index = 0;
  let unnamed = 0;
  try {
    cli.stdout.write(format.begin?.() ?? "");
    for await (const result of concurrentMap(entries, KEYS_AT_ONCE, test)) {
      cli.signal.throwIfAborted();
      if (result.name === undefined) {
        if (domains.length === 0) {
          unnamed++;
          notices.error(result.error);
        }
        continue;
      }
      progress.clear();
      const { name, location, outcome } = result;
      tally[outcome.verdict]++;
      cli.stdout.write(format.check({ index: ++index, name, location, outcome }));
      progress.update(index);
      await cli.stdout.drained();
    }
    progress.clear();
    if (index === 0 && unnamed === 0) throw noKeysError(store.location, domains);
    cli.stdout.write(format.end?.(tally) ?? "");
  } finally {
    await resolver.close();
  }
  cli.exitCode = exitCodeFor(tally, unnamed);
}

/** A failed check outweighs a key that could not be read, and both outweigh an answer that may come later. */
function exitCodeFor(tally: Tally, unnamed: number): ExitCode {
  if (tally.fail + tally.revoked > 0) return ExitCode.checkFailed;
  if (tally.error + unnamed > 0) return ExitCode.operationFailed;
  return tally.temporary > 0 ? ExitCode.tryAgain : ExitCode.ok;
}

interface TestTools {
  readonly store: KeyStore;
  readonly resolver: Resolver;
  readonly notices: Notices;
  readonly owners: KeyOwners;
  readonly now: () => Date;
}

type TestResult = Omit<TestedKey, "index"> | { readonly name: undefined; readonly error: DkimctlError };

function createTest({ store, resolver, notices, owners, now }: TestTools) {
  return async (entry: KeyStoreEntry): Promise<TestResult> => {
    const { name, location } = entry;
    if (entry.kind === "problem") {
      const error = problemError(entry);
      return name === undefined ? { name, error } : { name, location, outcome: unreadable(error) };
    }
    const reading = await readKey(store, entry.name);
    if (reading.kind === "failed") return { name: entry.name, location, outcome: unreadable(reading.error) };
    const { key } = reading;
    for (const warning of key.warnings) notices.warn(warning);
    const lookup = await resolver.lookupTxt(keyRecordName(entry.name));
    const check = await checkPublishedKey(key, lookup, now());
    const notes: string[] = [];
    if (check.otherKey !== undefined) {
      const owner = await owners.find(check.otherKey);
      if (owner !== undefined) notes.push(`the published key is that of ${keyRecordName(owner)}`);
    }
    const differing = check.published.length === 1 ? differingTags(check.published[0] ?? "", check.expected) : [];
    if (differing.length > 0) notes.push(`published with other tags than showkeys prints: ${differing.join(", ")}`);
    const { publicKey } = key.privateKey;
    return { name: entry.name, location, outcome: { kind: "tested", ...check, publicKey, lookup, notes } };
  };
}

function unreadable({ code, message, hint }: DkimctlError): TestOutcome {
  return { kind: "unreadable", verdict: "error", code, reason: hint === undefined ? message : `${message} (${hint})` };
}
