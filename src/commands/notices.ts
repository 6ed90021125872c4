import type { CliContext } from "../context.ts";
import type { DkimctlError } from "../errors.ts";
import { visibleText } from "../terminal/visible-text.ts";
import type { GlobalOptions } from "./options.ts";

/** What a command says to the person beside its data: always on stderr, one line each, named as dkimctl's. */
export interface Notices {
  /** What was done. Hidden by `--quiet`. */
  notice(text: string): void;
  /** What a person should look at. */
  warn(text: string, hint?: string): void;
  /** Only with `--verbose`. */
  detail(text: string): void;
  /** A failure that does not end the run. */
  error(error: DkimctlError): void;
}

/** Notices on the standard error of a run, with control characters made visible. */
export function createNotices(cli: CliContext, { quiet, verbose }: Pick<GlobalOptions, "quiet" | "verbose">): Notices {
  const say = (text: string) => cli.stderr.write(`dkimctl: ${visibleText(text)}\n`);
  const hint = (text: string | undefined) => {
    if (text !== undefined) say(`hint: ${text}`);
  };
  return {
    notice(text) {
      if (!quiet) say(text);
    },
    warn(text, next) {
      say(`warning: ${text}`);
      hint(next);
    },
    detail(text) {
      if (verbose) say(text);
    },
    error(error) {
      say(`error: ${error.message}`);
      hint(error.hint);
    },
  };
}
