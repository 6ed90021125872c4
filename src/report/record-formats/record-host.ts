import { OperationError } from "../../errors.ts";
import type { DomainName } from "../../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../../keys/key-name.ts";
import type { RecordFormatOptions } from "./record-format.ts";

/** A record was to be put into a zone that cannot hold it. */
export class NotInZoneError extends OperationError {
  override readonly code = "DKIM_NOT_IN_ZONE";
}

/** The zone that a domain's records go into: that of all records, else the domain's own. */
export function zoneOfRecords(
  domain: DomainName,
  { relativeTo, zoneOf = (name) => name }: RecordFormatOptions,
): DomainName {
  return relativeTo ?? zoneOf(domain);
}

/**
 * The record's name without the zone.
 * @throws {NotInZoneError} the domain is neither the zone nor below it
 */
export function hostOf(name: KeyName, zone: DomainName): string {
  const fullName = keyRecordName(name);
  if (name.domain !== zone && !name.domain.endsWith(`.${zone}`)) {
    throw new NotInZoneError(`the record ${fullName} cannot stand in the zone "${zone}"`, {
      hint: `ask for the domains of one zone, such as ".${zone}"`,
    });
  }
  return fullName.slice(0, -(zone.length + 1));
}

/**
 * The record's name with the zone, without trailing dot.
 * @param zone where the record is to stand; `undefined`: wherever
 * @throws {NotInZoneError} the domain is neither the zone nor below it
 */
export function nameInZone(name: KeyName, zone: DomainName | undefined): string {
  return zone === undefined ? keyRecordName(name) : `${hostOf(name, zone)}.${zone}`;
}
