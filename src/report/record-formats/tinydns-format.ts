import { keyRecordName } from "../../keys/key-name.ts";
import { type RecordFormat, recordText } from "./record-format.ts";

/**
 * A line of tinydns-data(8) for each record: `'fqdn:text:ttl`. The text is one field, in which an octet may be written as a
 * backslash and three octal digits, as the field's own `:` must be; tinydns-data cuts it into strings itself.
 * @see https://cr.yp.to/djbdns/tinydns-data.html ('fqdn:s:ttl:timestamp:lo)
 */
export function tinydnsFormat(): RecordFormat {
  return {
    record: (record) => `'${keyRecordName(record.name)}:${escapeOctal(recordText(record))}:${record.ttlSeconds}\n`,
  };
}

function escapeOctal(text: string): string {
  return text.replace(/[^\x20-\x7e]|[:\\]/g, (octet) => `\\${octet.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
