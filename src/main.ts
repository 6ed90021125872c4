import { type Command, CommanderError } from "commander";
import { type CliContext, Interruption } from "./context.ts";
import { DkimctlError, ExitCode } from "./errors.ts";
import { packageVersion } from "./package-version.ts";
import { buildProgram, findCommand, onlyPrints } from "./program.ts";
import { visibleText } from "./terminal/visible-text.ts";
import { explainCommanderError } from "./usage-errors.ts";

/** Alone on the line they need no parser, whose making is most of what the answer would cost. */
const VERSION_FLAGS = ["-V", "--version"];

/** Runs one command line. Arguments and context to exit status; the only place that prints errors. */
export async function main(argv: readonly string[], cli: CliContext): Promise<ExitCode> {
  if (argv.length === 1 && VERSION_FLAGS.includes(argv[0] ?? "")) {
    cli.stdout.write(`${packageVersion()}\n`);
    return ExitCode.ok;
  }
  try {
    const program = await buildProgram(cli, argv);
    const interrupted = interruption(program, cli);
    await Promise.race([program.parseAsync([...argv], { from: "user" }), interrupted]);
  } catch (error) {
    return reportError(reasonFor(error, cli), argv, cli);
  } finally {
    // What was opened last may still need what it was opened with. What cannot be closed any more is closed.
    for (const close of cli.closers.splice(0).reverse()) await close().catch(() => {});
  }
  return cli.exitCode;
}

/**
 * Rejects as soon as the command's run is ended from outside: work in the thread pool cannot be stopped, only left. What
 * has nothing to leave in order does without it, and without the 0.2 ms that it takes to listen to signals.
 */
function interruption(program: Command, cli: CliContext): Promise<never> {
  return new Promise((_, reject) => {
    program.hook("preAction", (_program, command) => {
      if (!onlyPrints(command.name())) cli.onEnd(reject);
    });
  });
}

/** Whatever fails once the run is being ended fails because of that. */
function reasonFor(error: unknown, cli: CliContext): unknown {
  try {
    cli.throwIfEnded();
    return error;
  } catch (reason) {
    return reason;
  }
}

/** Says on stderr what went wrong. @returns the exit status that tells it to scripts */
export function reportError(error: unknown, argv: readonly string[], cli: CliContext): ExitCode {
  if (error instanceof Interruption) return cli.exitCode;
  const say = (kind: string, text: string) => cli.stderr.write(`dkimctl: ${kind}: ${visibleText(text)}\n`);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    // `dkimctl` alone: commander has printed the help on stderr, and there is no more to say.
    if (error.code === "commander.help") return ExitCode.usage;
    return reportError(explainCommanderError(error, helpCommand(argv)), argv, cli);
  }
  if (error instanceof DkimctlError) {
    const told = cli.tellFailure?.(error, argv);
    if (told !== undefined) return told;
    say("error", error.message);
    if (error.hint !== undefined) say("hint", error.hint);
    if (isVerbose(argv)) for (const cause of causes(error)) say("cause", cause);
    return error.exitCode;
  }
  say("bug", error instanceof Error ? `${error.name}: ${firstLine(error.message)}` : firstLine(String(error)));
  say("hint", "please report this line with the command you ran; run it again with -v for the details that help");
  if (isVerbose(argv) && error instanceof Error) {
    for (const line of (error.stack ?? "").split("\n")) cli.stderr.write(`${visibleText(line)}\n`);
  }
  return ExitCode.internal;
}

/** Read from the words themselves, since the fault may be one that kept them from being parsed. */
function isVerbose(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).some((word) => word === "--verbose" || /^-[a-z]*v$/.test(word));
}

function helpCommand(argv: readonly string[]): string {
  const command = findCommand(argv);
  return command === undefined ? "dkimctl --help" : `dkimctl ${command} --help`;
}

function* causes(error: Error): Generator<string> {
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) yield firstLine(cause.message);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
