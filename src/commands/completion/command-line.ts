import type { ArgumentModel, CommandModel, OptionModel, ValueModel } from "./program-model.ts";

/** A command line that somebody is typing, read as far as it goes. */
export interface CommandLine {
  /** What stands at the cursor, for a value in `--name=val` the `val` alone. */
  readonly current: string;
  /** What stands before `current` in the same word: `--name=` or nothing. */
  readonly prefix: string;
  /** What may come at the cursor. */
  readonly expected: Expected;
  /** Options given before the cursor, by each of their flags; the last value wins. */
  readonly optionValues: ReadonlyMap<string, string>;
  /** Domains given before the cursor, as typed. */
  readonly domains: readonly string[];
}

export type Expected =
  | { readonly kind: "option"; readonly options: readonly OptionModel[] }
  | { readonly kind: "command"; readonly commands: readonly CommandModel[] }
  | { readonly kind: "value"; readonly value: ValueModel }
  | { readonly kind: "nothing" };

/**
 * @param words all after the program's name, the word at the cursor last (empty when a new word starts there)
 */
export function readCommandLine(words: readonly string[], program: CommandModel): CommandLine {
  const before = words.slice(0, -1);
  const word = words.at(-1) ?? "";
  let command = program;
  // The program's options may stand behind the command's name, too.
  let options = [...program.options];
  let operands = 0;
  let optionsEnded = false;
  let pending: OptionModel | undefined;
  const optionValues = new Map<string, string>();
  const domains: string[] = [];

  const takeValue = (value: ValueModel, text: string) => {
    if (value.kind === "domain") domains.push(text);
  };
  const takeOptionValue = (option: OptionModel, text: string) => {
    for (const flag of option.flags) optionValues.set(flag, text);
    if (option.value !== undefined) takeValue(option.value, text);
  };

  for (const text of before) {
    if (pending !== undefined) {
      takeOptionValue(pending, text);
      pending = undefined;
    } else if (!optionsEnded && text === "--") {
      optionsEnded = true;
    } else if (!optionsEnded && text.startsWith("-") && text !== "-") {
      const { option, value } = splitOption(text, options);
      if (option !== undefined && value !== undefined) takeOptionValue(option, value);
      else if (option?.valueIsWord === true) pending = option;
    } else {
      const subcommand = operands === 0 ? findCommand(command, text) : undefined;
      if (subcommand !== undefined) {
        command = subcommand;
        options = [...command.options, ...options];
      } else {
        const argument = argumentAt(command, operands);
        if (argument !== undefined) takeValue(argument.value, text);
        operands += 1;
      }
    }
  }

  const line = { optionValues, domains };
  if (pending?.value !== undefined) {
    return { ...line, current: word, prefix: "", expected: { kind: "value", value: pending.value } };
  }
  if (!optionsEnded && word.startsWith("-") && word !== "-") {
    const { option, value: current } = splitOption(word, options);
    if (word.startsWith("--") && option?.value !== undefined && current !== undefined) {
      const prefix = word.slice(0, word.length - current.length);
      return { ...line, current, prefix, expected: { kind: "value", value: option.value } };
    }
    return { ...line, current: word, prefix: "", expected: { kind: "option", options } };
  }
  if (!optionsEnded && word === "-") {
    return { ...line, current: word, prefix: "", expected: { kind: "option", options } };
  }
  if (operands === 0 && command.commands.length > 0) {
    return { ...line, current: word, prefix: "", expected: { kind: "command", commands: command.commands } };
  }
  const argument = argumentAt(command, operands);
  const expected: Expected = argument === undefined ? { kind: "nothing" } : { kind: "value", value: argument.value };
  return { ...line, current: word, prefix: "", expected };
}

/** `--name=value` and `-nvalue` hold their value; `--name` and `-n` do not. */
function splitOption(
  text: string,
  options: readonly OptionModel[],
): { option: OptionModel | undefined; value: string | undefined } {
  const [, name = text, value] = /^(--[^=]+)=([\s\S]*)$/.exec(text) ?? [];
  const exact = options.find(({ flags }) => flags.includes(name));
  if (exact !== undefined || text.startsWith("--")) return { option: exact, value };
  const short = options.find(({ flags, value }) => value !== undefined && flags.includes(text.slice(0, 2)));
  return { option: short, value: short === undefined ? undefined : text.slice(2) };
}

function findCommand(command: CommandModel, name: string): CommandModel | undefined {
  return command.commands.find((candidate) => candidate.name === name || candidate.aliases.includes(name));
}

function argumentAt(command: CommandModel, position: number): ArgumentModel | undefined {
  const last = command.arguments.at(-1);
  return command.arguments[position] ?? (last?.variadic === true ? last : undefined);
}
