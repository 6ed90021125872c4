import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../errors.ts";
import { parseFileMode } from "../keys/file-access.ts";
import type { ColorChoice } from "../terminal/style.ts";

/** The options that every command knows, declared on the program. */
export interface GlobalOptions {
  readonly store?: string;
  readonly config?: string;
  readonly color: ColorChoice;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Options of commands that make key files. */
export interface KeyFileOptions {
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
  readonly insecurePermissions?: boolean;
}

export interface PassphraseOptions {
  readonly passphraseFile?: string;
}

/** Adds `--passphrase-file`, for commands that read private keys. */
export function addPassphraseOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--passphrase-file <file>",
      "holds the passphrase of encrypted keys (asked for on a terminal)",
    ).argParser(filePath("--passphrase-file")),
  );
}

/** Adds `--mode`, `--owner`, `--group`, `--insecure-permissions`. */
export function addKeyFileOptions(command: Command): Command {
  return command
    .addOption(new Option("--mode <octal>", "permissions of the key file (default: 0600)").argParser(parseFileMode))
    .option("--owner <user>", "owner of the key file, for a signer that runs as another user")
    .option("--group <group>", "group of the key file")
    .option("--insecure-permissions", "allow a mode that lets every user read the key");
}

/** `--format` with its choices, and `--json` for `--format json`; of several, the last one holds. */
export function addFormatOptions(
  command: Command,
  formats: readonly string[],
  preset: string,
  short?: string,
): Command {
  return command
    .addOption(
      new Option(`${short === undefined ? "" : `${short}, `}--format <format>`, "output format")
        .choices(formats)
        .default(preset),
    )
    .addOption(new Option("--json", "short for --format json"))
    .on("option:json", () => command.setOptionValueWithSource("format", "json", "cli"));
}

/** What records say when nobody says otherwise, as amavisd has it. */
export const DEFAULT_TTL_SECONDS = 3600;

/** `--ttl`, of printed records. */
export function addTtlOption(command: Command): Command {
  return command.addOption(
    new Option("--ttl <seconds>", `TTL of the records (default: ${DEFAULT_TTL_SECONDS})`).argParser(
      wholeNumber("seconds", { min: 0, max: 2 ** 31 - 1 }),
    ),
  );
}

/** An argParser that collects the values of a repeated option. */
export function collect<Value>(
  parse: (text: string) => Value,
): (text: string, previous: Value[] | undefined) => Value[] {
  return (text, previous) => [...(previous ?? []), parse(text)];
}

/** An argParser for paths: an empty one is a variable that is not set, and would mean the current folder. */
export function filePath(option: string): (text: string) => string {
  return (text) => {
    if (text === "") throw new UsageError(`the path after ${option} is empty`);
    return text;
  };
}

/** An argParser for whole numbers. */
export function wholeNumber(unit: string, { min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It is not a whole number of ${unit} from ${min} to ${max}.`);
    }
    return value;
  };
}
