import { OperationError } from "../../errors.ts";
import type { DomainName } from "../../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../../keys/key-name.ts";
import { type RecordFormat, recordText } from "./record-format.ts";

/** A record was to be named relative to a zone that does not hold it. */
export class NotInZoneError extends OperationError {
  override readonly code = "DKIM_NOT_IN_ZONE";
}

/**
 * For a provider's web form: host, TAB, value, one record a line.
 * @param relativeTo the zone that the form belongs to; the host is then given without it, as most forms want it
 */
export function plainFormat({ relativeTo }: { readonly relativeTo?: DomainName | undefined } = {}): RecordFormat {
  return { record: (record) => `${hostOf(record.name, relativeTo)}\t${recordText(record)}\n` };
}

/**
 * The record's name, without the zone when one is given.
 * @throws {NotInZoneError} the domain is neither the zone nor below it
 */
export function hostOf(name: KeyName, zone: DomainName | undefined): string {
  const fullName = keyRecordName(name);
  if (zone === undefined) return fullName;
  if (name.domain !== zone && !name.domain.endsWith(`.${zone}`)) {
    throw new NotInZoneError(`the record ${fullName} cannot stand in the zone "${zone}"`, {
      hint: `ask for the domains of one zone, such as ".${zone}"`,
    });
  }
  return fullName.slice(0, -(zone.length + 1));
}
