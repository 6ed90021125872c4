import { isoTime, type KeyStatus } from "./key-status.ts";

const STATUS_SCHEMA = "dkimctl/status/1";

/** One document; members are only ever added. */
export function renderStatusJson(keys: readonly KeyStatus[]): string {
  const list = keys.map((key) => ({
    domain: key.domain,
    selector: key.selector,
    algorithm: key.algorithm,
    bits: key.bits ?? null,
    state: key.state,
    since: isoTime(key.since),
    provenSince: isoTime(key.provenSince),
    compromisedAt: isoTime(key.compromisedAt),
    next: key.next,
    due: isoTime(key.due),
  }));
  return `${JSON.stringify({ schema: STATUS_SCHEMA, keys: list }, undefined, 2)}\n`;
}
