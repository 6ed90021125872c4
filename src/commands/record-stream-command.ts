import { createInterface } from "node:readline";
import { answerRecordLine } from "../checks/record-stream.ts";
import { SharedPrimeWatch } from "../checks/shared-prime-watch.ts";
import type { CliContext } from "../context.ts";
import { ExitCode } from "../errors.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { BlockList } from "../keys/weak-keys/block-list.ts";

export interface StreamOptions {
  /** Whether factors of RSA keys are looked for; see `KeyStrengthOptions`. */
  readonly arithmetic: boolean;
  readonly blockList: BlockList | undefined;
  /** Whether keys are compared with each other, when all are there. */
  readonly sharedPrimes: boolean;
}

/**
 * Each line of standard input is a question, each line of standard output its answer, in order and as it comes. What
 * only the whole stream tells comes after the last answer.
 */
export async function answerRecordStream(cli: CliContext, { sharedPrimes, ...options }: StreamOptions): Promise<void> {
  const watch = sharedPrimes ? new SharedPrimeWatch() : undefined;
  const checks = { ...options, onKey: watch && ((id: unknown, key: PublicKey) => watch.add(id, key)) };
  let lineNumber = 0;
  for await (const line of createInterface({ input: cli.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    cli.signal.throwIfAborted();
    lineNumber++;
    if (line.trim() === "") continue;
    const answer = answerRecordLine(line, lineNumber, checks);
    if ("error" in answer || answer.severity === "error") cli.exitCode = ExitCode.checkFailed;
    cli.stdout.write(`${JSON.stringify(answer)}\n`);
    await cli.stdout.drained();
  }
  for (const answer of watch?.answers() ?? []) {
    cli.signal.throwIfAborted();
    cli.exitCode = ExitCode.checkFailed;
    cli.stdout.write(`${JSON.stringify(answer)}\n`);
    await cli.stdout.drained();
  }
}
