import type { Observation } from "../../src/rotation/observation.ts";
import type { RotationKey } from "../../src/rotation/rotation-key.ts";
import { REVOKED_RECORD } from "../../src/rotation/rotation-world.ts";

/*
 * The DNS of a simulated domain. A zone maps owner names to TXT data; two records at one name are joined by a line feed.
 * WILDCARD answers for every name that has nothing of its own. Where there is an ALIAS, every selector is a CNAME to the
 * name `selector@alias`.
 */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const WILDCARD = "*";
export const ALIAS = "CNAME";
const SERVERS = 3;

/** What the servers have at one moment. */
interface Version {
  readonly zone: ReadonlyMap<string, string>;
  /** The record of each selector, where the CNAMEs lead to now. */
  readonly atHome: ReadonlyMap<string, string>;
  readonly ttlMs: number;
  readonly negativeMs: number;
  /** From when on each server has it. */
  readonly from: number[];
}

interface Answer {
  readonly record: string | undefined;
  readonly ttlMs: number;
}

/** Authoritative servers: the first has a change at once, the others when the transfer has come through. */
export class SimulatedServers {
  #versions: Version[];
  readonly #upFrom: number[] = Array(SERVERS).fill(0);
  readonly #random: () => number;
  readonly #faults: number;

  constructor(
    random: () => number,
    faults: number,
    { ttlMs, negativeMs }: { readonly ttlMs: number; readonly negativeMs: number },
  ) {
    this.#random = random;
    this.#faults = faults;
    this.#versions = [{ zone: new Map(), atHome: new Map(), ttlMs, negativeMs, from: Array(SERVERS).fill(0) }];
  }

  change(name: string, record: string | undefined, now: number): void {
    const zone = new Map(this.#latest.zone);
    if (record === undefined) zone.delete(name);
    else zone.set(name, record);
    this.#push({ ...this.#latest, zone }, now);
  }

  /** Somebody raises or lowers the TTLs of the zone. */
  changeTtl(ttls: { readonly ttlMs?: number; readonly negativeMs?: number }, now: number): void {
    this.#push({ ...this.#latest, ...ttls }, now);
  }

  #push(version: Omit<Version, "atHome" | "from">, now: number): void {
    const from = this.#upFrom.map((up, server) => {
      const slow = this.#random() < this.#faults ? this.#random() * 2 * DAY : this.#random() * 5 * MINUTE;
      // A transfer that is under way brings what the primary has when it comes through, not an older state.
      const underWay = this.#versions.flatMap((old) => ((old.from[server] ?? 0) > now ? (old.from[server] ?? []) : []));
      return server === 0 ? now : Math.min(Math.max(now, up) + slow, ...underWay);
    });
    // What every server has replaced is asked for no more.
    const oldest = this.#versions.findLastIndex((old) => old.from.every((time) => time <= now));
    this.#versions = [
      ...this.#versions.slice(Math.max(0, oldest)),
      { ...version, atHome: recordsAtHome(version.zone), from },
    ];
  }

  get #latest(): Version {
    const latest = this.#versions.at(-1);
    if (latest === undefined) throw new RangeError("there is always a version");
    return latest;
  }

  /** What the primary has. */
  get current(): ReadonlyMap<string, string> {
    return this.#latest.zone;
  }

  /** Where the record of a selector stands. */
  targetOf(selector: string): string {
    return nameAt(selector, this.current.get(ALIAS));
  }

  /** Selectors and what stands where the CNAMEs lead to. */
  atHome(): ReadonlyMap<string, string> {
    return this.#latest.atHome;
  }

  /** Somebody copies what is there to another provider, to move there later. */
  copy(alias: string, now: number): void {
    const zone = new Map(this.current);
    for (const [selector, record] of this.atHome()) zone.set(nameAt(selector, alias), record);
    this.#push({ ...this.#latest, zone }, now);
  }

  /** Somebody moves the domain to another provider, with all that is there; the old one keeps what `isKept` says. */
  move(alias: string, isKept: (record: string) => boolean, now: number): void {
    const zone = new Map([[ALIAS, alias]]);
    // What was copied there earlier and has gone since is not brought back: no program could help that.
    for (const [name, record] of this.current) {
      if (name === WILDCARD || (isKept(record) && !name.endsWith(`@${alias}`))) zone.set(name, record);
    }
    for (const [selector, record] of this.atHome()) zone.set(nameAt(selector, alias), record);
    this.#push({ ...this.#latest, zone }, now);
  }

  breakDown(now: number): void {
    for (let server = 0; server < SERVERS; server++) {
      if (this.#random() < this.#faults / 10) this.#upFrom[server] = now + this.#random() * 12 * HOUR;
    }
  }

  /** `undefined`: no answer. */
  #versionAt(server: number, now: number): Version | undefined {
    if (now < (this.#upFrom[server] ?? 0)) return undefined;
    for (let index = this.#versions.length - 1; index >= 0; index--) {
      const version = this.#versions[index];
      if (version !== undefined && (version.from[server] ?? 0) <= now) return version;
    }
    return undefined;
  }

  /** Selectors and their records as each server that answers has them. */
  served(now: number): readonly (readonly [string, string])[] {
    return this.#upFrom.flatMap((_, server) => [...(this.#versionAt(server, now)?.atHome ?? [])]);
  }

  /** `null`: no answer. */
  ask(server: number, name: string, now: number): Answer | null {
    const version = this.#versionAt(server, now);
    if (version === undefined) return null;
    const { zone, ttlMs, negativeMs } = version;
    const record = name.startsWith(ALIAS) ? zone.get(ALIAS) : (zone.get(name) ?? zone.get(WILDCARD));
    return { record, ttlMs: record === undefined ? negativeMs : ttlMs };
  }

  /** What `observeKey` would conclude from asking all of them. */
  observe({ selector, record }: Pick<RotationKey, "selector" | "record">, now: number): Observation {
    let [isDown, disagree, contradicts] = [false, false, false];
    let [ttlMs, negativeMs] = [0, 0];
    let [served, servedAt]: (string | undefined)[] = [];
    for (let server = 0; server < SERVERS; server++) {
      const version = this.#versionAt(server, now);
      if (version === undefined) {
        isDown = true;
        continue;
      }
      const { zone } = version;
      const name = nameAt(selector, zone.get(ALIAS));
      const text = zone.get(name) ?? zone.get(WILDCARD) ?? "";
      if (served !== undefined && (name !== servedAt || text !== served)) disagree = true;
      servedAt = name;
      served = text;
      if (served !== record) contradicts = true;
      if (served !== "" || zone.has(ALIAS)) ttlMs = Math.max(ttlMs, version.ttlMs);
      negativeMs = Math.max(negativeMs, version.negativeMs);
    }
    const ttlSeconds = ttlMs / 1000;
    const negativeSeconds = negativeMs / 1000;
    if (isDown || disagree || served === undefined || servedAt === undefined)
      return { kind: "doubt", contradicts, ttlSeconds, negativeSeconds, reason: "a server is down or lags" };
    const isWildcard = served !== record && served !== "" && served === this.#latest.zone.get(WILDCARD);
    const serves =
      served === "" || isWildcard
        ? "nothing"
        : served === record
          ? "ours"
          : served === REVOKED_RECORD
            ? "revoked"
            : "other";
    return { kind: "agreed", serves, ttlSeconds, negativeSeconds, servedAt, zone: "zone", rrset: [], detail: "" };
  }
}

function recordsAtHome(zone: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const alias = zone.get(ALIAS);
  if (alias === undefined) return zone;
  const home = `@${alias}`;
  return new Map(
    [...zone].flatMap(([name, record]) => (name.endsWith(home) ? [[name.slice(0, -home.length), record]] : [])),
  );
}

function nameAt(selector: string, alias: string | undefined): string {
  return alias === undefined ? selector : `${selector}@${alias}`;
}

/** A resolver of receivers, with a cache. */
export class SimulatedResolver {
  readonly #cache = new Map<string, { record: string | undefined; until: number }>();
  /** Until when each record is in the cache, under any name. */
  readonly #until = new Map<string, number>();
  readonly #servers: SimulatedServers;
  readonly #random: () => number;
  readonly #leastMs: number;

  /** @param leastMs every answer is kept for so long at least, whatever its TTL */
  constructor(servers: SimulatedServers, random: () => number, leastMs = 0) {
    this.#servers = servers;
    this.#random = random;
    this.#leastMs = leastMs;
  }

  /** The records in the cache. */
  held(now: number): readonly string[] {
    for (const [record, until] of this.#until) if (until <= now) this.#until.delete(record);
    return [...this.#until.keys()];
  }

  /** `null`: SERVFAIL; the mail is tried again later. */
  ask(selector: string, now: number): string | undefined | null {
    if (!this.#servers.current.has(ALIAS)) return this.lookup(selector, now);
    const alias = this.lookup(`${ALIAS} ${selector}`, now);
    return alias === null ? null : this.lookup(nameAt(selector, alias), now);
  }

  /** One name, without following anything. */
  lookup(name: string, now: number): string | undefined | null {
    const cached = this.#cache.get(name);
    if (cached !== undefined && now < cached.until) return cached.record;
    const first = Math.floor(this.#random() * SERVERS);
    for (let turn = 0; turn < SERVERS; turn++) {
      const answer = this.#servers.ask((first + turn) % SERVERS, name, now);
      if (answer === null) continue;
      const { record } = answer;
      const until = now + Math.max(answer.ttlMs, this.#leastMs);
      this.#cache.set(name, { record, until });
      if (record !== undefined) this.#until.set(record, Math.max(until, this.#until.get(record) ?? 0));
      return record;
    }
    return null;
  }
}
