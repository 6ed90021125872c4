import type { ChalkInstance } from "chalk";

/** Text with or without colour, by meaning. Made once per stream. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

export type ColorChoice = "auto" | "always" | "never";

const plain = (text: string) => text;
const NO_STYLE: Style = { good: plain, bad: plain, warn: plain, dim: plain, strong: plain };

/** `--color` decides; else `NO_COLOR` (not empty), then `FORCE_COLOR`, then whether it is a terminal that is not dumb. */
export function wantsColor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTTY: boolean,
): boolean {
  if (choice !== "auto") return choice === "always";
  if ((env.NO_COLOR ?? "") !== "") return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return isTTY && env.TERM !== "dumb";
}

/** Loads chalk only when colour is on. */
export async function createStyle(color: boolean): Promise<Style> {
  if (!color) return NO_STYLE;
  const { Chalk } = await import("chalk");
  const chalk: ChalkInstance = new Chalk({ level: 1 });
  return { good: chalk.green, bad: chalk.red, warn: chalk.yellow, dim: chalk.dim, strong: chalk.bold };
}
