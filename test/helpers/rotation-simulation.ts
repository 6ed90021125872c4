import { OperationError } from "../../src/errors.ts";
import type { DomainName } from "../../src/keys/domain-name.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import { formatJournal, parseJournal } from "../../src/rotation/journal.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import { rotateDomain } from "../../src/rotation/rotate-domain.ts";
import type { Journal, RotationKey } from "../../src/rotation/rotation-key.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../../src/rotation/rotation-policy.ts";
import { REVOKED_RECORD, type RotationWorld } from "../../src/rotation/rotation-world.ts";

/*
 * Years of one domain's mail in a second: a fake clock, authoritative servers that lag and fail, resolvers that cache,
 * mail that is under way for up to five days, and a rotation that is killed and lied to. Every chance comes from a seed.
 */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const START = Date.parse("2026-01-01T00:00:00Z");

export interface SimulationOptions {
  readonly seed: number;
  readonly days: number;
  /** Chance of a fault at each opportunity. */
  readonly faults: number;
  readonly policy?: Partial<RotationPolicy>;
  /** Default: an hour. */
  readonly recordTtlMs?: number;
  readonly rotate: (world: SimulatedWorld) => Rotation;
}

/** One step of a policy: whatever it does to DNS and signer at this moment. */
export type Rotation = (now: number) => Promise<void>;

export interface SimulationResult {
  readonly sent: number;
  readonly lost: number;
  /** Moments at which the signer had no private key to sign with. */
  readonly unsigned: number;
  /** Private keys that were made public. */
  readonly revealed: number;
  /** Moments at which anybody could have forged mail with one of them: a server or a resolver still had its public key. */
  readonly forgeable: number;
  /** Key changes of the signer. */
  readonly changes: number;
  readonly crashes: number;
  readonly losses: readonly string[];
}

/** The process was killed: nothing after this line happens. */
export class Crash extends Error {}

export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const RECORD_TTL = HOUR;
const NEGATIVE_TTL = 6 * HOUR;
const SERVERS = 3;

type Zone = ReadonlyMap<string, string>;

/** Authoritative servers: the first has a change at once, the others when the transfer has come through. */
class SimulatedServers {
  readonly #versions: { zone: Zone; from: number[] }[] = [{ zone: new Map(), from: Array(SERVERS).fill(0) }];
  readonly #upFrom: number[] = Array(SERVERS).fill(0);
  readonly #random: () => number;
  readonly #faults: number;

  constructor(random: () => number, faults: number) {
    this.#random = random;
    this.#faults = faults;
  }

  change(selector: string, record: string | undefined, now: number): void {
    const zone = new Map(this.#versions.at(-1)?.zone);
    if (record === undefined) zone.delete(selector);
    else zone.set(selector, record);
    const from = this.#upFrom.map((up, server) => {
      const slow = this.#random() < this.#faults ? this.#random() * 2 * DAY : this.#random() * 5 * MINUTE;
      return server === 0 ? now : Math.max(now, up) + slow;
    });
    this.#versions.push({ zone, from });
  }

  /** What the primary has. */
  get current(): Zone {
    return this.#versions.at(-1)?.zone ?? new Map();
  }

  breakDown(now: number): void {
    for (const server of this.#upFrom.keys()) {
      if (this.#random() < this.#faults / 10) this.#upFrom[server] = now + this.#random() * 12 * HOUR;
    }
  }

  serves(selector: string, record: string, now: number): boolean {
    return this.#upFrom.some((_, server) => this.ask(server, selector, now) === record);
  }

  /** `null`: no answer. */
  ask(server: number, selector: string, now: number): string | undefined | null {
    if (now < (this.#upFrom[server] ?? 0)) return null;
    for (let index = this.#versions.length - 1; index >= 0; index--) {
      const version = this.#versions[index];
      if (version !== undefined && (version.from[server] ?? 0) <= now) return version.zone.get(selector);
    }
    return undefined;
  }
}

class SimulatedResolver {
  readonly #cache = new Map<string, { record: string | undefined; until: number }>();
  readonly #servers: SimulatedServers;
  readonly #random: () => number;
  readonly #recordTtlMs: number;

  constructor({ servers, random, recordTtlMs }: SimulatedWorld) {
    this.#servers = servers;
    this.#random = random;
    this.#recordTtlMs = recordTtlMs;
  }

  holds(record: string, now: number): boolean {
    return [...this.#cache.values()].some((answer) => answer.record === record && now < answer.until);
  }

  /** `null`: SERVFAIL; the mail is tried again later. */
  ask(selector: string, now: number): string | undefined | null {
    const cached = this.#cache.get(selector);
    if (cached !== undefined && now < cached.until) return cached.record;
    const first = Math.floor(this.#random() * SERVERS);
    for (let turn = 0; turn < SERVERS; turn++) {
      const record = this.#servers.ask((first + turn) % SERVERS, selector, now);
      if (record === null) continue;
      this.#cache.set(selector, { record, until: now + (record === undefined ? NEGATIVE_TTL : this.#recordTtlMs) });
      return record;
    }
    return null;
  }
}

/** What a policy can do to the simulated world, faults included. */
export class SimulatedWorld {
  readonly servers: SimulatedServers;
  readonly random: () => number;
  /** Private keys by selector: their records. */
  readonly stored = new Map<string, string>();
  /** Records of keys whose private halves are public, with their selectors. */
  readonly revealed = new Map<string, string>();
  readonly policy: RotationPolicy;
  readonly recordTtlMs: number;
  readonly #faults: number;
  signing: readonly string[] = [];
  readonly everSigned = new Set<string>();
  changes = 0;
  crashes = 0;
  serial = 0;

  constructor(options: SimulationOptions) {
    this.random = seededRandom(options.seed);
    this.#faults = options.faults;
    this.recordTtlMs = options.recordTtlMs ?? RECORD_TTL;
    this.servers = new SimulatedServers(this.random, options.faults);
    this.policy = { ...DEFAULT_POLICY, selector: parseSelectorTemplate("k{n}"), ...options.policy };
  }

  chance(): boolean {
    return this.random() < this.#faults;
  }

  publish(selector: string, record: string | undefined, now: number): void {
    const fault = this.chance() ? Math.floor(this.random() * 3) : undefined;
    if (fault === 0) throw new OperationError("the publisher failed");
    if (fault === 1) return; // It lies.
    if (this.servers.current.get(selector) !== record) this.servers.change(selector, record, now);
    if (fault === 2) throw new OperationError("the answer was lost");
  }

  sign(selectors: readonly string[]): void {
    if (this.chance()) throw new OperationError("the reload failed");
    if (this.signing.join() !== selectors.join()) this.changes++;
    this.signing = selectors;
    for (const selector of selectors) this.everSigned.add(selector);
  }

  /** Somebody restores an old zone: records of keys that never signed are lost. */
  rollBack(now: number): void {
    for (const selector of this.servers.current.keys()) {
      if (!this.everSigned.has(selector) && this.chance() && this.chance())
        this.servers.change(selector, undefined, now);
    }
  }
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new SimulatedWorld(options);
  const { random, servers } = world;
  const resolvers = [0, 1, 2].map(() => new SimulatedResolver(world));
  const rotation = options.rotate(world);
  let mail: { selectors: readonly string[]; records: readonly string[]; at: number; sent: number }[] = [];
  const result = { sent: 0, lost: 0, unsigned: 0, forgeable: 0 };
  const losses: string[] = [];
  for (let now = START; now < START + options.days * DAY; now += HOUR) {
    servers.breakDown(now);
    world.rollBack(now);
    await rotation(now);
    for (const [record, selector] of world.revealed) {
      if (servers.serves(selector, record, now) || resolvers.some((resolver) => resolver.holds(record, now))) {
        result.forgeable++;
        losses.push(`${new Date(now).toISOString()} ${selector} is public, and can still be verified with`);
      }
    }
    // Somebody curious asks for names that are not in use yet, and so fills caches with "no".
    for (const name of world.stored.keys()) {
      if (!world.signing.includes(name) && random() < 0.3)
        resolvers[Math.floor(random() * resolvers.length)]?.ask(name, now);
    }
    if (world.signing.length > 0) {
      const records = world.signing.flatMap((selector) => world.stored.get(selector) ?? []);
      if (records.length < world.signing.length) result.unsigned++;
      else {
        const delay = random() < 0.5 ? random() * HOUR : random() * 5 * DAY;
        mail.push({ selectors: world.signing, records, at: now + delay, sent: now });
        result.sent++;
      }
    }
    const waiting: typeof mail = [];
    for (const message of mail) {
      if (message.at > now) {
        waiting.push(message);
        continue;
      }
      const resolver = resolvers[Math.floor(random() * resolvers.length)];
      const seen = message.selectors.map((selector) => resolver?.ask(selector, now));
      // A queue gives up after five days; nobody can blame the keys for servers that were all down.
      if (seen.includes(null)) {
        if (now < message.sent + 5 * DAY) waiting.push({ ...message, at: now + HOUR });
      } else if (seen.join() !== message.records.join()) {
        result.lost++;
        losses.push(
          `${new Date(now).toISOString()} ${message.selectors} sent ${new Date(message.sent).toISOString()}: ${seen}`,
        );
      }
    }
    mail = waiting;
  }
  return { ...result, revealed: world.revealed.size, changes: world.changes, crashes: world.crashes, losses };
}

/** dkimctl's own engine, killed at any boundary; its clock is set back now and then. */
export function dkimctlRotation(world: SimulatedWorld, domain: DomainName): Rotation {
  let journal = formatJournal({ domain, keys: [] });
  let lastRunAt: number | undefined;
  let clockBack = 0;
  return async (now) => {
    if (world.random() < 0.1) return; // The host is off.
    clockBack = world.chance() ? world.random() * 3 * DAY : world.random() < 0.3 ? 0 : clockBack;
    const clock = now - clockBack;
    const run = crashing(
      simulatedRotationWorld(world, now, clock, lastRunAt, (text) => {
        journal = text;
      }),
      world,
    );
    lastRunAt = Math.max(lastRunAt ?? 0, clock);
    const before = parseJournal(journal, "journal");
    try {
      await rotateDomain(
        world.chance() && world.chance() ? { ...before, rotationAskedAt: clock } : before,
        world.policy,
        run,
      );
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      world.crashes++;
    }
  };
}

/** The engine's view of the simulated world; `clock` is what it takes for now. */
export function simulatedRotationWorld(
  world: SimulatedWorld,
  now: number,
  clock: number,
  lastRunAt: number | undefined,
  write: (journal: string) => void | Promise<void>,
): RotationWorld {
  return {
    now: () => clock,
    lastRunAt,
    random: () =>
      Math.floor(world.random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0"),
    taken: async () => new Set(world.stored.keys()),
    observe: async (key) => observe(world, key, now),
    writeJournal: async (journal: Journal) => write(formatJournal(journal)),
    async makeKey({ selector }, journalWith) {
      const record = world.stored.get(selector) ?? `key ${selector} ${++world.serial}`;
      world.stored.set(selector, record);
      if (world.chance()) throw new Crash("between the key and the journal");
      const journal = journalWith({ record });
      await write(formatJournal(journal));
      return journal;
    },
    async changeRecord({ key, effect }) {
      const record = effect === "publish" ? key.record : effect === "tombstone" ? REVOKED_RECORD : undefined;
      world.publish(key.selector, record, now);
      return "done";
    },
    async prove(key) {
      const seen = observe(world, key, now);
      if (seen.kind !== "agreed" || seen.serves !== "ours") throw new OperationError("not proven");
    },
    async activate(keys) {
      world.sign(keys.map(({ selector }) => selector));
      return "done";
    },
    async destroyKey({ selector }, journal) {
      world.stored.delete(selector);
      if (world.chance()) throw new Crash("between the key and the journal");
      await write(formatJournal(journal));
    },
    async revealKey({ selector, record = "" }, journalWith) {
      if (world.stored.has(selector) && !world.revealed.has(record)) world.revealed.set(record, selector);
      if (world.chance()) throw new Crash("between the public key and the store");
      world.stored.delete(selector);
      if (world.chance()) throw new Crash("between the key and the journal");
      const journal = journalWith(world.revealed.has(record) ? "revealed" : "gone");
      await write(formatJournal(journal));
      return journal;
    },
  };
}

function observe(
  { servers, recordTtlMs }: SimulatedWorld,
  { selector, record }: RotationKey,
  now: number,
): Observation {
  const answers = Array.from({ length: SERVERS }, (_, server) => servers.ask(server, selector, now));
  const seen = new Set(answers.filter((answer) => answer !== null));
  const [served] = seen;
  const ttlSeconds = [...seen].some((answer) => answer !== undefined) ? recordTtlMs / 1000 : 0;
  if (answers.includes(null) || seen.size > 1) {
    const contradicts = [...seen].some((answer) => answer !== record);
    return { kind: "doubt", contradicts, ttlSeconds, reason: "a server is down or lags" };
  }
  const serves =
    served === undefined ? "nothing" : served === record ? "ours" : served === REVOKED_RECORD ? "revoked" : "other";
  const negativeSeconds = NEGATIVE_TTL / 1000;
  return {
    kind: "agreed",
    serves,
    ttlSeconds,
    negativeSeconds,
    servedAt: selector,
    zone: "zone",
    rrset: [],
    detail: "",
  };
}

/** Every call may be the last one of the process, before or after its effect. */
function crashing(world: RotationWorld, simulated: SimulatedWorld): RotationWorld {
  return new Proxy(world, {
    get(target, property: keyof RotationWorld) {
      const value = target[property];
      if (typeof value !== "function" || property === "now" || property === "random") return value;
      return async (...parameters: unknown[]) => {
        const fault = simulated.chance() && simulated.chance() ? simulated.random() : 1;
        if (fault < 0.5) throw new Crash("before");
        const result: unknown = await Reflect.apply(value, target, parameters);
        if (fault < 1) throw new Crash("after");
        return result;
      };
    },
  });
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
