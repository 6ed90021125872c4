import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { roughDuration } from "../rotation/duration.ts";
import { nextStep } from "../rotation/next-step.ts";
import type { Journal, KeyState, RotationKey } from "../rotation/rotation-key.ts";
import { isLive, KEY_STATES, stateSince } from "../rotation/rotation-key.ts";
import { createStyle, type Style, wantsColor } from "../terminal/style.ts";
import { renderTable } from "../terminal/table.ts";
import { createNotices } from "./notices.ts";
import { collect, type GlobalOptions } from "./options.ts";
import { isoTime } from "./rotate-report.ts";
import { rotationPolicy } from "./rotation-settings.ts";
import { loadSettings, openJournals, openStore, type Settings } from "./settings.ts";

export interface StatusOptions extends GlobalOptions {
  readonly json?: boolean;
  readonly state?: readonly KeyState[];
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("status")
    .description("tell the state of every key: who signs, what is next, and when")
    .argument("[domain...]", "only these domains", collect(parseDomainName));
  addStatusOptions(command)
    .addHelpText(
      "after",
      `
What is told stands in the journals; the DNS is not asked.

Examples:
  dkimctl status                                     every key that is not gone
  dkimctl status example.com --state gone            the selectors that were used before`,
    )
    .action((domains: DomainName[] | undefined) =>
      status(domains ?? [], command.optsWithGlobals<StatusOptions>(), cli),
    );
}

/** Adds `--json` and `--state`. */
export function addStatusOptions(command: Command): Command {
  return command
    .option("--json", "machine-readable")
    .addOption(
      new Option("--state <state>", "with a table of keys: only those in this state; may be repeated").argParser(
        collect(parseState),
      ),
    );
}

function parseState(text: string): KeyState {
  const state = KEY_STATES.find((known) => known === text);
  if (state === undefined) throw new InvalidArgumentError(`It is none of ${KEY_STATES.join(", ")}.`);
  return state;
}

const STATUS_SCHEMA = "dkimctl/status/1";

interface KeyStatus {
  readonly domain: DomainName;
  readonly key: RotationKey;
  readonly next: ReturnType<typeof nextStep>;
}

/** The command itself; `rotate --status` calls it too. */
export async function status(domains: readonly DomainName[], options: StatusOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  const settings = loadSettings(cli, options);
  const store = await openStore(cli, {}, settings);
  const journals = await openJournals(cli, store, settings);
  const now = cli.now().getTime();
  const wanted = new Set(domains);
  const states = new Set<KeyState>(options.state ?? KEY_STATES.filter((state) => isLive({ state })));
  const rows: KeyStatus[] = [];
  const managed = new Set<DomainName>();
  for (const domain of await journals.domains()) {
    managed.add(domain);
    if (wanted.size > 0 && !wanted.has(domain)) continue;
    try {
      rows.push(...keysOf(domain, await journals.read(domain), settings).filter(({ key }) => states.has(key.state)));
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      notices.error(error);
      cli.exitCode = ExitCode.checkFailed;
    }
  }
  const unmanaged = new Set<DomainName>();
  for await (const { name } of store.list(({ domain }) => wanted.size === 0 || wanted.has(domain))) {
    if (name !== undefined && !managed.has(name.domain)) unmanaged.add(name.domain);
  }
  for (const domain of unmanaged) {
    notices.warn(`the keys of ${domain} are not managed`, `take them over: dkimctl rotate ${domain} --adopt`);
  }
  if (options.json) cli.stdout.write(renderStatusJson(rows));
  else
    cli.stdout.write(renderStatus(rows, now, await createStyle(wantsColor(options.color, cli.env, cli.stdout.isTTY))));
}

function keysOf(domain: DomainName, journal: Journal | undefined, settings: Settings): KeyStatus[] {
  const policy = rotationPolicy(domain, settings);
  const keys = journal?.keys ?? [];
  return keys.map((key) => ({ domain, key, next: nextStep(key, keys, policy) }));
}

function renderStatus(rows: readonly KeyStatus[], now: number, style: Style): string {
  return renderTable(
    ["domain", "selector", "algorithm", "state", "since", "next", "due"],
    rows.map(({ domain, key, next }) => {
      const paint =
        key.compromisedAt !== undefined ? style.bad : key.state === "active" ? style.good : (text: string) => text;
      const late = next.due !== undefined && next.due <= now;
      return [
        domain,
        key.selector,
        key.bits === undefined ? key.algorithm : `${key.algorithm} ${key.bits}`,
        paint(key.compromisedAt === undefined ? key.state : `${key.state}, compromised`),
        new Date(stateSince(key)).toISOString().slice(0, 16).replace("T", " "),
        next.what,
        next.due === undefined ? "" : late ? style.warn("now") : `in ${roughDuration(next.due - now)}`,
      ];
    }),
  );
}

function renderStatusJson(rows: readonly KeyStatus[]): string {
  const keys = rows.map(({ domain, key, next }) => ({
    domain,
    selector: key.selector,
    algorithm: key.algorithm,
    bits: key.bits ?? null,
    state: key.state,
    since: isoTime(stateSince(key)),
    provenSince: isoTime(key.provenSince),
    compromisedAt: isoTime(key.compromisedAt),
    next: next.what,
    due: isoTime(next.due),
  }));
  return `${JSON.stringify({ schema: STATUS_SCHEMA, keys }, undefined, 2)}\n`;
}
