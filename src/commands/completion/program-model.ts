import type { Argument, Command, Option } from "commander";

/** A command as completion sees it: what may be typed after its name. */
export interface CommandModel {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly commands: readonly CommandModel[];
  readonly options: readonly OptionModel[];
  readonly arguments: readonly ArgumentModel[];
}

export interface OptionModel {
  /** `-d` and `--domain`, those that it has. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What follows the option; `undefined` for a switch, or when the value may be left out (then only `--name=value` is one). */
  readonly value: ValueModel | undefined;
  /** Whether the value may be a word of its own, as in `--name value`. */
  readonly valueIsWord: boolean;
}

export interface ArgumentModel {
  readonly value: ValueModel;
  readonly variadic: boolean;
}

/** Values that can be told beforehand; `other` is for the shell, which offers file names. */
export interface ValueModel {
  readonly kind: "choice" | "domain" | "selector" | "other";
  readonly choices: readonly string[];
}

/**
 * The commands and options of a commander program, hidden ones left out.
 * What a value is follows from its placeholder: `<domain>`, `[file-or-domain]` and `<zone>` are domains of the store,
 * `<selector>` is a selector; `choices()` are offered as they are.
 */
export function describeProgram(program: Command): CommandModel {
  const help = program.createHelp();
  return {
    name: program.name(),
    aliases: program.aliases(),
    description: firstLine(program.description()),
    commands: help.visibleCommands(program).map(describeProgram),
    options: help.visibleOptions(program).map(describeOption),
    arguments: program.registeredArguments.map(describeArgument),
  };
}

function describeOption(option: Option): OptionModel {
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: firstLine(option.description),
    value: placeholder === undefined ? undefined : describeValue(placeholder, option.argChoices),
    valueIsWord: option.required,
  };
}

function describeArgument(argument: Argument): ArgumentModel {
  return { value: describeValue(argument.name(), argument.argChoices), variadic: argument.variadic };
}

function describeValue(placeholder: string, choices: readonly string[] | undefined): ValueModel {
  if (choices !== undefined) return { kind: "choice", choices };
  const words = placeholder.toLowerCase().split(/[^a-z]+/);
  const has = (...names: string[]) => words.some((word) => names.includes(word.replace(/s$/, "")));
  const kind = has("domain", "zone") ? "domain" : has("selector") ? "selector" : "other";
  return { kind, choices: [] };
}

/** Shells show one line, and a TAB divides it from the word. */
function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replaceAll("\t", " ").trim();
}
