import type { Readable, Writable } from "node:stream";
import inquirer from "inquirer";
import { UnderWay } from "../under-way.ts";

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

export interface PrompterStreams {
  readonly input: Readable;
  /** stderr, since stdout carries data only. */
  readonly output: Writable;
  /** Ends a question that waits for its answer. */
  readonly signal: AbortSignal;
  /** Called when the person ends the run with Ctrl-C; it must abort `signal`. */
  readonly interrupt: () => void;
}

/** A prompter that leaves the terminal as it was. */
export interface TerminalPrompter extends Prompter {
  /** Resolves when no question is open: one that is ended puts the terminal back a little later than the run ends. */
  closed(): Promise<void>;
}

/** Asks a person on a terminal. Ctrl-C at a question ends the run. */
export function createPrompter({ interrupt, ...streams }: PrompterStreams): TerminalPrompter {
  const ask = inquirer.createPromptModule(streams);
  const questions = new UnderWay();
  type Questions = Parameters<typeof ask>[0];
  async function answer<Value>(question: Record<string, unknown>): Promise<Value> {
    try {
      const answers = await questions.add(ask([{ ...question, name: "answer" }] as unknown as Questions));
      return (answers as { answer: Value }).answer;
    } catch (error) {
      if (error instanceof Error && error.name === "ExitPromptError") interrupt();
      throw error;
    }
  }
  return {
    text: (message, options = {}) => answer({ type: "input", message, ...options }),
    secret: (message) => answer({ type: "password", message, mask: "*" }),
    confirm: (message, options = {}) => answer({ type: "confirm", message, default: false, ...options }),
    choose: (message, choices, options = {}) => answer({ type: "select", message, choices: [...choices], ...options }),
    closed: () => questions.ended(),
  };
}
