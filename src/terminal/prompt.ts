import type { Readable, Writable } from "node:stream";
import inquirer from "inquirer";

/** Questions to a person at a terminal. Each answer also has a flag. */
export interface Prompter {
  text(question: string, options?: { default?: string; validate?: (answer: string) => true | string }): Promise<string>;
  secret(question: string): Promise<string>;
  confirm(question: string, options?: { default?: boolean }): Promise<boolean>;
  choose<Value extends string>(
    question: string,
    choices: readonly { name: string; value: Value }[],
    options?: { default?: Value },
  ): Promise<Value>;
}

/** A prompter on the given streams: stderr for the questions, since stdout carries data only. */
export function createPrompter(streams: { input: Readable; output: Writable; signal: AbortSignal }): Prompter {
  const ask = inquirer.createPromptModule({ input: streams.input, output: streams.output, signal: streams.signal });
  async function answer<Value>(question: Parameters<typeof ask>[0]): Promise<Value> {
    const answers = (await ask(question)) as { answer: Value };
    return answers.answer;
  }
  return {
    text: (message, { default: preset, validate } = {}) =>
      answer<string>([
        {
          type: "input",
          name: "answer",
          message,
          ...(preset !== undefined && { default: preset }),
          ...(validate && { validate }),
        },
      ] as Parameters<typeof ask>[0]),
    secret: (message) =>
      answer<string>([{ type: "password", name: "answer", message, mask: "*" }] as Parameters<typeof ask>[0]),
    confirm: (message, { default: preset = false } = {}) =>
      answer<boolean>([{ type: "confirm", name: "answer", message, default: preset }] as Parameters<typeof ask>[0]),
    choose: (message, choices, { default: preset } = {}) =>
      answer([
        {
          type: "select",
          name: "answer",
          message,
          choices: [...choices],
          ...(preset !== undefined && { default: preset }),
        },
      ] as Parameters<typeof ask>[0]),
  };
}
