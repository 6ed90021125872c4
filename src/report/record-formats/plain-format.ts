import { keyRecordName } from "../../keys/key-name.ts";
import { type RecordFormat, type RecordFormatOptions, recordText } from "./record-format.ts";
import { hostOf } from "./record-host.ts";

/** For a provider's web form: host, TAB, value, one record a line. The host is without the zone when one is given. */
export function plainFormat({ relativeTo }: RecordFormatOptions): RecordFormat {
  return {
    record(record) {
      const host = relativeTo === undefined ? keyRecordName(record.name) : hostOf(record.name, relativeTo);
      return `${host}\t${recordText(record)}\n`;
    },
  };
}
