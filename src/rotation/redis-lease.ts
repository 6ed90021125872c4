import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { NewKey } from "../keys/key-store.ts";
import { StoreUnavailableError } from "../keys/key-store-errors.ts";
import type { RedisScript } from "../keys/redis/redis-connection.ts";
import { asList, asText } from "../keys/redis/redis-fields.ts";
import type { RedisKeyStore } from "../keys/redis/redis-key-store.ts";
import { keyField, orderMember, type RedisNames, redisNames } from "../keys/redis/redis-names.ts";
import { CREATE_KEY_LEASED, REMOVE_KEY_LEASED, WRITE_JOURNAL_LEASED } from "../keys/redis/redis-scripts.ts";
import { formatJournal } from "./journal.ts";
import { type DomainLease, LeaseLostError } from "./journal-store.ts";
import type { KeptLook } from "./look.ts";
import type { Journal } from "./rotation-key.ts";

/*
 * A lease is a key of Redis that runs out: `<number> <owner>`, the number one that no other lease has or had (the fencing
 * token), the owner unique to this taking of it. The server's clock alone decides when it has run out. Every write is a
 * script that compares the whole text first. When a domain was served the key stays for a while as `served <time>`.
 */

/** KEYS lease, fence. ARGV owner, milliseconds, since. @returns the token; `busy`; `served` at or after `since` */
const TAKE: RedisScript = {
  lua: `
local there = redis.call('GET', KEYS[1])
if there then
  local served = string.match(there, '^served (%d+)$')
  if served then
    if ARGV[4] ~= '' and tonumber(served) >= tonumber(ARGV[4]) then return 'served' end
  elseif ARGV[1] == '1' and string.match(there, '^%d+ (.*)$') == ARGV[2] then
    return there
  else
    return 'busy'
  end
end
local token = redis.call('INCR', KEYS[2]) .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], token, 'PX', ARGV[3])
return token`,
};

/** KEYS leases. ARGV milliseconds, then their tokens. @returns 1 for each that is still held */
const RENEW: RedisScript = {
  // What must not be left half-way, such as a signer that is put back, may take longer than the lease.
  atEnd: true,
  lua: `
local held = {}
for i, lease in ipairs(KEYS) do
  if redis.call('GET', lease) == ARGV[i + 2] then held[i] = redis.call('PEXPIRE', lease, ARGV[2]) else held[i] = 0 end
end
return held`,
};

/** KEYS lease, looks. ARGV token, how long to remember that it was served, or 0, the domain, its look, or "". */
const RELEASE: RedisScript = {
  atEnd: true,
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 'lost' end
if ARGV[5] == '' then redis.call('HDEL', KEYS[2], ARGV[4]) else redis.call('HSET', KEYS[2], ARGV[4], ARGV[5]) end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1]) return 'ok' end
local now = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('served %.0f', now[1] * 1000 + math.floor(now[2] / 1000)), 'PX', ARGV[3])
return 'ok'`,
};

/** Longer than a round takes. */
const SERVED_MS = 86_400_000;

/** The leases that one worker holds, kept alive together until they are released. */
export class RedisLeases {
  readonly store: RedisKeyStore;
  readonly names: RedisNames;
  readonly #held = new Map<string, RedisLease>();
  readonly #leaseMs: number;
  readonly #timer: NodeJS.Timeout;
  #renewing = false;

  constructor(store: RedisKeyStore) {
    const { layout, leaseMs } = store.connection.address;
    this.store = store;
    this.names = redisNames(layout);
    this.#leaseMs = leaseMs;
    this.#timer = setInterval(() => this.#renew(), leaseMs / 3);
    this.#timer.unref();
  }

  /** @param since of the server's clock: one that was served since then is not wanted; "": it is wanted all the same */
  async take(domain: DomainName, since: string): Promise<RedisLease | undefined> {
    const owner = `${hostname()}/${process.pid}/${randomUUID()}`;
    const keys = [this.names.lease(domain), this.names.fence];
    const token = asText(await this.store.connection.run(TAKE, keys, [owner, String(this.#leaseMs), since]));
    if (token === "busy" || token === "served") return undefined;
    const lease = new RedisLease(this, domain, token);
    this.#held.set(this.names.lease(domain), lease);
    return lease;
  }

  async release(domain: DomainName, token: string, served: boolean, look: KeptLook | undefined): Promise<void> {
    const key = this.names.lease(domain);
    const lookText = served && look !== undefined ? formatLook(look) : "";
    this.#held.delete(key);
    try {
      await this.store.connection.run(
        RELEASE,
        [key, this.names.looks],
        [token, served ? String(SERVED_MS) : "0", domain, lookText],
      );
    } catch (error) {
      // What was done stands; the lease runs out by itself.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#held.values()].map((lease) => lease.release()));
  }

  /** One that cannot be renewed runs out; then every write is refused. */
  async #renew(): Promise<void> {
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = true;
    try {
      const held = [...this.#held];
      const tokens = held.map(([, { token }]) => token);
      const keys = held.map(([key]) => key);
      const answers = asList(await this.store.connection.run(RENEW, keys, [String(this.#leaseMs), ...tokens]));
      for (const [index, [key, lease]] of held.entries()) {
        if (answers[index] === 0 && this.#held.get(key) === lease) this.#held.delete(key);
      }
    } catch {
      // The next write tells of it, and of why.
    } finally {
      this.#renewing = false;
    }
  }
}

class RedisLease implements DomainLease {
  readonly token: string;
  readonly #leases: RedisLeases;
  readonly #domain: DomainName;

  constructor(leases: RedisLeases, domain: DomainName, token: string) {
    this.#leases = leases;
    this.#domain = domain;
    this.token = token;
  }

  async writeJournal(journal: Journal): Promise<void> {
    await this.#change(WRITE_JOURNAL_LEASED, ["", "", "", ""], journal);
  }

  async createKey(name: KeyName, key: NewKey, journal: Journal): Promise<void> {
    const { store } = this.#leases;
    if ((await this.#change(CREATE_KEY_LEASED, store.entry(name, key), journal)) === "taken")
      throw store.existsError(name);
  }

  async removeKey(name: KeyName, journal: Journal): Promise<void> {
    await this.#change(REMOVE_KEY_LEASED, [keyField(name), "", "", orderMember(name)], journal);
  }

  release(served = false, look?: KeptLook): Promise<void> {
    return this.#leases.release(this.#domain, this.token, served, look);
  }

  async #change(script: RedisScript, entry: readonly string[], journal: Journal): Promise<string> {
    const { names, store } = this.#leases;
    const { keys, about, order, journals, looks, selectors } = names;
    const signing = selectors === undefined ? "" : (signingSelector(journal) ?? "");
    const answer = asText(
      await store.connection.run(
        script,
        [
          keys,
          about,
          order,
          names.lease(this.#domain),
          journals,
          looks,
          ...(selectors === undefined ? [] : [selectors]),
        ],
        [...entry, this.token, this.#domain, formatJournal(journal), signing],
      ),
    );
    if (answer !== "lost") return answer;
    throw new LeaseLostError(`another worker has taken ${this.#domain} over, since this one was not heard of in time`, {
      hint: "nothing was written; the other worker goes on from what it found",
    });
  }
}

function formatLook({ at, until, settings }: KeptLook): string {
  return `${at} ${until} ${settings}`;
}

/** @returns `undefined`: it is none, and as good as none */
export function parseLook(text: string): KeptLook | undefined {
  const [at, until, settings = ""] = text.split(" ");
  const look = { at: Number(at), until: Number(until), settings };
  return Number.isFinite(look.at + look.until) ? look : undefined;
}

/** The one that a hash of selectors names: of two that sign together, the one that every receiver verifies. */
function signingSelector({ keys }: Journal): string | undefined {
  const active = keys.filter(({ state }) => state === "active");
  return (active.find(({ algorithm }) => algorithm === "rsa") ?? active[0])?.selector;
}
