import { setTimeout as delay } from "node:timers/promises";
import { concurrentMap } from "../concurrent-map.ts";
import type { CliContext } from "../context.ts";
import { DkimctlError, ExitCode, UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { compareClock } from "../rotation/host-clock.ts";
import type { DomainLease, RotationTurn } from "../rotation/journal-store.ts";
import type { Look } from "../rotation/look.ts";
import type { RotationFinding } from "../rotation/plan.ts";
import { previewRotation, rotateDomain } from "../rotation/rotate-domain.ts";
import type { Journal } from "../rotation/rotation-key.ts";
import type { RotationWorld } from "../rotation/rotation-world.ts";
import type { UnderWay } from "../under-way.ts";
import type { Notices } from "./notices.ts";
import type { RotateOptions } from "./rotate.ts";
import { adoptDomain } from "./rotate-adopt.ts";
import { dueDomains, type ManagedDomains, managedDomains } from "./rotate-domains.ts";
import { runHooks } from "./rotate-hooks.ts";
import {
  type DomainOutcome,
  failedDomain,
  renderJson,
  renderSteps,
  renderWaits,
  tellFindings,
} from "./rotate-report.ts";
import { confirmSigner, markCompromised } from "./rotate-requests.ts";
import type { Past, RotationRoom } from "./rotation-room.ts";
import { rotationPolicy, settingsFingerprint } from "./rotation-settings.ts";

export interface Run {
  readonly domains: readonly DomainName[];
  readonly options: RotateOptions;
  readonly cli: CliContext;
  readonly notices: Notices;
  readonly room: RotationRoom;
  /** `undefined`: nothing is changed, only looked at. */
  readonly turn: RotationTurn | undefined;
  /** Domains that are being served: when one of them ends the run, the others are not left half-way. */
  readonly underWay: UnderWay;
}

const DEFAULT_WAIT_MS = 3_600_000;
/** How often the servers are asked while somebody waits. */
const LOOK_AGAIN_MS = 5000;
/** Most of a domain's time goes by in waiting for its name servers. */
const DOMAINS_AT_ONCE = 16;

/** One step forward for every domain, and with `--wait` more of them. A failure at one never stops the others. */
export async function rotateAll(run: Run): Promise<void> {
  const { options, cli, room } = run;
  const { wait } = options;
  const patience = wait === undefined ? 0 : wait === true ? DEFAULT_WAIT_MS : wait;
  const deadline = cli.now().getTime() + patience;
  const managed = await managedDomains(run.domains, room);
  const isEmpty = managed.domains.length === 0;
  for (let first = true; ; first = false) {
    const lastRunAt = await room.journals.lastRunAt();
    const past = { lastRunAt, clockSetAt: await noteClock(run, !isEmpty) };
    const { worst, next } = await oneRound(managed, run, past, first);
    if (!options.dryRun && !isEmpty) await room.journals.recordRun(Math.max(cli.now().getTime(), lastRunAt ?? 0));
    if (next > deadline || patience === 0) {
      if (worst !== undefined) cli.exitCode = worst === "person" ? ExitCode.checkFailed : ExitCode.tryAgain;
      return;
    }
    await delay(Math.max(1000, next - cli.now().getTime()), undefined, { signal: cli.signal });
    room.readSignersAgain();
  }
}

/** @returns when the clock of this host was set forward, as far as that is known */
async function noteClock({ cli, room, turn }: Run, begins: boolean): Promise<number | undefined> {
  const reading = cli.readClock();
  if (reading === undefined) return undefined;
  const compared = compareClock(await room.journals.lastClock?.(), reading);
  if (begins && turn !== undefined) await room.journals.recordClock?.(compared);
  return compared.setAt;
}

/** @returns the worst that was found, and when something may move next */
async function oneRound(
  managed: ManagedDomains,
  run: Run,
  past: Past,
  first: boolean,
): Promise<{ readonly worst: RotationFinding["level"] | undefined; readonly next: number }> {
  const { options, cli, notices, room } = run;
  const settings = settingsFingerprint(room.settings);
  const { due, rested } = looksAtAll(run)
    ? { due: managed.domains, rested: [] }
    : await dueDomains(managed, room, past, settings, cli.now().getTime());
  const outcomes: DomainOutcome[] = [];
  let worst: RotationFinding["level"] | undefined;
  let next = Number.POSITIVE_INFINITY;
  // Where a person is asked, one question stands on the terminal at a time.
  const atOnce = options.adopt ? 1 : DOMAINS_AT_ONCE;
  const work = (domain: DomainName) => {
    cli.signal.throwIfAborted();
    const isKnown = managed.found?.withKeys.has(domain) === true;
    return run.underWay.add(oneDomain(domain, run, { past, first, settings, hasKeys: isKnown }));
  };
  const inTurn = (await run.turn?.beginRound?.(due)) ?? due;
  for await (const outcome of concurrentMap(inTurn, atOnce, work)) {
    if (options.json) outcomes.push(outcome);
    else {
      cli.stdout.write(renderSteps(outcome, options.dryRun === true));
      if (options.dryRun) cli.stdout.write(renderWaits(outcome, cli.now().getTime()));
    }
    tellFindings(outcome, notices);
    for (const { level } of outcome.findings) if (worst !== "person") worst = level;
    for (const { until } of outcome.waits) next = Math.min(next, until ?? cli.now().getTime() + LOOK_AGAIN_MS);
  }
  const byDomain = (a: DomainOutcome, b: DomainOutcome) => (a.domain < b.domain ? -1 : 1);
  if (options.json) {
    for (const { domain, until } of rested) {
      outcomes.push({ ...nothing(domain), waits: [{ selector: undefined, what: "the next look", until }] });
    }
    cli.stdout.write(renderJson(outcomes.sort(byDomain), options.dryRun === true));
  }
  return { worst, next };
}

/** What one round knows when it comes to a domain. */
interface Round {
  readonly past: Past;
  readonly first: boolean;
  /** A fingerprint of those in force. */
  readonly settings: string;
  /** Whether the store had keys of the domain when it was listed; `false` where it was not. */
  readonly hasKeys: boolean;
}

async function oneDomain(domain: DomainName, run: Run, round: Round): Promise<DomainOutcome> {
  try {
    if (run.turn === undefined) return await lookAtDomain(domain, run, round);
    const lease = await run.turn.lease(domain, { evenIfServed: isAsked(run) });
    if (lease === undefined) return elsewhere(domain, run);
    let served = false;
    let look: Look | undefined;
    try {
      const { look: found, ...outcome } = await moveDomain(domain, run, lease, round);
      served = true;
      look = found;
      return outcome;
    } finally {
      await lease.release(served, look && { ...look, settings: round.settings });
    }
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    return failedDomain(domain, error, error.exitCode === ExitCode.tryAgain ? "waiting" : "person");
  }
}

async function lookAtDomain(domain: DomainName, run: Run, { past, hasKeys }: Round): Promise<DomainOutcome> {
  const { options, room } = run;
  const policy = rotationPolicy(domain, room.settings);
  const world = await room.worldOf(domain, past);
  const journal = await journalOf(domain, world, run, hasKeys);
  if (journal === undefined) return nothing(domain);
  const preview = await previewRotation(withRequests(journal, options, policy, world), policy, world);
  return { domain, ...preview };
}

async function moveDomain(
  domain: DomainName,
  run: Run,
  lease: DomainLease,
  { past, first, hasKeys }: Round,
): Promise<DomainOutcome & { readonly look?: Look | undefined }> {
  const { options, room } = run;
  if (options.adopt) {
    if ((await room.journals.read(domain)) === undefined) return adoptDomain(domain, lease, run);
    return run.domains.length === 0 ? nothing(domain) : alreadyManaged(domain, room);
  }
  const policy = rotationPolicy(domain, room.settings);
  const world = await room.worldOf(domain, past, lease);
  const journal = await journalOf(domain, world, run, hasKeys);
  if (journal === undefined) return nothing(domain);
  const asked = first ? withRequests(journal, options, policy, world) : journal;
  if (asked !== journal) await world.writeJournal(asked);
  const { done, waits, findings, look } = await rotateDomain(asked, policy, world);
  return { domain, steps: done, waits, findings: [...findings, ...(await runHooks(domain, done, run))], look };
}

/**
 * @returns `undefined`: the store has nothing of the domain after all, such as a document of Vault's without keys, and
 *   nobody has named it: no domain is begun unasked
 * @throws {UsageError} the store has keys of the domain, and nobody knows what they have been through
 */
async function journalOf(
  domain: DomainName,
  world: RotationWorld,
  { room, domains }: Run,
  hasKeys: boolean,
): Promise<Journal | undefined> {
  const journal = await room.journals.read(domain);
  if (journal !== undefined) return journal;
  if (hasKeys || (await world.taken()).size > 0) throw notManaged(domain);
  return domains.includes(domain) ? { domain, keys: [] } : undefined;
}

/** Whether something was asked of this run that another worker does not know of. */
function isAsked({ domains, options }: Run): boolean {
  return domains.length > 0 || options.now === true || options.adopt === true;
}

/** Whether a domain is looked at although the last look found nothing that is due. */
function looksAtAll(run: Run): boolean {
  return isAsked(run) || run.options.dryRun === true || run.options.wait !== undefined;
}

/** Another worker has the domain and does what is due. */
function elsewhere(domain: DomainName, run: Run): DomainOutcome {
  if (!isAsked(run)) return nothing(domain);
  const message = "another dkimctl is at work on it";
  return { ...nothing(domain), findings: [{ level: "waiting", message, hint: "try again in a minute" }] };
}

function nothing(domain: DomainName): DomainOutcome {
  return { domain, steps: [], waits: [], findings: [] };
}

function withRequests(
  journal: Journal,
  { now: atOnce, compromised = [], active }: RotateOptions,
  policy: ReturnType<typeof rotationPolicy>,
  world: RotationWorld,
): Journal {
  const now = world.now();
  let result = journal;
  if (active !== undefined) result = confirmSigner(result, active, policy, now, world.clockSetAt);
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
  return { ...nothing(domain), findings: [{ level: "person", message }] };
}
