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
  const state = readWords(words.slice(0, -1), program);
  const { optionValues, domains } = state;
  return { ...readCursor(words.at(-1) ?? "", state), optionValues, domains };
}

interface ReadState {
  /** The command that the words have led to. */
  command: CommandModel;
  /** Those of the command and of all above it: the program's options may stand behind the command's name, too. */
  options: readonly OptionModel[];
  operands: number;
  /** A `--` was met. */
  optionsEnded: boolean;
  /** The option whose value comes next. */
  pending: OptionModel | undefined;
  readonly optionValues: Map<string, string>;
  readonly domains: string[];
}

function readWords(words: readonly string[], program: CommandModel): ReadState {
  const state: ReadState = {
    command: program,
    options: program.options,
    operands: 0,
    optionsEnded: false,
    pending: undefined,
    optionValues: new Map(),
    domains: [],
  };
  for (const word of words) {
    if (state.pending !== undefined) {
      takeOptionValue(state, state.pending, word);
      state.pending = undefined;
    } else if (!state.optionsEnded && word === "--") {
      state.optionsEnded = true;
    } else if (!state.optionsEnded && word.startsWith("-") && word !== "-") {
      const { option, value } = splitOption(word, state.options);
      if (option !== undefined && value !== undefined) takeOptionValue(state, option, value);
      else if (option?.valueIsWord === true) state.pending = option;
    } else {
      takeOperand(state, word);
    }
  }
  return state;
}

function takeOptionValue({ optionValues, domains }: ReadState, { flags, value }: OptionModel, text: string): void {
  for (const flag of flags) optionValues.set(flag, text);
  if (value?.kind === "domain") domains.push(text);
}

function takeOperand(state: ReadState, word: string): void {
  const { command } = state;
  const subcommand =
    state.operands === 0
      ? command.commands.find(({ name, aliases }) => name === word || aliases.includes(word))
      : undefined;
  if (subcommand !== undefined) {
    state.command = subcommand;
    state.options = [...subcommand.options, ...state.options];
    return;
  }
  if (argumentAt(command, state.operands)?.value.kind === "domain") state.domains.push(word);
  state.operands += 1;
}

function readCursor(
  word: string,
  { command, options, operands, optionsEnded, pending }: ReadState,
): Pick<CommandLine, "current" | "prefix" | "expected"> {
  const whole = { current: word, prefix: "" };
  if (pending?.value !== undefined) return { ...whole, expected: { kind: "value", value: pending.value } };
  if (!optionsEnded && word.startsWith("-")) {
    const { option, value: current } = splitOption(word, options);
    if (word.startsWith("--") && option?.value !== undefined && current !== undefined) {
      const prefix = word.slice(0, word.length - current.length);
      return { current, prefix, expected: { kind: "value", value: option.value } };
    }
    return { ...whole, expected: { kind: "option", options } };
  }
  if (operands === 0 && command.commands.length > 0) {
    return { ...whole, expected: { kind: "command", commands: command.commands } };
  }
  const argument = argumentAt(command, operands);
  return {
    ...whole,
    expected: argument === undefined ? { kind: "nothing" } : { kind: "value", value: argument.value },
  };
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

function argumentAt(command: CommandModel, position: number): ArgumentModel | undefined {
  const last = command.arguments.at(-1);
  return command.arguments[position] ?? (last?.variadic === true ? last : undefined);
}
