import type { KeyName } from "../key-name.ts";
import { hashTag, type RedisLayout } from "./redis-address.ts";

/** The names in Redis of all that a store keeps. In a cluster they are on one node, so that a script may change them together. */
export interface RedisNames {
  /** What signers read: `<selector>.<domain>` to the private key. */
  readonly keys: string;
  /** What mailcow reads: `<domain>` to the selector that signs. */
  readonly selectors: string | undefined;
  /** `<selector>.<domain>` to what we know of a key that we have stored. */
  readonly about: string;
  /** A sorted set of `<domain> <selector>`: the keys that we have stored, in the order of listings. */
  readonly order: string;
  /** What was replaced: `<selector>.<domain> <time>` to the private key. */
  readonly backups: string;
  /** `<domain>` to its journal. */
  readonly journals: string;
  /** `<domain>` to when it was found as it should be: the look that lets others pass it over. */
  readonly looks: string;
  /** When a run was last, in milliseconds since the epoch. */
  readonly lastRun: string;
  /** The number of the last lease. */
  readonly fence: string;
  /** Written and removed to see whether we may. */
  readonly probe: string;
  lease(domain: string): string;
}

/** All names of a store with this layout. */
export function redisNames({ keys, selectors, prefix }: RedisLayout): RedisNames {
  const own = (name: string) => `${prefix}{${hashTag(keys)}}:${name}`;
  return {
    keys,
    selectors,
    about: own("about"),
    order: own("order"),
    backups: own("backups"),
    journals: own("journals"),
    looks: own("looks"),
    lastRun: own("last-run"),
    fence: own("fence"),
    probe: own("probe"),
    lease: (domain) => own(`lease:${domain}`),
  };
}

/** The field of a key in rspamd's hash. */
export function keyField({ domain, selector }: KeyName): string {
  return `${selector}.${domain}`;
}

/** A member of the sorted set: a space comes before every character of a name, so that the order is that of listings. */
export function orderMember({ domain, selector }: KeyName): string {
  return `${domain} ${selector}`;
}
