import type { RotationPolicy } from "../../src/rotation/rotation-policy.ts";
import type { SimulatedWorld } from "./rotation-simulation.ts";
import { DAY, HOUR, MINUTE, WILDCARD } from "./simulated-dns.ts";

/*
 * What people do to a domain behind the back of its rotation. Nothing here touches the record of a key that has signed:
 * no program can help that. And nothing ends before a run could see it: what nobody saw, nobody can know.
 */
export class Mischief {
  readonly #world: SimulatedWorld;
  readonly #random: () => number;
  /** What is to be set right again, once a run has seen it. */
  readonly #wrongs: { undo: (now: number) => void; seen: boolean }[] = [];
  #ttlSeen = true;
  #ttlAt = 0;
  #wildcardEnd = 0;
  #serialSeen = 0;
  #moves = 0;
  #copiedAt: number | undefined;
  /** Somebody has removed the journal. */
  journalIsLost = false;
  /** `--compromised`. */
  readonly compromised = new Set<string>();

  constructor(world: SimulatedWorld, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  #happens(daysBetween: number): boolean {
    return this.#random() < this.#world.faults / daysBetween;
  }

  /** A run has looked at everything and was not killed. */
  seen(): void {
    for (const wrong of this.#wrongs) wrong.seen = true;
    this.#ttlSeen = true;
    this.#serialSeen = this.#world.serial;
  }

  strike(now: number): void {
    for (const wrong of this.#wrongs.splice(0)) {
      if (wrong.seen && this.#random() < 0.2) wrong.undo(now);
      else this.#wrongs.push(wrong);
    }
    if (this.#happens(10)) this.#addSecondRecord(now);
    if (this.#happens(30)) this.#addWildcard(now);
    // With the journal goes what was known of TTLs before.
    const isTtlKnown = this.#ttlSeen && this.#serialSeen === this.#world.serial && !this.journalIsLost;
    if (this.#happens(8) && isTtlKnown) this.#changeTtl(now);
    if (this.#world.delegated) this.#move(now);
    if (this.#happens(20)) this.#world.policy = { ...this.#world.policy, ...this.#otherPolicy() };
    if (this.#happens(20)) this.#deleteKey();
    // With it goes too what a publisher was asked for and has not made yet.
    const wouldDeceive = now <= this.#ttlAt + 7 * DAY || this.#world.isLate;
    if (this.#happens(60) && !wouldDeceive) this.journalIsLost = true;
    if (this.#happens(60)) this.#leak();
  }

  /** Names that somebody asks for before there is anything. */
  guesses(now: number): readonly string[] {
    const { servers, stored, policy, delegated } = this.#world;
    // Of what a wildcard told them, only those could know who had looked at the name then.
    if (servers.current.has(WILDCARD) || now < this.#wildcardEnd + 3 * DAY) return [];
    if (delegated)
      return [...stored.keys()].filter((name) => this.#isUnused(name)).map((name) => this.#nextPlace(name));
    return (policy.selectorRing ?? []).filter(() => this.#random() < 0.1);
  }

  #isUnused(selector: string): boolean {
    return !this.#world.hasSigned(selector);
  }

  #any<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  #addSecondRecord(now: number): void {
    const { servers, stored } = this.#world;
    const selector = this.#any([...stored.keys()].filter((name) => this.#isUnused(name)));
    if (selector === undefined) return;
    const name = servers.targetOf(selector);
    const record = servers.current.get(name);
    servers.change(name, `${record ?? ""}\nsomebody's`, now);
    // An empty place is left: whoever tidies up removes too much.
    const undo = (later: number) => {
      if (servers.current.get(name)?.includes("\n")) servers.change(name, undefined, later);
    };
    this.#wrongs.push({ undo, seen: false });
  }

  #addWildcard(now: number): void {
    const { servers } = this.#world;
    if (servers.current.has(WILDCARD)) return;
    servers.change(WILDCARD, "somebody's", now);
    const undo = (later: number) => {
      servers.change(WILDCARD, undefined, later);
      this.#wildcardEnd = later;
    };
    this.#wrongs.push({ undo, seen: false });
  }

  #changeTtl(now: number): void {
    const ttlMs = this.#any([5 * MINUTE, HOUR, DAY, 5 * DAY]) ?? HOUR;
    const negativeMs = this.#any([5 * MINUTE, HOUR, 6 * HOUR, 2 * DAY]) ?? HOUR;
    // A "no" for a name that can be guessed may be older than any look at it.
    this.#world.servers.changeTtl(this.#world.policy.selectorRing ? { ttlMs } : { ttlMs, negativeMs }, now);
    this.#ttlSeen = false;
    this.#ttlAt = now;
  }

  #nextPlace(selector: string): string {
    return `${selector}@p${this.#moves + 1}`;
  }

  #move(now: number): void {
    const { servers, everSigned } = this.#world;
    const place = `p${this.#moves + 1}`;
    const missing = () =>
      [...servers.atHome()].some(
        ([name, record]) => everSigned.has(record) && servers.current.get(`${name}@${place}`) !== record,
      );
    // Whoever moves keys that sign lets all servers and caches know them at the new place first.
    if (this.#copiedAt === undefined ? this.#happens(10) : missing()) {
      this.#copiedAt = now;
      servers.copy(place, now);
    }
    if (this.#copiedAt === undefined || now < this.#copiedAt + 5 * DAY || !this.#ttlSeen) return;
    this.#copiedAt = undefined;
    servers.move(`p${++this.#moves}`, (record) => everSigned.has(record), now);
    this.#ttlSeen = false;
  }

  #otherPolicy(): Partial<RotationPolicy> {
    const days = (least: number, most: number) => Math.round(least + this.#random() * (most - least)) * DAY;
    const changes: readonly (() => Partial<RotationPolicy>)[] = [
      () => ({ overlapMs: days(5, 14) }),
      () => ({ marginMs: Math.round(1 + this.#random() * 5) * HOUR }),
      () => ({ periodMs: days(2, 60) }),
      () => ({ tombstoneMs: days(0, 30) }),
      () => ({ standby: this.#random() < 0.5 }),
      () => ({ algorithms: this.#any([["rsa"], ["ed25519"], ["rsa", "ed25519"]] as const) ?? ["rsa"] }),
    ];
    return this.#any(changes)?.() ?? {};
  }

  #deleteKey(): void {
    const { stored, signing } = this.#world;
    const selector = this.#any([...stored.keys()].filter((name) => !signing.includes(name)));
    if (selector !== undefined) stored.delete(selector);
  }

  #leak(): void {
    const selector = this.#any([...this.#world.stored.keys()]);
    if (selector !== undefined) this.compromised.add(selector);
  }
}
