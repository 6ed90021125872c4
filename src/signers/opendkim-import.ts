import { quoteName } from "../keys/domain-name.ts";
import { type ConfigurationReader, ReadingBuilder, type SignerReading, shown } from "./signer-reading.ts";
import { tableLines } from "./table-lines.ts";

/** OpenDKIM follows as many files that name each other (opendkim.conf(5) Include). */
const MAX_DEPTH = 5;

/** dkimpy-milter has a table of its own for Ed25519 keys. */
const KEY_TABLES = ["keytable", "keytableed25519"] as const;

/**
 * The keys that an opendkim.conf or a dkimpy-milter.conf names, by its KeyTable or by Domain, Selector and KeyFile; or
 * those of a KeyTable, when that is what the file is. @see opendkim.conf(5), dkimpy-milter.conf(5)
 */
export function readOpendkim(text: string, file: string, read: ConfigurationReader): SignerReading {
  const reading = new ReadingBuilder();
  const settings = new Map<string, { value: string; where: string }>();
  if (isKeyTable(text)) {
    readKeyTable(reading, text, file);
    return reading;
  }
  collect(settings, text, file, read, reading, 0);
  const tables = KEY_TABLES.flatMap((name) => settings.get(name) ?? []);
  if (tables.length > 0) {
    const names = new Set<string>();
    let isWhole = true;
    for (const table of tables) {
      const path = /^(?:(?:re)?file:)?(\/.*)$/.exec(table.value)?.[1];
      if (path === undefined) reading.skip(table.where, `the KeyTable ${quoteName(table.value)} is no plain file`);
      else for (const name of readKeyTable(reading, read(path), path)) names.add(name);
      isWhole &&= path !== undefined;
    }
    if (isWhole) checkSigningTable(reading, settings.get("signingtable"), names, read);
    return reading;
  }
  const domains = settings.get("domain")?.value.split(",") ?? [];
  for (const suffix of ["", "ed25519"]) {
    const [selector, key] = [settings.get(`selector${suffix}`), settings.get(`keyfile${suffix}`)];
    if (selector === undefined || key === undefined) continue;
    for (const domain of domains) reading.addField(key.where, domain.trim(), selector.value, key.value);
  }
  return reading;
}

/** Lines with two colons in the second word, and no setting that an opendkim.conf has. */
function isKeyTable(text: string): boolean {
  return (
    /^[ \t]*[^\s#]+[ \t]+[^\s:]+:[^\s:]+:\S/m.test(text) &&
    !/^[ \t]*(?:KeyTable\w*|KeyFile\w*|SigningTable|Include|Domain|Selector|Mode|Socket)[ \t]/im.test(text)
  );
}

function collect(
  settings: Map<string, { value: string; where: string }>,
  text: string,
  file: string,
  read: ConfigurationReader,
  reading: ReadingBuilder,
  depth: number,
): void {
  for (const { line, words } of tableLines(text)) {
    const [name = "", value = ""] = words;
    const where = `${shown(file)}:${line}`;
    if (name.toLowerCase() !== "include") settings.set(name.toLowerCase(), { value, where });
    else if (depth === MAX_DEPTH) reading.skip(where, "too many files include each other");
    else collect(settings, read(value), value, read, reading, depth + 1);
  }
}

/** A line that wants a key which no KeyTable has: mail of that sender is deferred. */
function checkSigningTable(
  reading: ReadingBuilder,
  table: { value: string; where: string } | undefined,
  known: ReadonlySet<string>,
  read: ConfigurationReader,
): void {
  const path = /^(?:(?:re)?file:)?(\/.*)$/.exec(table?.value ?? "")?.[1];
  if (path === undefined) return;
  for (const { line, words } of tableLines(read(path))) {
    const [key = ""] = (words[1] ?? "").split(":");
    if (key.includes("%") || known.has(key)) continue;
    reading.skip(`${shown(path)}:${line}`, `the KeyTable has no key of the name ${quoteName(key)}`);
  }
}

/**
 * Lines `NAME DOMAIN:SELECTOR:KEY`, where KEY is a path or the key itself.
 * @returns the names
 */
function readKeyTable(reading: ReadingBuilder, text: string, file: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { line, words } of tableLines(text)) {
    const where = `${shown(file)}:${line}`;
    names.add(words[0] ?? "");
    const [, domain, selector, key] = /^([^:]*):([^:]*):(.+)$/.exec(words.slice(1).join(" ").trim()) ?? [];
    if (domain === undefined || selector === undefined || key === undefined) {
      reading.skip(where, "this is no line NAME DOMAIN:SELECTOR:KEY of a KeyTable");
    } else if (domain === "%" || (key.startsWith("/") && key.includes("%"))) {
      reading.skip(where, `"%" stands for each sender's domain: which keys that are, only the mail tells`);
    } else reading.addField(where, domain, selector, key);
  }
  return names;
}
