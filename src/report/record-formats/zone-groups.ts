import type { DomainName } from "../../keys/domain-name.ts";
import type { RecordFormatOptions, RecordToPrint } from "./record-format.ts";
import { hostOf, zoneOfRecords } from "./record-host.ts";

export interface HostedRecord {
  /** The record's name without the zone. */
  readonly host: string;
  readonly record: RecordToPrint;
}

/**
 * Records by the zone that they go into, for tools that take one zone at a time. Keys come in the order of their domains,
 * in which a zone is not in one piece: a.example.com and example.com have other.example between them.
 */
export class ZoneGroups {
  readonly #zones = new Map<DomainName, HostedRecord[]>();
  readonly #options: RecordFormatOptions;

  constructor(options: RecordFormatOptions) {
    this.#options = options;
  }

  /** @throws {NotInZoneError} */
  add(record: RecordToPrint): void {
    const zone = zoneOfRecords(record.name.domain, this.#options);
    const hosted = { host: hostOf(record.name, zone), record };
    const records = this.#zones.get(zone);
    if (records === undefined) this.#zones.set(zone, [hosted]);
    else records.push(hosted);
  }

  get size(): number {
    return this.#zones.size;
  }

  [Symbol.iterator](): IterableIterator<[DomainName, readonly HostedRecord[]]> {
    return this.#zones[Symbol.iterator]();
  }
}
