import { OperationError } from "../../src/errors.ts";
import { parseSelectorTemplate } from "../../src/keys/selector-template.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../../src/rotation/rotation-policy.ts";
import { DAY, HOUR, MINUTE, SimulatedResolver, SimulatedServers } from "./simulated-dns.ts";
import { Mischief } from "./simulated-mischief.ts";

export { DAY, HOUR, MINUTE };

/*
 * Years of one domain's mail in a second: a fake clock, authoritative servers that lag and fail, resolvers that cache,
 * mail that is under way for up to five days, and a rotation that is killed and lied to. Every chance comes from a seed.
 */

const START = Date.parse("2026-01-01T00:00:00Z");
const LONGEST_WAY = 5 * DAY;

export interface SimulationOptions {
  readonly seed: number;
  readonly days: number;
  /** Chance of a fault at each opportunity. */
  readonly faults: number;
  readonly policy?: Partial<RotationPolicy>;
  /** Whether people do harm too: in the zone, in the store, with the settings and the clock. */
  readonly mischief?: boolean;
  /** How long the zone's "no" is kept; default 6 h. */
  readonly negativeMs?: number;
  /** Whether the selectors are CNAMEs into a provider's zone. */
  readonly delegated?: boolean;
  /** The TTL of records; default an hour. */
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

export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a policy can do to the simulated world, faults included. */
export class SimulatedWorld {
  readonly servers: SimulatedServers;
  readonly random: () => number;
  /** Private keys by selector: their records. */
  readonly stored = new Map<string, string>();
  /** Records of keys whose private halves are public, with their selectors. */
  readonly revealed = new Map<string, string>();
  policy: RotationPolicy;
  readonly faults: number;
  readonly delegated: boolean;
  readonly mischief: Mischief | undefined;
  signing: readonly string[] = [];
  readonly everSigned = new Set<string>();
  /** Records of keys that leaked: nobody promises that mail signed with them arrives. */
  readonly leaked = new Set<string>();
  /** Changes that the publisher has accepted and will make later, in order. */
  readonly #late: { readonly selector: string; readonly record: string | undefined; readonly at: number }[] = [];
  changes = 0;
  crashes = 0;
  serial = 0;

  constructor(options: SimulationOptions) {
    this.random = seededRandom(options.seed);
    this.faults = options.faults;
    this.delegated = options.delegated ?? false;
    this.servers = new SimulatedServers(this.random, options.faults, {
      negativeMs: options.negativeMs ?? 6 * HOUR,
      ttlMs: options.recordTtlMs ?? HOUR,
    });
    if (this.delegated) this.servers.move("a", () => false, 0);
    this.policy = { ...DEFAULT_POLICY, selector: parseSelectorTemplate("k{n}"), ...options.policy };
    this.mischief = options.mischief ? new Mischief(this, seededRandom(~options.seed)) : undefined;
  }

  chance(): boolean {
    return this.random() < this.faults;
  }

  publish(selector: string, record: string | undefined, now: number): void {
    const fault = this.chance() ? Math.floor(this.random() * (this.mischief ? 4 : 3)) : undefined;
    if (fault === 0) throw new OperationError("the publisher failed");
    if (fault === 1) return; // It lies.
    if (fault === 3 || this.#late.length > 0) {
      const at = Math.max(now + this.random() * 10 * HOUR, this.#late.at(-1)?.at ?? 0);
      this.#late.push({ selector, record, at });
      return;
    }
    this.#change(selector, record, now);
    if (fault === 2) throw new OperationError("the answer was lost");
  }

  #change(selector: string, record: string | undefined, now: number): void {
    const name = this.servers.targetOf(selector);
    if (this.servers.current.get(name) !== record) this.servers.change(name, record, now);
  }

  /** Whether the publisher has accepted what it has not made yet. */
  get isLate(): boolean {
    return this.#late.length > 0;
  }

  /** What the publisher had put off. */
  publishLate(now: number): void {
    for (let first = this.#late[0]; first !== undefined && first.at <= now; first = this.#late[0]) {
      this.#late.shift();
      this.#change(first.selector, first.record, now);
    }
  }

  sign(selectors: readonly string[]): void {
    const fails = this.chance();
    // With mischief, it may not even be put back.
    if (fails && (this.mischief === undefined || this.random() < 0.5)) throw new OperationError("the reload failed");
    if (this.signing.join() !== selectors.join()) this.changes++;
    this.signing = selectors;
    for (const selector of selectors) this.everSigned.add(this.stored.get(selector) ?? "");
    if (fails) throw new OperationError("the reload failed, and the signer uses the new keys");
  }

  /** Whether mail may be under way that was signed with the key that has this name now. */
  hasSigned(selector: string): boolean {
    return this.everSigned.has(this.stored.get(selector) ?? "");
  }

  /** Somebody restores an old zone: records of keys that never signed are lost. */
  rollBack(now: number): void {
    for (const [name, record] of this.servers.current) {
      if (record.startsWith("key ") && !this.everSigned.has(record) && this.chance() && this.chance()) {
        this.servers.change(name, undefined, now);
      }
    }
  }
}

interface Message {
  readonly selectors: readonly string[];
  readonly records: readonly string[];
  readonly sent: number;
}

/** Public private keys with which a receiver would still verify: a server or a cache has their records. */
function forgeableKeys(world: SimulatedWorld, resolvers: readonly SimulatedResolver[], now: number) {
  if (world.revealed.size === 0) return [];
  const served = world.servers.served(now).filter(([selector, record]) => world.revealed.get(record) === selector);
  const held = resolvers.flatMap((resolver) => resolver.held(now)).filter((record) => world.revealed.has(record));
  return new Map([...served, ...held.map((record) => [world.revealed.get(record) ?? "", record] as const)]);
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new SimulatedWorld(options);
  const { random, servers } = world;
  // The last one keeps what it has for an hour at least: no longer than the margin.
  const resolvers = [0, 0, options.mischief ? HOUR : 0].map((least) => new SimulatedResolver(servers, random, least));
  const anyResolver = () => resolvers[Math.floor(random() * resolvers.length)];
  const rotation = options.rotate(world);
  /** By the hour of their arrival. */
  const mail = new Map<number, Message[]>();
  const post = (message: Message, hour: number) => {
    const others = mail.get(hour);
    if (others === undefined) mail.set(hour, [message]);
    else others.push(message);
  };
  const result = { sent: 0, lost: 0, unsigned: 0, forgeable: 0 };
  const losses: string[] = [];
  for (let hour = 0; hour < options.days * 24; hour++) {
    const now = START + hour * HOUR;
    servers.breakDown(now);
    world.rollBack(now);
    world.publishLate(now);
    world.mischief?.strike(now);
    await rotation(now);
    for (const [selector, record] of forgeableKeys(world, resolvers, now)) {
      result.forgeable++;
      losses.push(`${new Date(now).toISOString()} ${selector} of ${record} is public, and can still be verified with`);
    }
    // Somebody curious asks for names that are not in use yet, and so fills caches with "no".
    for (const name of world.stored.keys()) {
      if (!world.signing.includes(name) && random() < 0.3) anyResolver()?.ask(name, now);
    }
    for (const name of world.mischief?.guesses(now) ?? []) anyResolver()?.lookup(name, now);
    if (world.signing.length > 0) {
      const records = world.signing.flatMap((selector) => world.stored.get(selector) ?? []);
      if (records.length < world.signing.length) result.unsigned++;
      else {
        const delay = random() < 0.5 ? random() * HOUR : random() * LONGEST_WAY;
        post({ selectors: world.signing, records, sent: now }, hour + Math.max(1, Math.ceil(delay / HOUR)));
        result.sent++;
      }
    }
    for (const message of mail.get(hour) ?? []) {
      const resolver = anyResolver();
      const seen = message.selectors.map((selector) => resolver?.ask(selector, now));
      const isGood = message.records.every((record, index) => seen[index] === record || world.leaked.has(record));
      if (isGood) continue;
      // A queue gives up after five days; nobody can blame the keys for servers that were all down.
      if (seen.includes(null)) {
        if (now < message.sent + LONGEST_WAY) post(message, hour + 1);
      } else {
        result.lost++;
        const when = `${new Date(now).toISOString()} ${message.selectors} sent ${new Date(message.sent).toISOString()}`;
        losses.push(`${when}: ${seen}`);
      }
    }
    mail.delete(hour);
  }
  return { ...result, revealed: world.revealed.size, changes: world.changes, crashes: world.crashes, losses };
}
