import { OperationError } from "../../src/errors.ts";
import type { DomainName } from "../../src/keys/domain-name.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import { AmbiguousSignerError, adoptKeys } from "../../src/rotation/adopt.ts";
import { type ClockReading, compareClock } from "../../src/rotation/host-clock.ts";
import { holds, type KeptLook } from "../../src/rotation/look.ts";
import { clockFinding } from "../../src/rotation/plan.ts";
import { rotateDomain } from "../../src/rotation/rotate-domain.ts";
import { type Journal, liveKey, type RotationAlgorithm, replaceKey } from "../../src/rotation/rotation-key.ts";
import { REVOKED_RECORD, type RotationWorld } from "../../src/rotation/rotation-world.ts";
import type { Rotation, SimulatedWorld } from "./rotation-simulation.ts";
import { DAY } from "./simulated-dns.ts";

/** The process was killed: nothing after this line happens. */
class Crash extends Error {}
const CRASH = new Crash("killed");

/** dkimctl's own engine, killed at any boundary, on a host whose clock is set wrong and right again. */
export function dkimctlRotation(world: SimulatedWorld, domain: DomainName): Rotation {
  const { mischief } = world;
  let journal: Journal = { domain, keys: [] };
  let look: KeptLook | undefined;
  const write = (written: Journal) => {
    journal = written;
    look = undefined;
  };
  const host = new SimulatedHost(world);
  const moment: Moment = { now: 0, clock: 0, lastRunAt: undefined, clockSetAt: undefined };
  const run = crashing(simulatedRotationWorld(world, moment, write), world);
  let lastClock: ClockReading | undefined;
  let adoptions = 0;
  let settled = { policy: world.policy, settings: JSON.stringify(world.policy) };
  return async (now) => {
    const clock = host.wake(now);
    if (clock === undefined) return;
    lastClock = compareClock(lastClock, clock);
    moment.lastRunAt = moment.clock === 0 ? undefined : Math.max(moment.lastRunAt ?? 0, moment.clock);
    Object.assign(moment, { now, clock: clock.now, clockSetAt: lastClock.setAt });
    if (mischief?.journalIsLost) {
      const adopted = adoptAll(world, domain, now, clock.now);
      if (adopted === undefined) return;
      mischief.journalIsLost = false;
      // Whose history is lost cannot know which names were used.
      world.policy = {
        ...world.policy,
        selector: parseSelectorTemplate(`a${++adoptions}x{n}`),
        selectorRing: undefined,
      };
      write(adopted);
    }
    const asked = withRequests(journal, world, clock.now);
    const isBehind = clockFinding({ ...moment, journal: { domain, keys: [] }, now: clock.now }) !== undefined;
    if (world.policy !== settled.policy) settled = { policy: world.policy, settings: JSON.stringify(world.policy) };
    const { settings } = settled;
    if (asked === journal && !isBehind && holds(look, settings, clock.now)) return;
    try {
      if (asked !== journal) await run.writeJournal(asked);
      const found = await rotateDomain(asked, world.policy, run);
      look = found.look && { ...found.look, settings };
      mischief?.seen();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      world.crashes++;
    }
  };
}

/** When runs begin, and what the clocks say then. */
class SimulatedHost {
  readonly #world: SimulatedWorld;
  #offset = 0;
  #boot = 0;
  #upSince = 0;
  #restarted = false;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  /** @returns `undefined`: the host is off */
  wake(now: number): Omit<ClockReading, "setAt"> | undefined {
    const { random } = this.#world;
    if (random() < 0.1) {
      if (this.#world.mischief !== undefined && random() < 0.3) {
        this.#boot++;
        this.#upSince = now;
        this.#restarted = true;
      }
      return undefined;
    }
    // Nothing tells that the clock was set while the host restarted.
    if (!this.#restarted) {
      if (random() < this.#world.faults / 10) {
        const step = random() * 3 * DAY;
        this.#offset = this.#world.mischief !== undefined && random() < 0.5 ? step : -step;
      } else if (random() < 0.3) this.#offset = 0;
    }
    this.#restarted = false;
    return { now: now + this.#offset, bootId: `boot ${this.#boot}`, uptimeMs: now - this.#upSince };
  }
}

function withRequests(journal: Journal, world: SimulatedWorld, clock: number): Journal {
  let result = journal;
  if (world.chance() && world.chance()) result = { ...result, rotationAskedAt: clock };
  const compromised = world.mischief?.compromised;
  for (const selector of compromised ?? []) {
    const key = liveKey(result, parseSelector(selector));
    if (key === undefined) continue;
    if (key.record !== undefined) world.leaked.add(key.record);
    result = replaceKey(result, { ...key, compromisedAt: key.compromisedAt ?? clock });
  }
  compromised?.clear();
  return result;
}

/** Somebody who finds the journal gone. @returns `undefined`: not today */
function adoptAll(world: SimulatedWorld, domain: DomainName, now: number, clock: number): Journal | undefined {
  const keys = [...world.stored].map(([name, record]) => {
    const selector = parseSelector(name);
    return { selector, algorithm: algorithmOf(record), record, seen: world.servers.observe({ selector, record }, now) };
  });
  if (keys.length === 0) return { domain, keys: [] };
  try {
    const active = world.signing.map(parseSelector);
    const { journal } = adoptKeys(domain, keys, active, clock);
    return journal.keys.some(({ state }) => state === "active") ? journal : undefined;
  } catch (error) {
    if (error instanceof AmbiguousSignerError || error instanceof OperationError) return undefined;
    if (error instanceof Error && error.name === "UsageError") return undefined;
    throw error;
  }
}

function algorithmOf(record: string): RotationAlgorithm {
  return record.endsWith("ed25519") ? "ed25519" : "rsa";
}

/** When a run is at work, and when it believes it is. */
export interface Moment {
  now: number;
  clock: number;
  lastRunAt: number | undefined;
  clockSetAt: number | undefined;
}

/** The engine's view of the simulated world. */
export function simulatedRotationWorld(
  world: SimulatedWorld,
  moment: Moment,
  write: (journal: Journal) => void | Promise<void>,
): RotationWorld {
  return {
    get lastRunAt() {
      return moment.lastRunAt;
    },
    get clockSetAt() {
      return moment.clockSetAt;
    },
    now: () => moment.clock,
    random: () =>
      Math.floor(world.random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0"),
    taken: async (asked) =>
      new Set([...world.stored.keys()].filter((name) => asked?.some((one) => one === name) ?? true)),
    observe: async (key) => world.servers.observe(key, moment.now),
    writeJournal: async (journal) => write(journal),
    async makeKey({ selector, algorithm }, journalWith) {
      const record = world.stored.get(selector) ?? `key ${selector} ${++world.serial} ${algorithm}`;
      world.stored.set(selector, record);
      if (world.chance()) throw CRASH;
      const journal = journalWith({ record });
      await write(journal);
      return journal;
    },
    async changeRecord({ key, effect }) {
      const record = effect === "publish" ? key.record : effect === "tombstone" ? REVOKED_RECORD : undefined;
      world.publish(key.selector, record, moment.now);
      return "done";
    },
    async prove(key) {
      const seen = world.servers.observe(key, moment.now);
      if (seen.kind !== "agreed" || seen.serves !== "ours") throw new OperationError("not proven");
      if (world.stored.get(key.selector) !== key.record) throw new OperationError("the private key is not there");
    },
    async activate(keys) {
      world.sign(keys.map(({ selector }) => selector));
      return "done";
    },
    async destroyKey({ selector }, journal) {
      world.stored.delete(selector);
      if (world.chance()) throw CRASH;
      await write(journal);
    },
    async revealKey({ selector, record = "" }, journalWith) {
      if (world.stored.has(selector) && !world.revealed.has(record)) world.revealed.set(record, selector);
      if (world.chance()) throw CRASH;
      world.stored.delete(selector);
      if (world.chance()) throw CRASH;
      const journal = journalWith(world.revealed.has(record) ? "revealed" : "gone");
      await write(journal);
      return journal;
    },
  };
}

/** Every call may be the last one of the process, before or after its effect. */
function crashing(world: RotationWorld, simulated: SimulatedWorld): RotationWorld {
  const wrapped: RotationWorld = Object.create(world);
  for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(world))) {
    if (typeof value.value !== "function" || name === "now" || name === "random") continue;
    Object.defineProperty(wrapped, name, {
      async value(...parameters: unknown[]) {
        const fault = simulated.chance() && simulated.chance() ? simulated.random() : 1;
        if (fault < 0.5) throw CRASH;
        const result: unknown = await Reflect.apply(value.value, world, parameters);
        if (fault < 1) throw CRASH;
        return result;
      },
    });
  }
  return wrapped;
}

/** As tools that never look at the DNS: publish, sign after a fixed time, remove the old record after another. */
export function fixedLagRotation(
  world: SimulatedWorld,
  { lagMs, removeAfterMs, periodMs }: { lagMs: number; removeAfterMs: number; periodMs: number },
): Rotation {
  let published: { selector: string; at: number } | undefined;
  let active: { selector: string; at: number } | undefined;
  const old: { selector: string; at: number }[] = [];
  const change = (selector: string, record: string | undefined, now: number) => {
    try {
      world.publish(selector, record, now);
    } catch {
      // It goes on: nobody looks.
    }
  };
  return async (now) => {
    if (published === undefined && (active === undefined || now >= active.at + periodMs)) {
      const selector = `k${++world.serial}`;
      world.stored.set(selector, `key ${selector}`);
      change(selector, `key ${selector}`, now);
      published = { selector, at: now };
    }
    if (published !== undefined && now >= published.at + lagMs) {
      try {
        world.sign([published.selector]);
        if (active !== undefined) old.push({ selector: active.selector, at: now });
        active = { selector: published.selector, at: now };
        published = undefined;
      } catch {
        // The next run tries again.
      }
    }
    for (const key of old.splice(0)) {
      if (now >= key.at + removeAfterMs) change(key.selector, undefined, now);
      else old.push(key);
    }
  };
}
