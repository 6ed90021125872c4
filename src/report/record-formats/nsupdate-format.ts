import { quoteTxtStrings } from "../../dns/txt-strings.ts";
import { type RecordFormat, type RecordFormatOptions, recordText } from "./record-format.ts";
import { nameInZone } from "./record-host.ts";

/**
 * Input of BIND's nsupdate(1): one transaction for each record, so that nsupdate finds the zone of each by itself and one
 * refusal stops no other. `server` and the TSIG key (`nsupdate -k`) are the caller's to give. Strings are those of master
 * files (RFC 1035 §5.1).
 *
 * Sent twice it does no harm: the record takes the place of what was there (RFC 2136 §2.5.2, §2.5.1). Where the name is a
 * CNAME the server says so (§2.4.3), instead of dropping the record without a word as §3.4.2.2 has it.
 */
export function nsupdateFormat({ relativeTo }: RecordFormatOptions): RecordFormat {
  return {
    record(record) {
      const name = `${nameInZone(record.name, relativeTo)}.`;
      const zone = relativeTo === undefined ? "" : `zone ${relativeTo}.\n`;
      const strings = quoteTxtStrings(recordText(record), " ");
      return (
        `${zone}prereq nxrrset ${name} IN CNAME\n` +
        `update delete ${name} IN TXT\n` +
        `update add ${name} ${record.ttlSeconds} IN TXT ${strings}\n` +
        "send\n"
      );
    },
  };
}
