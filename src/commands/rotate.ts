import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { requireProgram } from "../dns/publish/run-program.ts";
import { DkimctlError, ExitCode, UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { createStoreFolder } from "../keys/store-folder.ts";
import { parseDuration } from "../rotation/duration.ts";
import type { RotationFinding, Step } from "../rotation/plan.ts";
import { previewRotation, rotateDomain } from "../rotation/rotate-domain.ts";
import type { Journal } from "../rotation/rotation-key.ts";
import { addDnsOptions } from "./dns-options.ts";
import { createNotices, type Notices } from "./notices.ts";
import { addPassphraseOption, collect } from "./options.ts";
import { adoptDomain } from "./rotate-adopt.ts";
import {
  type DomainOutcome,
  failedDomain,
  renderJson,
  renderSteps,
  renderWaits,
  tellFindings,
} from "./rotate-report.ts";
import { confirmSigner, markCompromised } from "./rotate-requests.ts";
import { openRotationRoom, type RotationRoom, type RotationRoomOptions } from "./rotation-room.ts";
import { rotationPolicy } from "./rotation-settings.ts";
import { loadSettings } from "./settings.ts";
import { addStatusOptions, type StatusOptions, status } from "./status.ts";

export interface RotateOptions extends RotationRoomOptions, StatusOptions {
  readonly dryRun?: boolean;
  readonly now?: boolean;
  readonly compromised?: readonly Selector[];
  readonly adopt?: boolean;
  readonly active?: readonly Selector[];
  readonly status?: boolean;
  /** Milliseconds; `true`: as long as the default. */
  readonly wait?: number | true;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("rotate")
    .description("bring every key one step further: make, prove, activate, revoke, remove; made for cron")
    .argument("[domain...]", "only these domains; one that is new gets its first key", collect(parseDomainName))
    .option("-n, --dry-run", "say what would be done, and do nothing")
    .option("--now", "replace the active keys now, whatever their age")
    .addOption(
      new Option("--compromised <selector>", "this key has leaked: replace and revoke it at once").argParser(
        collect(parseSelector),
      ),
    )
    .option("--adopt", "take over keys that other tools made, after proving them in the DNS")
    .addOption(
      new Option("--active <selector>", "this key signs: confirms a change of the signer, or tells --adopt").argParser(
        collect(parseSelector),
      ),
    )
    .option("--status", "tell the state of every key, as dkimctl status does")
    .addOption(
      new Option("--wait [time]", "go on as long as something moves within this time (default: 1h)").argParser(
        parseDuration,
      ),
    );
  addStatusOptions(command);
  addDnsOptions(command);
  addPassphraseOption(command)
    .addHelpText(
      "after",
      `
Exit status: 0 done, or nothing to do; 1 a person must act; 4 the DNS lags, or
another run is at work.

Examples:
  dkimctl rotate                                     one step for every domain: the line for cron
  dkimctl rotate example.com                         begin with a domain
  dkimctl rotate --dry-run                           what would be done, and when the next steps are due
  dkimctl rotate example.com --compromised mail      the key leaked`,
    )
    .action((domains: DomainName[] | undefined) =>
      rotate(domains ?? [], command.optsWithGlobals<RotateOptions>(), cli),
    );
}

async function rotate(domains: readonly DomainName[], options: RotateOptions, cli: CliContext): Promise<void> {
  requireSense(domains, options);
  if (options.status) return status(domains, options, cli);
  const notices = createNotices(cli, options);
  const settings = loadSettings(cli, options);
  if (domains.length > 0 && !options.dryRun && !options.adopt) createStoreFolder(settings.store.path, settings.store);
  const room = await openRotationRoom(options, cli);
  try {
    const lock = options.dryRun ? undefined : await room.store.lock();
    try {
      await rotateAll({ domains, options, cli, notices, room });
    } finally {
      await lock?.release();
    }
  } finally {
    await room.close();
  }
}

function requireSense(
  domains: readonly DomainName[],
  { adopt, active, compromised, now, dryRun, wait }: RotateOptions,
): void {
  const named = active !== undefined ? "--active" : compromised !== undefined ? "--compromised" : undefined;
  if (named !== undefined && domains.length !== 1) {
    throw new UsageError(`${named} names a key of one domain`, {
      hint: `add the domain: dkimctl rotate DOMAIN ${named} SELECTOR`,
    });
  }
  if (adopt && (now || compromised !== undefined)) throw new UsageError("--adopt only takes over; rotate afterwards");
  if (active !== undefined && (now || compromised !== undefined)) {
    throw new UsageError("--active tells what is; it does not go with --now or --compromised");
  }
  if (dryRun && (wait !== undefined || adopt || active !== undefined)) {
    throw new UsageError("--dry-run does not go with --wait, --adopt or --active");
  }
}

interface Run {
  readonly domains: readonly DomainName[];
  readonly options: RotateOptions;
  readonly cli: CliContext;
  readonly notices: Notices;
  readonly room: RotationRoom;
}

const DEFAULT_WAIT_MS = 3_600_000;
/** How often the servers are asked while somebody waits. */
const LOOK_AGAIN_MS = 5000;

async function rotateAll(run: Run): Promise<void> {
  const { options, cli, notices, room } = run;
  const { wait } = options;
  const patience = wait === undefined ? 0 : wait === true ? DEFAULT_WAIT_MS : wait;
  const deadline = cli.now().getTime() + patience;
  const all = await managedDomains(run);
  const worst = { person: false, waiting: false };
  for (let first = true; ; first = false) {
    const outcomes: DomainOutcome[] = [];
    const lastRunAt = room.journals.lastRunAt();
    for (const domain of all) {
      cli.signal.throwIfAborted();
      const outcome = await oneDomain(domain, run, lastRunAt, first);
      if (!options.json) {
        cli.stdout.write(renderSteps(outcome, options.dryRun === true));
        if (options.dryRun) cli.stdout.write(renderWaits(outcome, cli.now().getTime()));
      }
      tellFindings(outcome, notices);
      outcomes.push(outcome);
    }
    if (!options.dryRun && all.length > 0) room.journals.recordRun(Math.max(cli.now().getTime(), lastRunAt ?? 0));
    worst.person = outcomes.some(({ findings }) => findings.some(({ level }) => level === "person"));
    worst.waiting = outcomes.some(({ findings }) => findings.some(({ level }) => level === "waiting"));
    if (options.json) cli.stdout.write(renderJson(outcomes, options.dryRun === true));
    const next = Math.min(
      ...outcomes.flatMap(({ waits }) => waits.map(({ until }) => until ?? cli.now().getTime() + LOOK_AGAIN_MS)),
    );
    if (next > deadline || patience === 0) break;
    await delay(Math.max(1000, next - cli.now().getTime()), undefined, { signal: cli.signal });
  }
  if (worst.person) cli.exitCode = ExitCode.checkFailed;
  else if (worst.waiting) cli.exitCode = ExitCode.tryAgain;
}

/** Those that were named, or all that have a journal or a key. */
async function managedDomains({ domains, room }: Run): Promise<readonly DomainName[]> {
  if (domains.length > 0) return [...new Set(domains)];
  const found = new Set(room.journals.domains());
  for await (const { name } of room.store.list()) if (name !== undefined) found.add(name.domain);
  return [...found].sort();
}

async function oneDomain(
  domain: DomainName,
  run: Run,
  lastRunAt: number | undefined,
  first: boolean,
): Promise<DomainOutcome> {
  const { options, room } = run;
  try {
    const policy = rotationPolicy(domain, room.settings);
    const world = room.worldOf(domain, lastRunAt);
    let journal = room.journals.read(domain);
    if (options.adopt) {
      if (journal === undefined) return await adoptDomain(domain, run);
      return run.domains.length === 0 ? { domain, steps: [], waits: [], findings: [] } : alreadyManaged(domain, room);
    }
    if (journal === undefined) {
      if ((await world.taken()).size > 0) throw notManaged(domain);
      journal = { domain, keys: [] };
    }
    const asked = first ? withRequests(journal, options, policy, world.now()) : journal;
    if (asked !== journal && !options.dryRun) await world.writeJournal(asked);
    if (options.dryRun) return { domain, ...(await previewRotation(asked, policy, world)) };
    const { done, waits, findings } = await rotateDomain(asked, policy, world);
    return { domain, steps: done, waits, findings: [...findings, ...(await runHooks(domain, done, run))] };
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    return failedDomain(domain, error, error.exitCode === ExitCode.tryAgain ? "waiting" : "person");
  }
}

function withRequests(
  journal: Journal,
  { now: atOnce, compromised = [], active }: RotateOptions,
  policy: ReturnType<typeof rotationPolicy>,
  now: number,
): Journal {
  let result = journal;
  if (active !== undefined) result = confirmSigner(result, active, policy, now);
  if (atOnce) result = { ...result, rotationAskedAt: now };
  for (const selector of compromised) result = markCompromised(result, selector, now);
  return result;
}

function notManaged(domain: DomainName): UsageError {
  return new UsageError(`the store has keys of ${domain}, and no journal tells what they are`, {
    hint: `take them over: dkimctl rotate ${domain} --adopt`,
  });
}

function alreadyManaged(domain: DomainName, { journals }: RotationRoom): DomainOutcome {
  const message = `it is managed already, see ${journals.locationOf(domain)}`;
  return { domain, steps: [], waits: [], findings: [{ level: "person", message }] };
}

const HOOK_TIME_LIMIT_MS = 60_000;
const HOOKS = { publish: "on-publish", activate: "on-activate", destroy: "on-retire" } as const;

/** The user's programs, told of what is done. That one fails changes nothing but is said. */
async function runHooks(domain: DomainName, steps: readonly Step[], { cli, room }: Run): Promise<RotationFinding[]> {
  const findings: RotationFinding[] = [];
  for (const step of steps) {
    if (step.kind !== "publish" && step.kind !== "activate" && step.kind !== "destroy") continue;
    const argv = room.settings.hooks[HOOKS[step.kind]];
    if (argv === undefined) continue;
    const selectors = step.kind === "activate" ? step.selectors : [step.selector];
    const event = { event: HOOKS[step.kind].slice("on-".length), domain, selectors };
    try {
      await requireProgram({
        argv,
        stdin: `${JSON.stringify(event)}\n`,
        env: {
          ...cli.env,
          DKIMCTL_EVENT: event.event,
          DKIMCTL_DOMAIN: domain,
          DKIMCTL_SELECTORS: selectors.join("\n"),
        },
        timeLimitMs: HOOK_TIME_LIMIT_MS,
        signal: cli.signal,
      });
    } catch (error) {
      if (!(error instanceof DkimctlError)) throw error;
      findings.push({ level: "person", message: `the hook ${HOOKS[step.kind]}: ${error.message}` });
    }
  }
  return findings;
}
