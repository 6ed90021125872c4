import { quoteName } from "../keys/domain-name.ts";
import { type ConfigurationReader, ReadingBuilder, type SignerReading, shown } from "./signer-reading.ts";

/**
 * The keys that an Exim configuration names: the literal settings dkim_domain, dkim_selector and dkim_private_key of a
 * transport, or Debian's macros of these names; the same as lookups in files that Exim searches (lsearch) by
 * `$dkim_domain` or by the name of the record, where a file of selectors tells which of them sign; or such a file itself,
 * whose lines are `SELECTOR._domainkey.DOMAIN: PATH`. Any other expansion only Exim can do, and is named as not understood.
 * @see Exim's specification, chapters 58.2 "Signing outgoing messages", 9.3 (lsearch) and 6.5 (macros)
 */
export function readExim(text: string, file: string, read: ConfigurationReader): SignerReading {
  const reading = new ReadingBuilder();
  if (/^"?[^\s:"#]+\._domainkey\.[^\s:"]+"?\s*:/m.test(text)) {
    readKeyFile(reading, text, file);
    return reading;
  }
  const macros = new Map<string, string>();
  let transport: Transport = {};
  const end = () => {
    readTransport(reading, transport, macros, read);
    transport = {};
  };
  for (const { line, content } of logicalLines(text)) {
    const where = `${shown(file)}:${line}`;
    if (/^\.include(?:_if_exists)?\s/.test(content)) reading.skip(where, "other files are included: name them too");
    const [, name = "", value = ""] = /^([A-Za-z]\w*)\s*==?\s*(.*)$/.exec(content) ?? [];
    const option = DKIM_OPTIONS.find((known) => known === name.toLowerCase());
    if (/^[A-Z]/.test(name)) macros.set(name, value);
    // The next driver, or the next section.
    if (/^(?:[\w-]+\s*:|begin\s)/.test(content)) end();
    // Debian's macros have the names of the options, in capitals.
    if (option !== undefined && value !== name.toUpperCase()) transport[option] = { value, where };
  }
  end();
  return reading;
}

const DKIM_OPTIONS = ["dkim_domain", "dkim_selector", "dkim_private_key"] as const;

interface Setting {
  readonly value: string;
  readonly where: string;
}

type Transport = Partial<Record<(typeof DKIM_OPTIONS)[number], Setting>>;

function readTransport(
  reading: ReadingBuilder,
  transport: Transport,
  macros: ReadonlyMap<string, string>,
  read: ConfigurationReader,
): void {
  const expand = (setting: Setting | undefined): Setting | undefined =>
    setting && { ...setting, value: (macros.get(setting.value) ?? setting.value).trim() };
  const [domain, selector, key] = [transport.dkim_domain, transport.dkim_selector, transport.dkim_private_key].map(
    expand,
  );
  if (key === undefined || selector === undefined || domain === undefined) return;
  const keys = lookup(key.value);
  const selectors = lookup(selector.value);
  const selectorLines = selectors?.by === "domain" ? fileLines(read(selectors.file)) : undefined;
  if (keys?.by === "record") {
    const named = selectorLines?.flatMap(({ line, key: name, value }) =>
      list(value).map((one) => ({ record: `${one.toLowerCase()}._domainkey.${name}`, line })),
    );
    // With a line for any other domain (lsearch*) all keys may sign.
    const isComplete = selectorLines?.some((one) => one.key === "*") === false;
    const signing = isComplete ? new Set(named?.map(({ record }) => record)) : undefined;
    const known = readKeyFile(reading, read(keys.file), keys.file, signing);
    for (const { record, line } of (isComplete && named) || []) {
      if (known.has(record)) continue;
      const where = `${shown(selectors?.file ?? "")}:${line}`;
      reading.skip(where, `${shown(keys.file)} has no line for ${quoteName(record)}: such mail goes unsigned`);
    }
    return;
  }
  if (keys?.by === "domain") {
    const table = selectorLines && new Map(selectorLines.map((one) => [one.key, one.value]));
    for (const { line, key: name, value } of fileLines(read(keys.file))) {
      const where = `${shown(keys.file)}:${line}`;
      const own = isLiteral(selector.value) ? selector.value : table?.get(name);
      if (own === undefined) reading.skip(where, `the selector of ${quoteName(name)} is not known without Exim`);
      else for (const one of list(own)) addPath(reading, where, name, one, value);
    }
    return;
  }
  if (![domain, selector, key].every(({ value }) => isLiteral(value))) {
    reading.skip(key.where, "dkim_private_key is what only Exim can expand: name the files that it searches");
    return;
  }
  if (key.value === "0" || key.value === "false") return;
  for (const name of list(domain.value)) {
    for (const one of list(selector.value)) addPath(reading, key.where, name, one, key.value);
  }
}

function addPath(reading: ReadingBuilder, where: string, domain: string, selector: string, path: string): void {
  if (path.startsWith("/")) reading.add(where, domain, selector, { kind: "file", path });
  else if (path.startsWith("-----BEGIN")) {
    reading.add(where, domain, selector, { kind: "text", bytes: new TextEncoder().encode(path) });
  } else reading.skip(where, `${quoteName(path)} is no path that is known without Exim`);
}

/** The two forms of key that our export and most how-tos use. */
function lookup(value: string): { readonly by: "domain" | "record"; readonly file: string } | undefined {
  const [, by = "", file = ""] =
    /^\$\{lookup\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*lsearch\*?(?:,\S*)?\s*\{(\/[^{}$]*)\}/.exec(value) ?? [];
  const name = by.replace(/\$\{(?:lc:)?\$?(dkim_\w+)\}/g, "$$$1").trim();
  if (name === "$dkim_domain") return { by: "domain", file };
  return name === "$dkim_selector._domainkey.$dkim_domain" ? { by: "record", file } : undefined;
}

/** @param signing the records whose lines count; default: all @returns the records that have a line */
function readKeyFile(
  reading: ReadingBuilder,
  text: string,
  file: string,
  signing?: ReadonlySet<string>,
): ReadonlySet<string> {
  const known = new Set<string>();
  for (const { line, key, value } of fileLines(text)) {
    known.add(key);
    if (signing?.has(key) === false) continue;
    const where = `${shown(file)}:${line}`;
    const [selector, domain] = key.split("._domainkey.");
    if (selector === undefined || domain === undefined) reading.skip(where, `${quoteName(key)} is no name of a record`);
    else addPath(reading, where, domain, selector, value);
  }
  return known;
}

/** `key: value` or `key value`, the key in quotes where it must be; a line that starts with white space goes on. */
function fileLines(text: string): { line: number; key: string; value: string }[] {
  return logicalLines(text, /^\s/).flatMap(({ line, content }) => {
    const [, quoted, plain, value = ""] = /^(?:"((?:[^"\\]|\\.)*)"|([^\s:]+))\s*:?\s*(.*)$/.exec(content) ?? [];
    const key = quoted?.replace(/\\(.)/g, "$1") ?? plain;
    return key === undefined ? [] : [{ line, key: key.toLowerCase(), value: value.trim() }];
  });
}

/** Lines without comments; one that ends with `\`, or is followed by one that matches `goesOn`, is joined with the next. */
function logicalLines(text: string, goesOn?: RegExp): { line: number; content: string }[] {
  const lines: { line: number; content: string }[] = [];
  let joins = false;
  for (const [index, whole] of text.split("\n").entries()) {
    if (/^\s*(?:#|$)/.test(whole)) continue;
    const content = whole.replace(/\\\s*$/, "").trim();
    const last = lines.at(-1);
    if (last !== undefined && (joins || goesOn?.test(whole))) last.content += ` ${content}`;
    else lines.push({ line: index + 1, content });
    joins = goesOn === undefined && /\\\s*$/.test(whole);
  }
  return lines;
}

function isLiteral(value: string): boolean {
  return value !== "" && !/[$\\]/.test(value);
}

/** Exim's lists are divided by colons. */
function list(value: string): string[] {
  return value
    .split(":")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
