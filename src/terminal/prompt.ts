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
  type Questions = Parameters<typeof ask>[0];
  async function answer<Value>(question: Record<string, unknown>): Promise<Value> {
    const answers = await ask([{ ...question, name: "answer" }] as unknown as Questions);
    return (answers as { answer: Value }).answer;
  }
  return {
    text: (message, options = {}) => answer({ type: "input", message, ...options }),
    secret: (message) => answer({ type: "password", message, mask: "*" }),
    confirm: (message, options = {}) => answer({ type: "confirm", message, default: false, ...options }),
    choose: (message, choices, options = {}) => answer({ type: "select", message, choices: [...choices], ...options }),
  };
}
