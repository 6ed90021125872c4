import { createInterface } from "node:readline";
import { answerRecordLine } from "../checks/record-stream.ts";
import type { CliContext } from "../context.ts";
import { ExitCode } from "../errors.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";

export interface StreamOptions {
  /** Whether factors of RSA keys are looked for; see `KeyStrengthOptions`. */
  readonly arithmetic: boolean;
  readonly blockList: BlockList | undefined;
}

/** Each line of standard input is a question, each line of standard output its answer, in order and as it comes. */
export async function answerRecordStream(cli: CliContext, options: StreamOptions): Promise<void> {
  let lineNumber = 0;
  for await (const line of createInterface({ input: cli.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    cli.signal.throwIfAborted();
    lineNumber++;
    if (line.trim() === "") continue;
    const answer = answerRecordLine(line, lineNumber, options);
    if ("error" in answer || answer.severity === "error") cli.exitCode = ExitCode.checkFailed;
    cli.stdout.write(`${JSON.stringify(answer)}\n`);
    await cli.stdout.drained();
  }
}
