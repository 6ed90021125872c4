import { concurrentMap } from "../concurrent-map.ts";
import { DkimctlError, ExitCode } from "../errors.ts";
import type { Selector } from "../keys/selector.ts";
import { type Look, nextLook } from "./look.ts";
import { absorbObservations, type Observation } from "./observation.ts";
import { clockFinding, planRotation, type RotationFinding, type RotationPlan, type Step } from "./plan.ts";
import {
  type Effect,
  enterState,
  isLive,
  type Journal,
  liveKey,
  liveKeys,
  type RotationKey,
  replaceKey,
} from "./rotation-key.ts";
import type { RotationPolicy } from "./rotation-policy.ts";
import { REVOKED_RECORD, type RotationWorld } from "./rotation-world.ts";

export interface RotationRun {
  readonly journal: Journal;
  /** Steps that were done, in order. */
  readonly done: readonly Step[];
  /** What the last look left to wait for. */
  readonly waits: RotationPlan["waits"];
  readonly findings: readonly RotationFinding[];
  /** When the domain is to be looked at again; `undefined`: at every run. */
  readonly look: Look | undefined;
}

/** A key goes from new to active in six rounds at most, and a plan that never ends is a bug. */
const MOST_ROUNDS = 12;
const LOOKS_AT_ONCE = 4;

/** What a run would do first, with nothing changed. */
export async function previewRotation(
  journal: Journal,
  policy: RotationPolicy,
  world: RotationWorld,
): Promise<RotationPlan & { readonly journal: Journal }> {
  const { observed, plan } = await lookAndPlan(journal, policy, world);
  return { ...plan, journal: observed };
}

/**
 * Brings one domain as far as it goes at this moment: look, plan, do, and again until nothing is left to do. What is to
 * change outside is written down first, so that a run that is killed at any point is carried on by the next.
 */
export async function rotateDomain(start: Journal, policy: RotationPolicy, world: RotationWorld): Promise<RotationRun> {
  const done: Step[] = [];
  const failures = new Map<string, RotationFinding>();
  // What needed a person is told even when a later round has mended it: mail may have been lost before.
  const alerts = new Map<string, RotationFinding>();
  let journal = start;
  for (let round = 0; ; round++) {
    const { observed, plan, observations } = await lookAndPlan(journal, policy, world);
    if (observed !== journal) await world.writeJournal(observed);
    journal = observed;
    const steps = plan.steps.filter((step) => !failures.has(stepId(step)) && !done.some((old) => same(old, step)));
    for (const finding of plan.findings) if (finding.level === "person") alerts.set(JSON.stringify(finding), finding);
    if (steps.length === 0 || round === MOST_ROUNDS) {
      const waiting = plan.findings.filter(({ level }) => level === "waiting");
      const findings = [...alerts.values(), ...failures.values(), ...waiting];
      const look = nextLook({ ...plan, findings }, policy, world.now());
      return { journal, done, waits: plan.waits, findings, look };
    }
    for (const step of steps) {
      const stepper = new Stepper(journal, world, observations);
      try {
        const outcome = await stepper.do(step);
        if (outcome === undefined) done.push(stepper.instead ?? step);
        else failures.set(stepId(step), outcome);
      } catch (error) {
        if (!(error instanceof DkimctlError)) throw error;
        failures.set(stepId(step), failureOf(step, error));
      }
      journal = stepper.journal;
    }
  }
}

async function lookAndPlan(journal: Journal, policy: RotationPolicy, world: RotationWorld) {
  const observations = new Map<string, Observation>();
  // Also those whose record is not known yet: a "no" for the name may be in caches from now on.
  for await (const [key, seen] of concurrentMap(
    liveKeys(journal),
    LOOKS_AT_ONCE,
    async (key) => [key, await world.observe(key)] as const,
  )) {
    observations.set(key.selector, seen);
  }
  const now = world.now();
  const { lastRunAt, clockSetAt } = world;
  const isBehind = clockFinding({ journal, lastRunAt, now }) !== undefined;
  const observed = absorbObservations(journal, observations, isBehind ? undefined : now);
  const named = await world.named?.();
  const random = () => world.random();
  const clock = { now, lastRunAt, clockSetAt };
  const planWith = (taken: ReadonlySet<string>) =>
    planRotation({ journal: observed, policy, observations, ...clock, named, taken, random });
  let plan = planWith(await world.taken(liveKeys(observed).map(({ selector }) => selector)));
  // A name that the store has under nobody's care is found out only now: to list a large store takes long.
  const names = plan.steps.flatMap((step) =>
    step.kind === "create" && liveKey(observed, step.selector) === undefined ? [step.selector] : [],
  );
  if (names.length > 0 && (await world.taken(names)).size > 0) plan = planWith(await world.taken());
  return { observed, plan, observations };
}

/** Does one step, writing the journal before and after. */
class Stepper {
  journal: Journal;
  /** What was done when it was not what was planned. */
  instead: Step | undefined;
  readonly #world: RotationWorld;
  readonly #observations: ReadonlyMap<string, Observation>;

  constructor(journal: Journal, world: RotationWorld, observations: ReadonlyMap<string, Observation>) {
    this.journal = journal;
    this.#world = world;
    this.#observations = observations;
  }

  /** @returns what a person must do for it to be done */
  async do(step: Step): Promise<RotationFinding | undefined> {
    switch (step.kind) {
      case "create":
        return this.#create(step);
      case "publish":
      case "tombstone":
      case "withdraw":
        return this.#changeRecord(step);
      case "advance":
        return this.#write(replaceKey(this.journal, enterState(this.#key(step.selector), step.to, this.#world.now())));
      case "activate":
        return this.#activate(step);
      case "destroy": {
        const key = this.#key(step.selector);
        const journal = replaceKey(this.journal, enterState(key, "gone", this.#world.now()));
        await this.#world.destroyKey(key, journal);
        this.journal = journal;
        return undefined;
      }
      case "reveal":
        return this.#reveal(step);
    }
  }

  async #create({ selector, algorithm }: Step & { kind: "create" }): Promise<undefined> {
    if (liveKey(this.journal, selector) === undefined) {
      const earlier = this.journal.keys.filter((key) => key.selector === selector);
      // How long a "no" is kept now may be less than what a server that lags has told until a moment ago.
      const negative = [...this.#observations.values()].map(({ negativeSeconds = 0 }) => negativeSeconds);
      const stale = [...earlier.flatMap((key) => [key.staleSeconds, key.ttlSeconds]), ...negative];
      const key: RotationKey = {
        selector,
        algorithm,
        state: "new",
        entered: { new: this.#world.now() },
        staleSeconds: Math.max(0, ...stale),
        ttlSeconds: 0,
      };
      await this.#write({ ...this.journal, keys: [...this.journal.keys, key] });
    }
    this.journal = await this.#world.makeKey({ selector, algorithm }, (made) =>
      replaceKey(this.journal, { ...this.#key(selector), ...made }),
    );
  }

  async #reveal(step: Step & { kind: "reveal" }): Promise<undefined> {
    this.journal = await this.#world.revealKey(this.#key(step.selector), (end) => {
      const gone = enterState(this.#key(step.selector), "gone", this.#world.now());
      if (end === "gone") this.instead = { ...step, kind: "destroy" };
      return replaceKey(this.journal, end === "gone" ? gone : enterState(gone, end, this.#world.now()));
    });
  }

  async #changeRecord({
    kind,
    selector,
  }: Step & { kind: "publish" | "tombstone" | "withdraw" }): Promise<RotationFinding | undefined> {
    await this.#intend([selector], kind);
    const seen = this.#observations.get(selector);
    const key = this.#key(selector);
    const outcome = await this.#world.changeRecord({ key, effect: kind, seen });
    await this.#intend([selector], kind, this.#world.now());
    if (outcome === "done") return undefined;
    const name = seen?.kind === "agreed" ? seen.servedAt : `${selector}._domainkey.${this.journal.domain}`;
    const message = {
      publish: `publish this TXT record at ${name}: ${key.record}`,
      tombstone: `replace the TXT record at ${name} by: ${REVOKED_RECORD}`,
      withdraw: `remove the TXT record at ${name}`,
    }[kind];
    return { level: "person", selector, message };
  }

  async #activate({ selectors, retired }: Step & { kind: "activate" }): Promise<RotationFinding | undefined> {
    const keys = selectors.map((selector) => this.#key(selector));
    const old = retired.map((selector) => this.#key(selector));
    for (const key of keys) await this.#world.prove(key);
    const isBack = keys.every(({ state }) => state === "active");
    if (!isBack) await this.#intend(selectors, "activate");
    if ((await this.#world.activate(keys, old)) === "asked") {
      if (!isBack) await this.#intend(selectors, "activate", this.#world.now());
      const names = selectors.join(" and ");
      return {
        level: "person",
        message: `make the signer use ${names}`,
        hint: `then tell: dkimctl rotate ${this.journal.domain} --active ${selectors.join(" --active ")}`,
      };
    }
    await this.#write(confirmActivation(this.journal, selectors, this.#world.now()));
    return undefined;
  }

  async #intend(selectors: readonly Selector[], effect: Effect, doneAt?: number): Promise<void> {
    let journal = this.journal;
    for (const selector of selectors) {
      const key = this.#key(selector);
      const before = key.intent?.effect === effect ? key.intent : { since: this.#world.now(), last: undefined };
      const intent = { effect, since: before.since, last: doneAt ?? before.last };
      journal = replaceKey(journal, { ...key, intent });
    }
    await this.#write(journal);
  }

  #key(selector: Selector): RotationKey {
    const key = liveKey(this.journal, selector);
    if (key === undefined) throw new RangeError(`no key ${selector}`);
    return key;
  }

  async #write(journal: Journal): Promise<undefined> {
    await this.#world.writeJournal(journal);
    this.journal = journal;
  }
}

/** The signer uses these keys from now on, and none of the others. */
export function confirmActivation(journal: Journal, selectors: readonly Selector[], now: number): Journal {
  const keys = journal.keys.map((key) => {
    const chosen = isLive(key) && selectors.includes(key.selector);
    if (chosen) return key.state === "active" ? key : enterState(key, "active", now);
    if (key.state === "active") return enterState(key, "draining", now);
    return key.intent?.effect === "activate" ? { ...key, intent: undefined } : key;
  });
  const isNew = journal.keys.some((key) => selectors.includes(key.selector) && key.state === "ready");
  // What was asked for is done; but not by going back to the keys that signed.
  return isNew ? { ...journal, keys, rotationAskedAt: undefined } : { ...journal, keys };
}

function failureOf(step: Step, error: DkimctlError): RotationFinding {
  const level = error.exitCode === ExitCode.tryAgain ? "waiting" : "person";
  const selector = "selector" in step ? step.selector : undefined;
  return { level, selector, message: `${step.kind}: ${error.message}`, hint: error.hint };
}

function same(a: Step, b: Step): boolean {
  return stepId(a) === stepId(b);
}

function stepId(step: Step): string {
  return JSON.stringify({ ...step, why: undefined });
}
