import { shellQuote } from "../keys/file-permissions.ts";
import type { GlobalOptions } from "./options.ts";

/**
 * A next step as it can be typed: on the same store and with the same configuration as this run, where the command line
 * named them.
 */
export function commandLine({ store, config }: Pick<GlobalOptions, "store" | "config">, ...words: string[]): string {
  const options = [
    ...(store === undefined ? [] : ["--store", store]),
    ...(config === undefined ? [] : ["--config", config]),
  ];
  return ["dkimctl", ...words, ...options].map(shellQuote).join(" ");
}
