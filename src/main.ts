import { CommanderError } from "commander";
import { type CliContext, Interruption } from "./context.ts";
import { DkimctlError, ExitCode } from "./errors.ts";
import { buildProgram, COMMAND_NAMES } from "./program.ts";

/** Runs one command line. Arguments and context to exit status; the only place that prints errors. */
export async function main(argv: readonly string[], cli: CliContext): Promise<ExitCode> {
  try {
    const program = await buildProgram(cli, argv);
    await Promise.race([program.parseAsync([...argv], { from: "user" }), interrupted(cli.signal)]);
  } catch (error) {
    return report(error, argv, cli);
  }
  return cli.exitCode;
}

/** Rejects as soon as the run is ended from outside: work in the thread pool cannot be stopped, only left. */
function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

function report(error: unknown, argv: readonly string[], cli: CliContext): ExitCode {
  if (cli.signal.aborted || error instanceof Interruption) return cli.exitCode;
  const say = (kind: string, text: string) => cli.stderr.write(`dkimctl: ${kind}: ${text}\n`);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    const [message = "", ...suggestions] = error.message.replace(/^error: /, "").split("\n");
    say("error", message);
    say("hint", suggestions.join(" ").replace(/^\((.*)\)$/, "$1") || `see "${helpCommand(argv)}"`);
    return ExitCode.usage;
  }
  if (error instanceof DkimctlError) {
    say("error", error.message);
    if (error.hint !== undefined) say("hint", error.hint);
    if (isVerbose(argv)) for (const cause of causes(error)) say("cause", cause);
    return error.exitCode;
  }
  say("bug", error instanceof Error ? `${error.name}: ${firstLine(error.message)}` : firstLine(String(error)));
  say("hint", "please report this line with the command you ran; run it again with -v for the details that help");
  if (isVerbose(argv) && error instanceof Error) cli.stderr.write(`${error.stack}\n`);
  return ExitCode.internal;
}

function isVerbose(argv: readonly string[]): boolean {
  return argv.includes("--verbose") || argv.includes("-v");
}

function helpCommand(argv: readonly string[]): string {
  const command = argv.find((word) => COMMAND_NAMES.includes(word));
  return command === undefined ? "dkimctl --help" : `dkimctl ${command} --help`;
}

function* causes(error: Error): Generator<string> {
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) yield firstLine(cause.message);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
