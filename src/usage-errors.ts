import type { CommanderError } from "commander";
import { UsageError } from "./errors.ts";
import { quoteName } from "./keys/domain-name.ts";
import { nearestName } from "./nearest-name.ts";

/*
 * What commander says, in the words of the house: lower case, no full stop, the value quoted, the next step apart.
 * Its messages are its only account of what was wrong; one that is not known here is passed on as it is.
 */

/** @param help the command that explains what may be typed */
export function explainCommanderError({ code, message }: CommanderError, help: string): UsageError {
  const text = message.replace(/^error: /, "");
  const hint = suggestion(text) ?? `see "${help}"`;
  const fault = text.split("\n(Did you mean ")[0] ?? text;
  for (const [known, pattern, explain] of FAULTS) {
    const match = known === code ? pattern.exec(fault) : null;
    if (match !== null) return explain(match.slice(1), hint);
  }
  return new UsageError(fault.replace(/\.$/, ""), { hint });
}

type Explain = (parts: string[], hint: string) => UsageError;

const FAULTS: readonly (readonly [code: string, pattern: RegExp, explain: Explain])[] = [
  ["commander.unknownCommand", /^unknown command '(.*)'$/s, named("command")],
  ["commander.unknownOption", /^unknown option '(.*)'$/s, named("option")],
  ["commander.optionMissingArgument", /^option '(.*)' argument missing$/, missingValue],
  ["commander.missingArgument", /^missing required argument '(.*)'$/, missingArgument],
  ["commander.excessArguments", /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+)\.$/, excess],
  ["commander.invalidArgument", /^option '(.*?)' argument '(.*)' is invalid\. (.*)$/s, wrongOptionValue],
  [
    "commander.invalidArgument",
    /^command-argument value '(.*)' is invalid for argument '(.*?)'\. (.*)$/s,
    ([value = "", name = "", reason = ""], hint) => wrongValue(value, name.toUpperCase(), reason, hint),
  ],
];

function named(what: string): Explain {
  return ([name = ""], hint) => new UsageError(`unknown ${what} ${quoteName(name)}`, { hint });
}

function missingValue([flags = ""]: string[], hint: string): UsageError {
  return new UsageError(`${longFlag(flags)} lacks its value`, { hint });
}

function missingArgument([name = ""]: string[], hint: string): UsageError {
  return new UsageError(`${name.toUpperCase()} is missing`, { hint });
}

function excess([command = "", most = "", given = ""]: string[], hint: string): UsageError {
  const takes = most === "0" ? "no arguments" : most === "1" ? "one argument" : `${most} arguments`;
  return new UsageError(`${command} takes ${takes}, and ${given} ${given === "1" ? "is" : "are"} given`, { hint });
}

function wrongOptionValue([flags = "", value = "", reason = ""]: string[], hint: string): UsageError {
  return wrongValue(value, longFlag(flags), reason, hint);
}

function wrongValue(value: string, place: string, reason: string, hint: string): UsageError {
  const choices = /^Allowed choices are (.*)\.$/.exec(reason)?.[1]?.split(", ");
  if (choices === undefined) {
    const said = reason.charAt(0).toLowerCase() + reason.slice(1).replace(/\.$/, "");
    return new UsageError(`${quoteName(value)} is no value for ${place}: ${said}`, { hint });
  }
  const nearest = nearestName(value, choices);
  return new UsageError(`${quoteName(value)} is no value for ${place}`, {
    hint: nearest === undefined ? `it takes ${choices.join(", ")}` : `did you mean ${nearest}?`,
  });
}

/** `-d, --domain <domain>` is known best as `--domain`. */
function longFlag(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function suggestion(text: string): string | undefined {
  const [, likely] = /\n\(Did you mean (.*)\?\)$/s.exec(text) ?? [];
  return likely === undefined ? undefined : `did you mean ${likely}?`;
}
