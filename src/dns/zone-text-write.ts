import { MAX_STRING_OCTETS, quoteTxtString, splitTxtStrings } from "./txt-strings.ts";

export interface TxtRecordText {
  /** Fully qualified, with or without trailing dot. */
  readonly name: string;
  /** The record's text, one UTF-16 unit per octet. */
  readonly text: string;
  readonly ttlSeconds: number;
  /** Length of each string; 255 at most and by default. */
  readonly stringOctets?: number | undefined;
}

/**
 * One TXT record as master-file text that any name server loads: owner with trailing dot, TTL, class, every string
 * quoted. Several strings stand in parentheses, one a line. Ends with a line feed.
 * @throws {TxtStringSyntaxError} a character that is no octet
 */
export function formatTxtRecord({ name, text, ttlSeconds, stringOctets = MAX_STRING_OCTETS }: TxtRecordText): string {
  const strings = splitTxtStrings(text, stringOctets).map(quoteTxtString);
  const data = strings.length === 1 ? strings[0] : `(\n  ${strings.join("\n  ")} )`;
  return `${name.endsWith(".") ? name : `${name}.`}\t${ttlSeconds}\tIN\tTXT\t${data}\n`;
}
