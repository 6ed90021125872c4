import { parseTagList, TagListSyntaxError } from "./tag-list.ts";
import { scanZoneText, type ZoneRecord } from "./zone-text.ts";
import { scanLookupText } from "./zone-text-lookup.ts";
import { readLooseStrings, undoWebText } from "./zone-text-loose.ts";
import { scanTinydnsData } from "./zone-text-tinydns.ts";

/**
 * What people paste when they are asked for a key record: the value itself, zone text of any tool, the answer of a
 * resolver, a provider's panel, a signed message.
 */
export interface RecordInput {
  /**
   * - value: the record's text, taken as it is
   * - strings: quoted strings alone (`dig +short`, a form's field)
   * - zone: master-file text: zone files, `dig`, `kdig`, key generators' output
   * - lookup: what `host` and `nslookup` print
   * - tinydns: tinydns-data lines
   * - panel: one line of a provider's table, `TXT` and the value without quotes
   * - message: a mail with a DKIM-Signature; it names the record and holds none
   */
  readonly form: "value" | "strings" | "zone" | "lookup" | "tinydns" | "panel" | "message";
  /** Where the record stands, when the text says so; without trailing dot. */
  readonly name?: string;
  /** The TXT records at that name; several when there are several, none when only a name was found. */
  readonly records: readonly string[];
  /** A CNAME at that name. */
  readonly target?: string;
  /** Further names with TXT or CNAME records, as in a zone file; empty in most cases. */
  readonly others: readonly RecordsAtName[];
  /** What was undone to read the text, one sentence each: lower case, no full stop. */
  readonly notes: readonly string[];
}

export interface RecordsAtName {
  readonly name: string;
  readonly records: readonly string[];
  readonly target?: string;
}

export interface RecordInputOptions {
  /** What relative names in zone text are relative to. */
  readonly origin?: string | undefined;
}

/** Never throws: what is nothing else is a value. Linear time. */
export function recogniseRecordInput(text: string, { origin }: RecordInputOptions = {}): RecordInput {
  const fromMessage = recogniseMessage(text);
  if (fromMessage !== undefined) return fromMessage;
  const notes: string[] = [];
  const clean = undoWebText(text, notes);
  return (
    fromRecords("tinydns", scanTinydnsData(clean), notes) ??
    fromRecords("lookup", scanLookupText(clean), notes) ??
    recogniseZone(clean, origin, notes) ??
    recogniseStrings(clean, notes) ??
    recognisePanel(clean, notes) ?? { form: "value", ...readValue(text), others: [] }
  );
}

/** A message has few signatures; what has more was made to keep us busy. */
const MAX_SIGNATURES = 16;

/** Each signature in the header section names a record. */
function recogniseMessage(text: string): RecordInput | undefined {
  const header = /^[\s\S]*?(?:\r?\n[ \t]*(?:\r?\n|$)|$)/.exec(text)?.[0] ?? "";
  const fields = [...header.matchAll(/^DKIM-Signature[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)/gim)].slice(0, MAX_SIGNATURES);
  if (fields.length === 0) return undefined;
  const names = fields.map(([, field = ""]) => nameInSignature(field));
  const unreadable = names.filter((name) => name === undefined).length;
  const count = `the message has ${fields.length} ${fields.length === 1 ? "signature" : "signatures"}`;
  const notes = unreadable === 0 ? [count] : [count, `${unreadable} of them cannot be read`];
  const [name, ...others] = [...new Set(names)].filter((each) => each !== undefined);
  return {
    form: "message",
    ...(name !== undefined && { name }),
    records: [],
    others: others.map((other) => ({ name: other, records: [] })),
    notes,
  };
}

function nameInSignature(field: string): string | undefined {
  try {
    const tags = parseTagList(field.replace(/\r?\n(?=[ \t])/g, "").trim());
    const domain = tags.get("d");
    const selector = tags.get("s");
    return domain === undefined || selector === undefined ? undefined : `${selector}._domainkey.${domain}`;
  } catch (error) {
    if (error instanceof TagListSyntaxError) return undefined;
    throw error;
  }
}

function recogniseZone(text: string, origin: string | undefined, notes: string[]): RecordInput | undefined {
  const { records, faults } = scanZoneText(text, { origin });
  const found = fromRecords("zone", records, notes);
  if (found === undefined) return undefined;
  // Text without quotes ends at its first semicolon; the rest was a comment to the parser, and is not to people.
  if (/(?:^|\s)TXT[ \t]+[a-z][ \t]{0,9}=[^\s"\\;]*[ \t]{0,9};/i.test(text) && recognisePanel(text, []) !== undefined) {
    return undefined;
  }
  return { ...found, notes: [...found.notes, ...faults.map(({ message }) => `passed over: ${message}`).slice(0, 10)] };
}

/** Only names of keys, unless there is but one name. */
function fromRecords(
  form: RecordInput["form"],
  records: readonly ZoneRecord[],
  notes: string[],
): RecordInput | undefined {
  const byName = new Map<string, { name: string; records: string[]; target?: string }>();
  for (const { name, type, strings, target } of records) {
    if (type !== "TXT" && type !== "CNAME") continue;
    const key = name.toLowerCase();
    const entry = byName.get(key) ?? { name, records: [] };
    if (strings !== undefined) entry.records.push(strings.join(""));
    if (target !== undefined) entry.target = target;
    byName.set(key, entry);
  }
  followAliases(byName);
  const all = [...byName.values()];
  const keys = all.filter(({ name }) => /(?:^|\.)_domainkey(?:\.|$)/i.test(name));
  const [first, ...others] = keys.length > 0 ? keys : all;
  return first && { form, ...first, others, notes };
}

/** A resolver's answer holds the CNAME and then its target's records: they are the alias's own. */
function followAliases(byName: Map<string, { name: string; records: string[]; target?: string }>): void {
  for (const entry of byName.values()) {
    const target = entry.target === undefined ? undefined : byName.get(entry.target.toLowerCase());
    if (target === undefined || target === entry || entry.records.length > 0) continue;
    entry.records.push(...target.records);
    byName.delete(target.name.toLowerCase());
  }
}

function recogniseStrings(text: string, notes: string[]): RecordInput | undefined {
  const trimmed = text.trim();
  // `dig +short` prints the names of a CNAME chain on lines of their own, before the strings.
  const aliases = /^(?:(?:[A-Za-z0-9_-]{1,63}\.){2,127}(?:\r?\n|$))+/.exec(trimmed)?.[0] ?? "";
  const strings = trimmed.slice(aliases.length);
  const target = aliases.split(/\.\r?\n|\.$/)[0] ?? "";
  if (!/^\(?\s*"/.test(strings) && (strings !== "" || target === "")) return undefined;
  const records = strings === "" ? [] : readLooseStrings(strings, notes);
  return records && { form: "strings", records, ...(target !== "" && { target }), others: [], notes };
}

/** `TXT` somewhere in front, the name before or after it, the value in quotes or not. */
function recognisePanel(text: string, notes: string[]): RecordInput | undefined {
  const line = text.trim();
  const match =
    /^(?:(\S{1,255})[ \t]+)?(?:[0-9]{1,10}[ \t]+)?(?:IN[ \t]+)?(?:[0-9]{1,10}[ \t]+)?TXT[ \t]+(?:([^\s"=;]{1,255})[ \t]+)?(?=["(]|[a-z][ \t]{0,9}=)([\s\S]*)$/i.exec(
      line,
    );
  if (match === null) return undefined;
  const [, before, after, value = ""] = match;
  const name = [before, after].find((word) => word !== undefined && /_domainkey/i.test(word)) ?? before ?? after;
  const quoted = /^["(]/.test(value) ? readLooseStrings(value, notes) : undefined;
  if (quoted === undefined)
    notes.push("the value is not in quotes; in a zone file it would end at its first semicolon");
  const records = quoted ?? [value.replace(/\s+$/, "").replace(/[\r\n]+[ \t]*/g, " ")];
  return { form: "panel", ...(name !== undefined && { name: name.replace(/\.$/, "") }), records, others: [], notes };
}

/** A line end after the value is no part of it. */
function readValue(text: string): Pick<RecordInput, "records" | "notes"> {
  return { records: [text.replace(/(?:\r?\n)$/, "")], notes: [] };
}
