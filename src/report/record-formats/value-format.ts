import { type RecordFormat, recordText } from "./record-format.ts";

/** The text of the record alone, unquoted and in one piece, one record a line. */
export function valueFormat(): RecordFormat {
  return { record: (record) => `${recordText(record)}\n` };
}
