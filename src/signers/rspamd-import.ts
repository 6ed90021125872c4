import { quoteName } from "../keys/domain-name.ts";
import { type ConfigurationReader, ReadingBuilder, type SignerReading, shown } from "./signer-reading.ts";
import { tableLines } from "./table-lines.ts";
import { parseUcl, UclObject, type UclValue } from "./ucl.ts";

/*
 * What rspamd's module dkim_signing is configured with: `domain { }`, selector_map and path_map, signing_table and
 * key_table. The file is one of local.d, or holds a section `dkim_signing { }`.
 */

/** rspamd's own defaults (dkim_signing.lua). */
const DEFAULT_SELECTOR = "dkim";
const DEFAULT_PATH = "/var/lib/rspamd/dkim/$domain.$selector.key";

/** The variables that rspamd sets when it reads its configuration, with Debian's values. */
const VARIABLES: Readonly<Record<string, string>> = {
  CONFDIR: "/etc/rspamd",
  LOCAL_CONFDIR: "/etc/rspamd",
  DBDIR: "/var/lib/rspamd",
};

const NAMES = Object.keys(VARIABLES).join("|");

/** In values of the configuration, not in lines of maps. Without braces it ends where the name does, whatever follows. */
const VARIABLE = new RegExp(`\\$(?:\\{(${NAMES})\\}|(${NAMES}))`, "g");

/**
 * The keys that rspamd's module dkim_signing is told of, in its own syntax (UCL), and the files that it refers to.
 * @param file what to call the text in messages @throws {SignerSyntaxError} rspamd itself would not load it
 */
export function readRspamd(text: string, file: string, read: ConfigurationReader): SignerReading {
  const reading = new ReadingBuilder();
  const { root, macros } = parseUcl(text, file);
  for (const { line, text: macro } of macros) {
    if (macro.startsWith(".include")) reading.skip(`${shown(file)}:${line}`, "other files are included: name them too");
  }
  const sections = root.members.get("dkim_signing");
  for (const { value } of sections ?? [{ value: root }]) {
    if (value instanceof UclObject) readModule({ module: value, file, read, reading });
  }
  return reading;
}

interface Module {
  readonly module: UclObject;
  readonly file: string;
  readonly read: ConfigurationReader;
  readonly reading: ReadingBuilder;
}

function readModule(context: Module): void {
  const { module, file, reading } = context;
  const [template = DEFAULT_PATH, selector = DEFAULT_SELECTOR] = ["path", "selector"].map((name) =>
    textOf(module, name),
  );
  const elsewhere = ["use_redis", "use_vault"].filter((name) => isTrue(textOf(module, name)));
  for (const name of elsewhere) {
    reading.skip(whereOf(context, name), `${name}: the keys are not in files; save them as JSON and name that file`);
  }
  if (elsewhere.length > 0) return;
  for (const { value } of module.members.get("domain") ?? []) {
    if (!(value instanceof UclObject)) continue;
    for (const [domain, blocks] of value.members) {
      for (const { value: block, line } of blocks) {
        if (block instanceof UclObject) readDomain(reading, { domain, block, template, selector, file, line });
      }
    }
  }
  const [selectors, paths] = [readMap(context, "selector_map"), readMap(context, "path_map")];
  for (const domain of new Set([...selectors.keys(), ...paths.keys()])) {
    const chosen = selectors.get(domain)?.value ?? selector;
    const where = (paths.get(domain) ?? selectors.get(domain))?.where ?? shown(file);
    addFile(reading, where, domain, chosen, paths.get(domain)?.value ?? template);
  }
  readTables(context, selector);
  const fixed = textOf(module, "use_domain");
  if (fixed?.includes(".")) addFile(reading, whereOf(context, "use_domain"), fixed, selector, template);
  else if (reading.entries.length === 0 && module.members.has("path")) {
    const reason =
      "path is for every domain whose file is there: import files FOLDER --pattern {domain}.{selector}.key";
    reading.skip(whereOf(context, "path"), reason);
  }
}

interface DomainBlock {
  readonly domain: string;
  readonly block: UclObject;
  readonly template: string;
  readonly selector: string;
  readonly file: string;
  readonly line: number;
}

function readDomain(reading: ReadingBuilder, { domain, block, template, selector, file, line }: DomainBlock): void {
  const keys = [block, ...(block.members.get("selectors") ?? []).flatMap(({ value }) => asList(value))];
  for (const key of keys) {
    if (!(key instanceof UclObject)) continue;
    const [path, own] = [textOf(key, "path"), textOf(key, "selector")];
    // The block itself is a key only in the old style.
    if (key === block && path === undefined && own === undefined) continue;
    const at = key === block ? line : key.line;
    addFile(reading, `${shown(file)}:${at}`, domain, own ?? selector, path ?? template);
  }
}

function readTables(context: Module, defaultSelector: string): void {
  const { reading } = context;
  const keys = readMap(context, "key_table");
  // A name with wildcards may stand for any.
  const isWild = [...keys.keys()].some((name) => /[%*?]/.test(name));
  for (const { value, where } of keys.size === 0 || isWild ? [] : readMap(context, "signing_table").values()) {
    if (value !== "%" && !keys.has(value)) {
      reading.skip(where, `key_table has no key of the name ${quoteName(value)}`);
    }
  }
  for (const { value, where } of keys.values()) {
    const parts = value.split(":");
    const [domain = "", second = "", third] = parts;
    if (parts.length < 2 || parts.length > 3) reading.skip(where, "this is no DOMAIN:SELECTOR:KEY of a key_table");
    else if (value.includes("%")) {
      reading.skip(where, `"%" stands for each sender's domain: which keys that are, only the mail tells`);
    } else {
      const [selector, field] = third === undefined ? [defaultSelector, second] : [second, third];
      if (field.startsWith("/")) addFile(reading, where, domain, selector, field);
      else reading.addField(where, domain, selector, field);
    }
  }
}

/**
 * `$domain` and `$selector` are filled in as lua_util.template of rspamd does it, wherever the path comes from: a name is
 * as long as it can be, and one that is neither of the two stands for itself.
 */
function addFile(reading: ReadingBuilder, where: string, domain: string, selector: string, template: string): void {
  const path = template.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => {
    const name = braced ?? bare;
    return name === "domain" ? domain : name === "selector" ? selector : name;
  });
  if (!path.startsWith("/")) reading.skip(where, `${quoteName(template)} is no path that is known without rspamd`);
  else reading.add(where, domain, selector, { kind: "file", path });
}

/** A map's lines by their first word; the last of a word counts. */
function readMap(context: Module, name: string): Map<string, { value: string; where: string }> {
  const { module, read, reading } = context;
  const map = new Map<string, { value: string; where: string }>();
  for (const { value } of module.members.get(name) ?? []) {
    const path = typeof value === "string" ? expandVariables(value).replace(/^(?:file:\/\/|(?:glob|map);)/, "") : "";
    if (!path.startsWith("/")) {
      reading.skip(whereOf(context, name), `${name} is no plain file`);
      continue;
    }
    for (const { line, words } of tableLines(read(path))) {
      const [key = "", ...rest] = words;
      map.set(key, { value: rest.join(" "), where: `${shown(path)}:${line}` });
    }
  }
  return map;
}

function expandVariables(text: string): string {
  return text.replace(VARIABLE, (whole, braced, bare) => VARIABLES[braced ?? bare] ?? whole);
}

function textOf(object: UclObject, name: string): string | undefined {
  const value = object.members.get(name)?.at(-1)?.value;
  return typeof value === "string" ? expandVariables(value) : undefined;
}

function whereOf({ module, file }: Module, name: string): string {
  return `${shown(file)}:${module.members.get(name)?.at(-1)?.line ?? module.line}`;
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|yes|on|1)$/i.test(value);
}

function asList(value: UclValue): UclValue[] {
  return Array.isArray(value) ? value : [value];
}
