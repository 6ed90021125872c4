import { isAbsolute, resolve } from "node:path";
import { quoteName } from "../keys/domain-name.ts";
import { formatFileMode, parseFileMode } from "../keys/file-access.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { parseSelectorTemplate } from "../keys/selector-template.ts";
import { parseStoreAddress } from "../keys/store-address.ts";
import { formatDuration, parseDuration } from "../rotation/duration.ts";
import { parseToml, type TomlValue } from "./config-toml.ts";

/** One key of the configuration: how its value is read, and how `dkimctl init` writes it. */
export interface Setting<Value> {
  /** One line for the file that `dkimctl init` writes. */
  readonly comment: string;
  /** What stands behind `#` where the setting is not used: the default, or an example. */
  readonly sample: string;
  /** @throws {WrongValue | DkimctlError} */
  parse(value: TomlValue): Value;
  /** As TOML. */
  format(value: Value): string;
  /** How the command line says it, for one run. */
  readonly option: SettingOption;
}

/** One option of the command line that stands for a setting. */
export interface SettingOption {
  /** Default: the key of the setting. */
  readonly name?: string;
  /** What stands for the value in the help; `undefined`: a switch. */
  readonly placeholder: string | undefined;
  readonly choices?: readonly string[];
  /** The words as they would stand in the file. @throws {TomlSyntaxError} a list that is none */
  read(words: string): TomlValue;
}

/** The value is not what the setting takes; the message says what it takes: `a number from 1 to 10`. */
export class WrongValue extends Error {}

/** How keys rotate: the section [rotation], and for one domain [domain."example.com"]. */
export const ROTATION_SCHEMA = {
  algorithms: words("the keys that sign together and rotate as one", ["rsa", "ed25519"], ["rsa"]),
  bits: integer("the length of RSA keys", 1024, 16384, 2048),
  selector: selectorTemplate(
    "the selector of a new key: {algorithm} {yyyymmdd} {yyyy} {mm} {n} {random}",
    "{algorithm}-{yyyymmdd}",
  ),
  "selector-ring": selectors("use these in turn instead, where CNAMEs stand for them at a provider", [
    "s1",
    "s2",
    "s3",
  ]),
  period: duration("how long a key signs", "90d"),
  overlap: duration("how long the record of the old key stays for mail on its way", "7d"),
  tombstone: duration("how long the old key's record then says that it is revoked", "30d"),
  margin: duration("how much longer to wait than caches may hold an older answer", "1h"),
  standby: flag("keep a key ready for the day that the active one leaks", false),
  reveal: absolutePath("a folder to publish private keys in once their records are gone", "/var/www/dkim-keys"),
  "alert-after": duration("how long the DNS may take before a person is told", "1d"),
  "look-again": duration("how long a domain that was found as it should be is not looked at", "30m"),
};

/** Every section and key there is. A key enters with the first code that reads it. */
export const CONFIG_SCHEMA = {
  store: {
    path: absolutePath("the folder of the private keys", "/var/lib/dkim"),
    mode: fileMode(
      "who may read new key files: 0600, or 0640 with a group for a signer that runs as another user",
      "0600",
    ),
    owner: text("the user who owns new key files", "root"),
    group: text("the group of new key files", "amavis"),
    url: storeUrl(
      "instead of a folder: a server that many machines share; see dkimctl-stores(7)",
      "redis://redis.example/0",
    ),
  },
  keygen: {
    algorithms: words("the keys that keygen makes for a domain", ["rsa", "ed25519"], ["rsa"]),
    bits: integer("the length of RSA keys", 1024, 16384, 2048),
    selector: selectorTemplate(
      "the selector of a new key: {algorithm} {yyyymmdd} {yyyy} {mm} {n} {random}",
      "{algorithm}-{yyyymmdd}",
    ),
  },
  records: {
    ttl: integer("the TTL of printed records, in seconds", 0, 2 ** 31 - 1, 3600),
  },
  dns: {
    servers: texts("the name servers to ask, ADDRESS or ADDRESS#PORT; default: those of the system", ["192.0.2.53"]),
    timeout: seconds("how long to wait for one answer, in seconds", 60, 3),
    retries: integer("how often to ask again", 0, 10, 1),
    "authoritative-port": integer("the port of authoritative servers, for laboratories", 1, 65535, 53),
  },
  rotation: ROTATION_SCHEMA,
  publish: {
    method: word("how records get into the DNS", ["manual", "nsupdate", "zone-file", "lexicon", "exec"], "manual"),
    server: text("nsupdate: the primary, ADDRESS or ADDRESS#PORT", "192.0.2.53"),
    "key-file": absolutePath("nsupdate: the TSIG key, as tsig-keygen writes it", "/etc/dkimctl.tsig"),
    file: absolutePath("zone-file: the file that the zone includes; {zone} is its name", "/etc/bind/dkim/{zone}.inc"),
    "serial-file": absolutePath("zone-file: the zone's file, whose serial is raised", "/etc/bind/db.{zone}"),
    check: texts("zone-file: what must accept the zone before that; no shell", [
      "named-checkzone",
      "{zone}",
      "/etc/bind/db.{zone}",
    ]),
    reload: texts("zone-file: what makes the server read it; no shell", ["rndc", "reload", "{zone}"]),
    provider: text("lexicon: the provider, as lexicon names it", "powerdns"),
    "config-dir": absolutePath("lexicon: the folder of lexicon_PROVIDER.yml, the credentials", "/etc/dkimctl.lexicon"),
    "split-strings": flag("lexicon: divide long records, for a provider that does not, such as route53", false),
    command: texts("exec: the program that changes the record; no shell", ["/usr/local/sbin/publish-dkim"]),
    "time-limit": duration("how long any of these may take", "30s"),
  },
  signer: {
    activate: texts("the program that makes the signer use a key; no shell", ["/usr/local/sbin/use-dkim-key"]),
    type: word(
      "instead of a program: which signer",
      ["amavis", "rspamd", "opendkim", "dkimpy-milter", "exim"],
      "rspamd",
    ),
    form: word("which of its ways to be told of keys", ["conf", "domain", "maps", "tables", "lsearch"], "domain"),
    output: absolutePath(
      "its file of keys, or their folder, which rotate replaces; dkimctl export writes it first",
      "/etc/rspamd/local.d/dkim_signing.conf",
    ),
    configuration: absolutePaths("what else names keys: none of them is revoked as long as one of these names it", [
      "/etc/rspamd/local.d/dkim_signing.conf",
    ]),
    reload: texts("what makes the signer read it; no shell", ["systemctl", "reload", "rspamd"]),
    user: text("the user that the signer runs as; default: Debian's", "_rspamd"),
    test: texts("a program that asks the signer whether it signs; no shell", ["amavisd", "testkeys", "{domain}"]),
    "test-url": text("rspamd: where it takes a message to sign", "http://127.0.0.1:11333/checkv2"),
    ttl: duration("amavis: signatures expire after this time", "30d"),
    "catch-all": text("amavis, opendkim: this domain's key signs other mail", "example.com"),
    "time-limit": duration("how long any of these may take", "1m"),
  },
  hooks: {
    "on-publish": texts("run after a record was asked for; no shell", ["/usr/local/sbin/dkim-published"]),
    "on-activate": texts("run after the signer has changed", ["/usr/local/sbin/dkim-activated"]),
    "on-retire": texts("run after a key was destroyed", ["/usr/local/sbin/dkim-retired"]),
  },
};

type Schema = typeof CONFIG_SCHEMA;
type Values<Keys> = { readonly [Key in keyof Keys]?: Keys[Key] extends Setting<infer Value> ? Value : never };

export type RotationSettings = Values<typeof ROTATION_SCHEMA>;

/** The sections that `[domain."example.com"]` may have of its own, below it. */
export const DOMAIN_SECTIONS = ["publish", "signer"] as const;

/** What one domain has otherwise than the sections `rotation`, `publish` and `signer`. */
export type DomainSettings = RotationSettings & {
  readonly [Section in (typeof DOMAIN_SECTIONS)[number]]?: Values<Schema[Section]>;
};

/** What the configuration says, under the names that it uses; what it does not say is absent. */
export type Settings = {
  readonly [Section in keyof Schema]: Values<Schema[Section]>;
} & {
  readonly domain: Readonly<Record<string, DomainSettings>>;
};

function text(comment: string, sample: string): Setting<string> {
  return {
    comment,
    sample: formatText(sample),
    parse(value) {
      if (value.kind !== "string" || value.value === "") throw new WrongValue("a text in quotes");
      return value.value;
    },
    format: formatText,
    option: { placeholder: "text", read: textValue },
  };
}

function textValue(words: string): TomlValue {
  return { kind: "string", value: words };
}

function absolutePath(comment: string, sample: string): Setting<string> {
  return {
    ...text(comment, sample),
    // On a command line a path begins in the current folder, as every other one does there.
    option: { placeholder: "path", read: (words) => textValue(words === "" ? words : resolve(words)) },
    parse(value) {
      if (value.kind !== "string" || !isAbsolute(value.value) || value.value.includes("\0")) {
        throw new WrongValue("an absolute path in quotes");
      }
      return value.value;
    },
  };
}

function storeUrl(comment: string, sample: string): Setting<string> {
  return {
    ...text(comment, sample),
    parse(value) {
      if (value.kind !== "string" || parseStoreAddress(value.value).kind === "directory") {
        throw new WrongValue(`the URL of a server in quotes; a folder is named by store.path`);
      }
      return value.value;
    },
  };
}

function absolutePaths(comment: string, sample: readonly string[]): Setting<readonly string[]> {
  const list = texts(comment, sample);
  return {
    ...list,
    parse(value) {
      const paths = list.parse(value);
      if (!paths.every((path) => isAbsolute(path) && !path.includes("\0"))) {
        throw new WrongValue("a list of absolute paths");
      }
      return paths;
    },
  };
}

function fileMode(comment: string, sample: string): Setting<number> {
  return {
    comment,
    sample: formatText(sample),
    parse(value) {
      if (value.kind === "integer" && value.text.startsWith("0o")) return parseFileMode(value.text.slice(2));
      if (value.kind !== "string") throw new WrongValue(`an octal mode in quotes, such as "0640"`);
      return parseFileMode(value.value);
    },
    format: (mode) => formatText(formatFileMode(mode)),
    option: { placeholder: "octal", read: textValue },
  };
}

function selectorTemplate(comment: string, sample: string): Setting<ReturnType<typeof parseSelectorTemplate>> {
  const plain = text(comment, sample);
  return {
    ...plain,
    parse: (value) => parseSelectorTemplate(plain.parse(value)),
    // Elsewhere --selector chooses among keys.
    option: { name: "selector-template", placeholder: "template", read: textValue },
  };
}

function integer(comment: string, least: number, most: number, sample: number): Setting<number> {
  return {
    comment,
    sample: String(sample),
    parse(value) {
      if (value.kind !== "integer" || value.value < least || value.value > most) {
        throw new WrongValue(`a whole number from ${least} to ${most}`);
      }
      return value.value;
    },
    format: String,
    option: { placeholder: "number", read: numberValue },
  };
}

function seconds(comment: string, most: number, sample: number): Setting<number> {
  return {
    comment,
    sample: String(sample),
    parse(value) {
      if ((value.kind !== "integer" && value.kind !== "float") || !(value.value > 0 && value.value <= most)) {
        throw new WrongValue(`a number of seconds, above 0 and up to ${most}`);
      }
      return value.value;
    },
    format: String,
    option: { placeholder: "seconds", read: numberValue },
  };
}

function numberValue(words: string): TomlValue {
  if (/^[0-9]+$/.test(words)) return { kind: "integer", value: Number(words), text: words };
  return /^[0-9]+\.[0-9]+$/.test(words) ? { kind: "float", value: Number(words), text: words } : textValue(words);
}

/** @param sample as people write it */
function duration(comment: string, sample: string): Setting<number> {
  const plain = text(comment, sample);
  return {
    ...plain,
    parse: (value) => parseDuration(plain.parse(value)),
    format: (ms) => formatText(formatDuration(ms)),
    option: { placeholder: "time", read: textValue },
  };
}

function flag(comment: string, sample: boolean): Setting<boolean> {
  return {
    comment,
    sample: String(sample),
    parse(value) {
      if (value.kind !== "boolean") throw new WrongValue("true or false");
      return value.value;
    },
    format: String,
    option: { placeholder: undefined, read: (words) => ({ kind: "boolean", value: words === "true" }) },
  };
}

function word<Word extends string>(comment: string, known: readonly Word[], sample: Word): Setting<Word> {
  return {
    comment,
    sample: formatText(sample),
    parse(value) {
      const match = known.find((candidate) => value.kind === "string" && candidate === value.value);
      if (match === undefined) throw new WrongValue(`one of ${known.map(formatText).join(", ")}`);
      return match;
    },
    format: formatText,
    option: { placeholder: "word", choices: known, read: textValue },
  };
}

function selectors(comment: string, sample: readonly string[]): Setting<readonly Selector[]> {
  const list = texts(comment, sample);
  return {
    ...list,
    parse(value) {
      const given = list.parse(value).map(parseSelector);
      if (new Set(given).size !== given.length) throw new WrongValue("a list of different selectors");
      return given;
    },
    format: formatTexts,
    option: { placeholder: "selector,...", read: commaListValue },
  };
}

function texts(comment: string, sample: readonly string[]): Setting<readonly string[]> {
  return {
    comment,
    sample: formatTexts(sample),
    parse(value) {
      if (value.kind !== "array" || value.items.length === 0) throw new WrongValue('a list of texts: ["..."]');
      return value.items.map((item) => {
        if (item.kind !== "string" || item.value === "") throw new WrongValue('a list of texts: ["..."]');
        return item.value;
      });
    },
    format: formatTexts,
    option: { placeholder: "words", read: wordListValue },
  };
}

function words<Word extends string>(
  comment: string,
  known: readonly Word[],
  sample: readonly Word[],
): Setting<readonly Word[]> {
  const list = texts(comment, sample);
  const wanted = `a list of different words out of ${known.map((word) => JSON.stringify(word)).join(", ")}`;
  return {
    ...list,
    parse(value) {
      const given = list.parse(value).map((word) => {
        const match = known.find((candidate) => candidate === word);
        if (match === undefined) throw new WrongValue(`${wanted}, not ${quoteName(word)}`);
        return match;
      });
      if (new Set(given).size !== given.length) throw new WrongValue(wanted);
      return given;
    },
    option: { placeholder: "word,...", read: commaListValue },
  };
}

/** `rsa,ed25519` */
function commaListValue(words: string): TomlValue {
  return { kind: "array", items: words.split(",").map((word) => textValue(word.trim())) };
}

/** `rndc reload {zone}`, or a list as the file has it where a word holds white space. */
function wordListValue(words: string): TomlValue {
  if (words.trimStart().startsWith("[")) {
    const [entry] = parseToml(`list = ${words}`);
    return entry?.value ?? textValue(words);
  }
  const items = words.split(/\s+/).filter((word) => word !== "");
  return { kind: "array", items: items.map(textValue) };
}

/** A TOML basic string: JSON's escapes are among its own, but it wants U+007F escaped too. */
function formatText(value: string): string {
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}

function formatTexts(values: readonly string[]): string {
  return `[${values.map(formatText).join(", ")}]`;
}
