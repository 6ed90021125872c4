import { type Command, InvalidArgumentError, Option } from "commander";
import { CONFIG_SCHEMA } from "../config/config-schema.ts";
import { TomlSyntaxError } from "../config/config-toml.ts";
import { type Setting, WrongValue } from "../config/setting.ts";
import type { Settings } from "../config.ts";
import { DkimctlError, UsageError } from "../errors.ts";
import { signerOver } from "./signer-settings.ts";

/** The sections whose settings are options too, and what stands before their names. */
const SECTIONS = { rotation: "", publish: "publish-", signer: "signer-", hooks: "" } as const;

export type OptionSection = keyof typeof SECTIONS;

/** An option whose value is kept under `section.key`: no other option has such a name. */
class SettingOption extends Option {
  readonly #key: string;
  constructor(flags: string, description: string, key: string) {
    super(flags, description);
    this.#key = key;
  }
  override attributeName(): string {
    return this.#key;
  }
}

/** Adds an option for each setting of these sections, as the schema of the configuration declares it. */
export function addSettingOptions(command: Command, ...sections: readonly OptionSection[]): Command {
  for (const section of sections) {
    const heading = `Instead of [${section}] in the configuration, for this run:`;
    for (const [key, setting] of Object.entries<Setting<unknown>>(CONFIG_SCHEMA[section])) {
      for (const option of settingOptions(section, key, setting)) command.addOption(option.helpGroup(heading));
    }
  }
  return command;
}

function settingOptions(section: OptionSection, key: string, setting: Setting<unknown>): Option[] {
  const { name = key, placeholder, choices } = setting.option;
  const flag = `${SECTIONS[section]}${name}`;
  const place = `${section}.${key}`;
  if (placeholder === undefined) {
    const opposite = "not so, whatever the configuration says";
    return [new SettingOption(`--${flag}`, setting.comment, place), new SettingOption(`--no-${flag}`, opposite, place)];
  }
  const option = new SettingOption(`--${flag} <${placeholder}>`, setting.comment, place);
  if (choices !== undefined) return [option.choices(choices)];
  return [option.argParser((words) => parseSetting(setting, words, flag))];
}

function parseSetting(setting: Setting<unknown>, words: string, flag: string): unknown {
  try {
    return setting.parse(setting.option.read(words));
  } catch (error) {
    // What TOML wants quoted is not quoted here.
    if (error instanceof WrongValue)
      throw new InvalidArgumentError(`It must be ${error.message.replace(" in quotes", "")}.`);
    if (error instanceof TomlSyntaxError) throw new InvalidArgumentError(`It is no list: ${error.message}.`);
    if (error instanceof DkimctlError) {
      throw new UsageError(`--${flag}: ${error.message}`, { hint: error.hint, cause: error });
    }
    throw error;
  }
}

/** The settings with what the options of `addSettingOptions` say instead, for every domain. */
export function applySettingOptions<Known extends Pick<Settings, OptionSection | "domain">>(
  settings: Known,
  options: object,
): Known {
  const said = (section: OptionSection) => valuesOf(section, options);
  const [rotation, publish, signer, hooks] = [said("rotation"), said("publish"), said("signer"), said("hooks")];
  const domain = Object.entries(settings.domain).map(([name, own]) => [
    name,
    {
      ...own,
      ...rotation,
      publish: own.publish && { ...own.publish, ...publish },
      signer: own.signer && signerOver(own.signer, signer),
    },
  ]);
  return {
    ...settings,
    rotation: { ...settings.rotation, ...rotation },
    publish: { ...settings.publish, ...publish },
    signer: signerOver(settings.signer, signer),
    hooks: { ...settings.hooks, ...hooks },
    domain: Object.fromEntries(domain),
  };
}

function valuesOf(section: OptionSection, options: object): Record<string, unknown> {
  const place = `${section}.`;
  const given = Object.entries<unknown>({ ...options }).filter(([name]) => name.startsWith(place));
  return Object.fromEntries(given.map(([name, value]) => [name.slice(place.length), value]));
}
