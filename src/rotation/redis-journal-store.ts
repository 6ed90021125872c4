import type { DomainName } from "../keys/domain-name.ts";
import type { RedisConnection, RedisScript } from "../keys/redis/redis-connection.ts";
import { asText, scanFields } from "../keys/redis/redis-fields.ts";
import type { RedisKeyStore } from "../keys/redis/redis-key-store.ts";
import { type RedisNames, redisNames } from "../keys/redis/redis-names.ts";
import { SCAN_FIELDS, SCAN_PAIRS } from "../keys/redis/redis-scripts.ts";
import { parseJournalOf } from "./journal.ts";
import type { JournalStore, RotationTurn } from "./journal-store.ts";
import type { KeptLook } from "./look.ts";
import { parseLook, RedisLeases } from "./redis-lease.ts";
import type { Journal } from "./rotation-key.ts";
import { shuffled } from "./shuffled.ts";

const READ_JOURNAL: RedisScript = { lua: `return redis.call('HGET', KEYS[1], ARGV[2])` };
const READ_LAST_RUN: RedisScript = { lua: `return redis.call('GET', KEYS[1])` };
/** Of many workers the latest counts, whoever comes last. */
const RECORD_RUN: RedisScript = {
  lua: `
local before = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[2]) > before then redis.call('SET', KEYS[1], ARGV[2]) end
return 'ok'`,
};
/** In milliseconds since the epoch, as the server has it: the one clock that all workers share. */
const SERVER_TIME: RedisScript = {
  lua: `
local now = redis.call('TIME')
return string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))`,
};

/** The journals of a Redis store, in a hash beside its keys. Many workers rotate at once, each domain leased by itself. */
export class RedisJournalStore implements JournalStore {
  /** Where the signer reads the selector from Redis, the journal and that selector change as one. */
  readonly activates?: true;
  readonly #store: RedisKeyStore;
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;

  constructor(store: RedisKeyStore) {
    this.#store = store;
    this.#connection = store.connection;
    this.#names = redisNames(this.#connection.address.layout);
    if (this.#names.selectors !== undefined) this.activates = true;
  }

  locationOf(domain: DomainName): string {
    return `${this.#store.location} ${this.#names.journals} ${domain}`;
  }

  async read(domain: DomainName): Promise<Journal | undefined> {
    const reply = await this.#connection.run(READ_JOURNAL, [this.#names.journals], [domain]);
    return reply === null ? undefined : parseJournalOf(domain, asText(reply), this.locationOf(domain));
  }

  async domains(): Promise<DomainName[]> {
    const domains = new Set<DomainName>();
    for await (const field of scanFields(this.#connection, SCAN_FIELDS, [this.#names.journals])) {
      // One that is no domain has no journal that `read` would take for its own, and is told there.
      domains.add(field.toString("utf8") as DomainName);
    }
    return [...domains].sort();
  }

  async looks(): Promise<ReadonlyMap<string, KeptLook>> {
    const looks = new Map<string, KeptLook>();
    let domain: string | undefined;
    for await (const text of scanFields(this.#connection, SCAN_PAIRS, [this.#names.looks])) {
      if (domain === undefined) domain = text.toString("utf8");
      else {
        const look = parseLook(text.toString("utf8"));
        if (look !== undefined) looks.set(domain, look);
        domain = undefined;
      }
    }
    return looks;
  }

  async lastRunAt(): Promise<number | undefined> {
    const reply = await this.#connection.run(READ_LAST_RUN, [this.#names.lastRun]);
    const time = reply === null ? Number.NaN : Number(asText(reply));
    return Number.isNaN(time) ? undefined : time;
  }

  async recordRun(now: number): Promise<void> {
    await this.#connection.run(RECORD_RUN, [this.#names.lastRun], [String(now)]);
  }

  async begin(): Promise<RotationTurn> {
    const leases = new RedisLeases(this.#store);
    const now = async () => asText(await this.#connection.run(SERVER_TIME, [this.#names.fence]));
    let since = await now();
    return {
      async beginRound(domains) {
        since = await now();
        return shuffled(domains);
      },
      lease: (domain, { evenIfServed } = { evenIfServed: true }) => leases.take(domain, evenIfServed ? "" : since),
      release: () => leases.close(),
    };
  }
}
