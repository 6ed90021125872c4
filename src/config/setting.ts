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

/** Any text but none. */
export function text(comment: string, sample: string): Setting<string> {
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

/** The absolute path of a file or a folder. */
export function absolutePath(comment: string, sample: string): Setting<string> {
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

/** The address of a server that keeps keys. */
export function storeUrl(comment: string, sample: string): Setting<string> {
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

/** One path or more. */
export function absolutePaths(comment: string, sample: readonly string[]): Setting<readonly string[]> {
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

/** Octal permission bits, as a text or as TOML has octal numbers. */
export function fileMode(comment: string, sample: string): Setting<number> {
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

/** What selectors are made of. */
export function selectorTemplate(comment: string, sample: string): Setting<ReturnType<typeof parseSelectorTemplate>> {
  const plain = text(comment, sample);
  return {
    ...plain,
    parse: (value) => parseSelectorTemplate(plain.parse(value)),
    // Elsewhere --selector chooses among keys.
    option: { name: "selector-template", placeholder: "template", read: textValue },
  };
}

/** A whole number from `least` to `most`. */
export function integer(comment: string, least: number, most: number, sample: number): Setting<number> {
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

/** Seconds, above 0 and up to `most`, with fractions. */
export function seconds(comment: string, most: number, sample: number): Setting<number> {
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

/** A span of time, in milliseconds. @param sample as people write it */
export function duration(comment: string, sample: string): Setting<number> {
  const plain = text(comment, sample);
  return {
    ...plain,
    parse: (value) => parseDuration(plain.parse(value)),
    format: (ms) => formatText(formatDuration(ms)),
    option: { placeholder: "time", read: textValue },
  };
}

/** True or false. */
export function flag(comment: string, sample: boolean): Setting<boolean> {
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

/** One of some words. */
export function word<Word extends string>(comment: string, known: readonly Word[], sample: Word): Setting<Word> {
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

/** Different selectors, in order. */
export function selectors(comment: string, sample: readonly string[]): Setting<readonly Selector[]> {
  const list = texts(comment, sample);
  return {
    ...list,
    parse(value) {
      const given = list.parse(value).map(parseSelector);
      if (new Set(given).size !== given.length) throw new WrongValue("a list of different selectors");
      return given;
    },
    option: { placeholder: "selector,...", read: commaListValue },
  };
}

/** One text or more: a program and its arguments, or a list of servers. */
export function texts(comment: string, sample: readonly string[]): Setting<readonly string[]> {
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

/** Different ones of some words, in order. */
export function words<Word extends string>(
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
