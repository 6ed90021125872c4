import { DkimctlError, UsageError } from "../errors.ts";
import { parseDomainName, quoteName } from "../keys/domain-name.ts";
import { nearestName } from "../nearest-name.ts";
import {
  CONFIG_SCHEMA,
  DOMAIN_SECTIONS,
  type DomainSettings,
  ROTATION_SCHEMA,
  type Settings,
} from "./config-schema.ts";
import { parseToml, type TomlEntry, TomlSyntaxError } from "./config-toml.ts";
import { type Setting, WrongValue } from "./setting.ts";

/** What the configuration says that cannot be meant; the message begins with `file:line:`. */
export class ConfigError extends UsageError {
  override readonly code = "DKIM_CONFIG";
}

/**
 * The text of a configuration as settings. Read strictly: what is not understood is an error, never passed over.
 * @param file what messages call it
 * @throws {ConfigError} no TOML, or an unknown key or a wrong value
 */
export function parseConfig(text: string, file: string): Settings {
  const settings = settingsFrom(entriesOf(text, file), file);
  requireOneStore(settings.store, file);
  return settings;
}

/** @throws {ConfigError} a folder's settings beside the address of a server */
function requireOneStore({ url, ...ofFolder }: Settings["store"], file: string): void {
  const [other] = Object.keys(ofFolder);
  if (url === undefined || other === undefined) return;
  throw new ConfigError(`${file}: store.url and store.${other} contradict each other`, {
    hint: `store.url is a server, and store.${other} is about a folder: leave one of them out`,
  });
}

function sections(): Readonly<Record<string, Readonly<Record<string, Setting<unknown>>>>> {
  return CONFIG_SCHEMA;
}

function settingsFrom(entries: readonly TomlEntry[], file: string): Settings {
  const found = new Map<string, [string, unknown][]>(Object.keys(sections()).map((section) => [section, []]));
  const domains = new Map<string, DomainEntries>();
  for (const entry of entries) {
    const at = `${file}:${entry.line}`;
    const [sectionName = "", key = ""] = entry.path;
    if (sectionName === DOMAIN_SECTION) {
      addDomainEntry(domains, entry, at);
      continue;
    }
    const section = Object.hasOwn(sections(), sectionName) ? sections()[sectionName] : undefined;
    if (section === undefined) throw unknownSection(entry, at);
    if (entry.path.length === 1) {
      if (entry.value === undefined) continue;
      throw new ConfigError(`${at}: ${sectionName} is one section, written [${sectionName}]`);
    }
    const setting = Object.hasOwn(section, key) ? section[key] : undefined;
    if (setting === undefined) throw unknownKey(sectionName, key, at);
    if (entry.path.length > 2 || entry.value === undefined) {
      throw new ConfigError(`${at}: ${sectionName}.${key} is a setting, not a section`);
    }
    found.get(sectionName)?.push([key, parseValue(setting, entry.value, `${at}: ${sectionName}.${key}`)]);
  }
  const settings = Object.fromEntries([...found].map(([name, pairs]) => [name, Object.fromEntries(pairs)]));
  const domain = Object.fromEntries([...domains].map(([name, pairs]) => [name, domainSettings(pairs)]));
  return { ...settings, domain } as Settings;
}

/** `[domain."example.com"]`: what this domain has otherwise than [rotation]; below it, than [publish] and [signer]. */
const DOMAIN_SECTION = "domain";

/** The settings of one domain; those of [rotation] under `""`. */
type DomainEntries = Map<"" | (typeof DOMAIN_SECTIONS)[number], [string, unknown][]>;

function addDomainEntry(domains: Map<string, DomainEntries>, { path, value }: TomlEntry, at: string): void {
  const [, name, ...rest] = path;
  if (name === undefined) {
    if (value === undefined) return;
    throw new ConfigError(`${at}: a domain's section is written [domain."example.com"]`);
  }
  const domain = parseNamed(name, at);
  const entries: DomainEntries = domains.get(domain) ?? new Map();
  domains.set(domain, entries);
  const own = DOMAIN_SECTIONS.find((section) => section === rest[0]) ?? "";
  const [key, ...below] = own === "" ? rest : rest.slice(1);
  const section = own === "" ? `domain."${domain}"` : `domain."${domain}".${own}`;
  const schema: Readonly<Record<string, Setting<unknown>>> = own === "" ? ROTATION_SCHEMA : CONFIG_SCHEMA[own];
  const pairs = entries.get(own) ?? [];
  entries.set(own, pairs);
  if (key === undefined && value === undefined) return;
  if (key === undefined && own !== "") throw new ConfigError(`${at}: ${own} is a section, written [${section}]`);
  const setting = key !== undefined && Object.hasOwn(schema, key) ? schema[key] : undefined;
  if (key === undefined || setting === undefined) {
    throw new ConfigError(`${at}: there is no setting ${quoteName(key ?? name)} in [${section}]`, {
      hint:
        key === undefined || !name.includes(".")
          ? `quote the domain: [domain."example.com"]`
          : didYouMean(key, [...Object.keys(schema), ...(own === "" ? DOMAIN_SECTIONS : [])]),
    });
  }
  if (below.length > 0 || value === undefined) throw new ConfigError(`${at}: ${key} is a setting, not a section`);
  pairs.push([key, parseValue(setting, value, `${at}: ${section}.${key}`)]);
}

function domainSettings(entries: DomainEntries): DomainSettings {
  const { "": rotation, ...sections } = Object.fromEntries(
    [...entries].map(([section, pairs]) => [section, Object.fromEntries(pairs)]),
  );
  return { ...rotation, ...sections };
}

function parseNamed(name: string, at: string): string {
  try {
    return parseDomainName(name);
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    throw new ConfigError(`${at}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

function entriesOf(text: string, file: string): TomlEntry[] {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    throw new ConfigError(`${file}:${error.line}: ${error.message}`, { cause: error });
  }
}

function parseValue(setting: Setting<unknown>, value: NonNullable<TomlEntry["value"]>, at: string): unknown {
  try {
    return setting.parse(value);
  } catch (error) {
    if (error instanceof WrongValue) throw new ConfigError(`${at} must be ${error.message}`, { cause: error });
    if (error instanceof DkimctlError) {
      throw new ConfigError(`${at}: ${error.message}`, { hint: error.hint, cause: error });
    }
    throw error;
  }
}

function unknownSection({ path, value }: TomlEntry, at: string): ConfigError {
  const [name = ""] = path;
  const names = [...Object.keys(sections()), DOMAIN_SECTION];
  if (path.length === 1 && value !== undefined) {
    const home = names.find((section) => Object.hasOwn(sections()[section] ?? {}, name));
    const hint = home === undefined ? undefined : `it belongs in the section [${home}]`;
    if (hint !== undefined) return new ConfigError(`${at}: ${quoteName(name)} stands outside of any section`, { hint });
  }
  return new ConfigError(`${at}: there is no section ${quoteName(name)}`, { hint: didYouMean(name, names) });
}

function unknownKey(section: string, key: string, at: string): ConfigError {
  const hint = didYouMean(key, Object.keys(sections()[section] ?? {}));
  return new ConfigError(`${at}: there is no setting ${quoteName(key)} in [${section}]`, { hint });
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const nearest = nearestName(word, candidates);
  return nearest === undefined ? `known are ${candidates.join(", ")}` : `did you mean ${nearest}?`;
}
