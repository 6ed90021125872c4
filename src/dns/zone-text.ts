import { DkimctlError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import { TxtStringSyntaxError, unescapeTxtString } from "./txt-strings.ts";
import { tokenizeZoneText, type ZoneEntry, type ZoneToken } from "./zone-text-tokens.ts";

/** One record of a zone file, of any type; only TXT and CNAME are read further. */
export interface ZoneRecord {
  /** Fully qualified, without trailing dot, spelled as in the text. */
  readonly name: string;
  readonly ttlSeconds: number | undefined;
  readonly type: string;
  /** TXT only: the character-strings, one UTF-16 unit per octet. */
  readonly strings?: readonly string[];
  /** CNAME only: fully qualified, without trailing dot. */
  readonly target?: string;
  /** Where the record starts, from 1. */
  readonly line: number;
}

/** Text that a name server would not load. */
export class ZoneTextSyntaxError extends DkimctlError {
  override readonly code = "DKIM_ZONE_TEXT_SYNTAX";
  /** From 1. */
  readonly line: number;
  constructor(message: string, line: number) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

export interface ZoneTextOptions {
  /** What relative names are relative to, until `$ORIGIN` says otherwise; without trailing dot. Default: the root. */
  readonly origin?: string | undefined;
}

export interface ZoneScan {
  readonly records: readonly ZoneRecord[];
  readonly faults: readonly ZoneTextSyntaxError[];
}

const CLASSES = new Set(["IN", "CH", "HS", "CS", "ANY"]);

/**
 * Master-file text (RFC 1035 §5.1), such as zone files, `dig` and `kdig` write. One bad record hides no other.
 * Never throws; linear time.
 */
export function scanZoneText(text: string, { origin = "" }: ZoneTextOptions = {}): ZoneScan {
  const records: ZoneRecord[] = [];
  const { entries, faults: tokenFaults } = tokenizeZoneText(text);
  const faults = tokenFaults.map(({ message, line }) => new ZoneTextSyntaxError(message, line));
  const state: ReadState = { origin: withoutDot(origin), defaultTtl: undefined, lastName: undefined };
  for (const entry of entries) {
    try {
      const record = readEntry(entry, state);
      if (record !== undefined) records.push(record);
    } catch (error) {
      if (error instanceof ZoneTextSyntaxError) faults.push(error);
      else if (error instanceof TxtStringSyntaxError) faults.push(new ZoneTextSyntaxError(error.message, entry.line));
      else throw error;
    }
  }
  return { records, faults: faults.sort((a, b) => a.line - b.line) };
}

/** @throws {ZoneTextSyntaxError} the first fault of `scanZoneText` */
export function parseZoneText(text: string, options: ZoneTextOptions = {}): readonly ZoneRecord[] {
  const { records, faults } = scanZoneText(text, options);
  const [fault] = faults;
  if (fault !== undefined) throw fault;
  return records;
}

/**
 * The character-strings of TXT data alone: quoted or not, in parentheses, with comments (RFC 1035 §5.1).
 * @throws {ZoneTextSyntaxError} bad quoting or escapes, a string of more than 255 octets, no string at all
 */
export function parseTxtData(text: string): string[] {
  const { entries, faults } = tokenizeZoneText(text);
  const [fault] = faults;
  if (fault !== undefined) throw new ZoneTextSyntaxError(fault.message, fault.line);
  try {
    return readStrings(
      entries.flatMap(({ tokens }) => tokens),
      1,
    );
  } catch (error) {
    if (error instanceof TxtStringSyntaxError) throw new ZoneTextSyntaxError(error.message, 1);
    throw error;
  }
}

/** `60`, `1h`, `1w2d` in seconds; `undefined` when it is none (BIND's notation; RFC 2308 §4 for `$TTL`). */
export function parseTtl(text: string): number | undefined {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  if (!/^(?:[0-9]{1,9}[smhdw]){1,5}$/i.test(text)) return undefined;
  const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let seconds = 0;
  for (const [, count, unit = ""] of text.matchAll(/([0-9]+)([smhdw])/gi)) {
    seconds += Number(count) * (units[unit.toLowerCase()] ?? 0);
  }
  return seconds;
}

interface ReadState {
  origin: string;
  defaultTtl: number | undefined;
  lastName: string | undefined;
}

function readEntry({ tokens, startsWithSpace, line }: ZoneEntry, state: ReadState): ZoneRecord | undefined {
  const [first] = tokens;
  if (first === undefined) return undefined;
  if (!startsWithSpace && !first.isQuoted && first.text.startsWith("$")) {
    readDirective(tokens, state, line);
    return undefined;
  }
  let index = 0;
  if (!startsWithSpace) {
    state.lastName = absoluteName(first.text, state.origin);
    index = 1;
  }
  const name = state.lastName;
  if (name === undefined) throw new ZoneTextSyntaxError("the first record has no name", line);
  let ttlSeconds = state.defaultTtl;
  for (; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined || token.isQuoted) break;
    if (CLASSES.has(token.text.toUpperCase())) continue;
    const ttl = parseTtl(token.text);
    if (ttl === undefined) break;
    ttlSeconds = ttl;
  }
  const type = tokens[index];
  if (type === undefined || type.isQuoted || !/^[A-Za-z][A-Za-z0-9-]*$/.test(type.text)) {
    throw new ZoneTextSyntaxError(`${quoteName(type?.text ?? first.text)} is no record type`, line);
  }
  return { name, ttlSeconds, line, ...readData(type.text.toUpperCase(), tokens.slice(index + 1), state.origin, line) };
}

function readData(type: string, data: readonly ZoneToken[], origin: string, line: number) {
  if (type === "TXT") return { type, strings: readStrings(data, line) };
  const [target] = data;
  if (type !== "CNAME") return { type };
  if (target === undefined || data.length > 1) throw new ZoneTextSyntaxError("CNAME has exactly one name", line);
  return { type, target: absoluteName(target.text, origin) };
}

function readStrings(tokens: readonly ZoneToken[], line: number): string[] {
  if (tokens.length === 0) throw new ZoneTextSyntaxError("TXT needs at least one string", line);
  return tokens.map((token) => {
    const octets = unescapeTxtString(token.text);
    if (octets.length > 255) {
      throw new ZoneTextSyntaxError(
        `a string has ${octets.length} octets; the limit is 255 (RFC 1035 §3.3): divide it into several`,
        token.line,
      );
    }
    return octets;
  });
}

function readDirective(tokens: readonly ZoneToken[], state: ReadState, line: number): void {
  const [directive, argument] = tokens;
  switch (directive?.text.toUpperCase()) {
    case "$ORIGIN":
      if (argument === undefined) throw new ZoneTextSyntaxError("$ORIGIN needs a name", line);
      state.origin = absoluteName(argument.text, state.origin);
      return;
    case "$TTL": {
      const ttl = parseTtl(argument?.text ?? "");
      if (ttl === undefined) throw new ZoneTextSyntaxError("$TTL needs a time", line);
      state.defaultTtl = ttl;
      return;
    }
    default:
      throw new ZoneTextSyntaxError(
        `${quoteName(directive?.text ?? "")} is not followed here: give the file itself`,
        line,
      );
  }
}

function absoluteName(name: string, origin: string): string {
  if (name === "@") return origin;
  if (name.endsWith(".")) return withoutDot(name);
  return origin === "" ? name : `${name}.${origin}`;
}

function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
