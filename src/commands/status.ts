import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { parseDomainFilter } from "../report/domain-filter.ts";
import { renderStatusJson } from "../report/rotation-status/json-format.ts";
import type { KeyStatus } from "../report/rotation-status/key-status.ts";
import { renderStatusTable } from "../report/rotation-status/table-format.ts";
import { parseDuration } from "../rotation/duration.ts";
import { isLive, KEY_STATES, type KeyState } from "../rotation/rotation-key.ts";
import { createStyle, wantsColor } from "../terminal/style.ts";
import { readKeyStatus, STATUS_ORDERS, type StatusOrder } from "./key-status.ts";
import { createNotices, type Notices } from "./notices.ts";
import { collect, filePath, type GlobalOptions } from "./options.ts";
import { openReportOutput } from "./report-output.ts";
import { loadSettings, openJournals, openStore } from "./settings.ts";

export interface StatusOptions extends GlobalOptions {
  readonly json?: boolean;
  readonly state?: readonly KeyState[];
  /** Milliseconds. */
  readonly due?: number;
  readonly sort?: StatusOrder;
  readonly timeline?: boolean;
  readonly html?: string;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("status")
    .description("tell the state of every key: who signs, what is next, and when")
    .argument("[domain...]", "only these domains; .example.com: it and all below it", collect(String));
  addStatusOptions(command)
    .addHelpText(
      "after",
      `
What is told stands in the journals; the DNS is not asked.

Examples:
  dkimctl status                                 every key that is not gone
  dkimctl status --due 7d --sort due             what happens within a week
  dkimctl status .example.com --timeline         with a drawing: who signs when
  dkimctl status --html /var/www/html/dkim.html  a page of the whole fleet
  dkimctl status example.com --state gone        selectors that were used before`,
    )
    .action((domains: string[] | undefined) => status(domains ?? [], command.optsWithGlobals<StatusOptions>(), cli));
}

/** Adds `--json`, `--state`, `--due`, `--sort`, `--timeline` and `--html`. */
export function addStatusOptions(command: Command): Command {
  return command
    .option("--json", "machine-readable")
    .addOption(
      new Option("--state <state>", "with a table of keys: only those in this state; may be repeated").argParser(
        collect(parseState),
      ),
    )
    .addOption(
      new Option("--due <time>", "with a table of keys: only those with a step due within this time").argParser(
        parseDuration,
      ),
    )
    .addOption(new Option("--sort <order>", "with a table of keys: its order (default: domain)").choices(STATUS_ORDERS))
    .option("--timeline", "with a table of keys: draw when each signs and is in the DNS")
    .option("--no-timeline", "no drawing, not even of few domains on a terminal")
    .addOption(
      new Option("--html <file>", "with a table of keys: write it and the drawing as a page instead").argParser(
        filePath("--html"),
      ),
    );
}

function parseState(text: string): KeyState {
  const state = KEY_STATES.find((known) => known === text);
  if (state === undefined) throw new InvalidArgumentError(`It is none of ${KEY_STATES.join(", ")}.`);
  return state;
}

/** So many domains' keys can be overlooked at once, with their lines of time. */
const FEW_DOMAINS = 3;

/** The command itself; `rotate --status` calls it too. @param domains filters, as `parseDomainFilter` reads them */
export async function status(domains: readonly string[], options: StatusOptions, cli: CliContext): Promise<void> {
  if (options.html !== undefined && (options.json || options.timeline)) {
    throw new UsageError("--html does not go with --json or --timeline");
  }
  if (options.json && options.timeline) throw new UsageError("--json does not go with --timeline");
  const includesDomain = parseDomainFilter(domains);
  const notices = createNotices(cli, options);
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, {}, settings);
  const journals = await openJournals(cli, store, settings);
  const selection = {
    includesDomain,
    states: new Set<KeyState>(options.state ?? KEY_STATES.filter((state) => isLive({ state }))),
    dueWithinMs: options.due,
    sort: options.sort ?? "domain",
  };
  const { keys, managed } = await readKeyStatus(selection, { cli, notices, settings, journals });
  const unmanaged = new Set<DomainName>();
  for await (const { name } of store.list(({ domain }) => includesDomain(domain))) {
    if (name !== undefined && !managed.has(name.domain)) unmanaged.add(name.domain);
  }
  warnOfUnmanaged([...unmanaged], notices);
  if (unmanaged.size === 0 && ![...managed].some(includesDomain)) {
    notices.notice(`rotation manages no key${domains.length === 0 ? "" : ` of ${domains.join(", ")}`}`);
  }
  if (options.html !== undefined) await writePage(options.html, keys, cli);
  else if (options.json) cli.stdout.write(renderStatusJson(keys));
  else await writeTable(keys, options, cli);
}

/** Before rotation is begun, all domains of a store are so. */
function warnOfUnmanaged(domains: readonly DomainName[], notices: Notices): void {
  if (domains.length > FEW_DOMAINS) {
    const some = domains.slice(0, FEW_DOMAINS).join(", ");
    notices.warn(
      `the keys of ${domains.length} domains are not managed: ${some} and others`,
      "take them over: dkimctl rotate --adopt, or name domains",
    );
    return;
  }
  for (const domain of domains) {
    notices.warn(`the keys of ${domain} are not managed`, `take them over: dkimctl rotate ${domain} --adopt`);
  }
}

async function writePage(path: string, keys: readonly KeyStatus[], cli: CliContext): Promise<void> {
  const { renderStatusPage } = await import("../report/rotation-status/page-format.ts");
  const output = openReportOutput(path, false, cli);
  output.write(renderStatusPage(keys, { now: cli.now().getTime(), states: KEY_STATES }));
  output.commit();
}

/** Of a drawing for a file, or for a terminal that does not know its size. */
const OTHER_COLUMNS = 80;

async function writeTable(keys: readonly KeyStatus[], options: StatusOptions, cli: CliContext): Promise<void> {
  const { env, stdout } = cli;
  const style = await createStyle(wantsColor(options.color, env, stdout.isTTY));
  // A terminal that does not know its size says 0.
  const columns = stdout.columns || undefined;
  stdout.write(renderStatusTable(keys, { style, columns }));
  const isFew = stdout.isTTY && new Set(keys.map(({ domain }) => domain)).size <= FEW_DOMAINS;
  if (!(options.timeline ?? isFew) || keys.length === 0) return;
  const { renderTimeline } = await import("../report/rotation-status/timeline-format.ts");
  const drawing = { now: cli.now().getTime(), style, columns: columns ?? OTHER_COLUMNS, unicode: isUtf8(env) };
  stdout.write(`\n${renderTimeline(keys, drawing)}`);
}

/** Whether the locale's characters are UTF-8's, as setlocale(3) would find. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG }: CliContext["env"]): boolean {
  return /utf-?8/i.test([LC_ALL, LC_CTYPE, LANG].find((name) => name !== undefined && name !== "") ?? "");
}
