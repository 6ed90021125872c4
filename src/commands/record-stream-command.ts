import { createInterface } from "node:readline";
import {
  answerRecordLine,
  answerRecordLineInPool,
  type RecordAnswer,
  type RefusedLine,
} from "../checks/record-stream.ts";
import { type SharedPrimeAnswer, SharedPrimeWatch } from "../checks/shared-prime-watch.ts";
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

/** Enough to keep every core busy while the answers before are written. */
const LINES_PER_CORE = 4;

/**
 * Each line of standard input is a question, each line of standard output its answer, in order and as it comes. What
 * only the whole stream tells comes after the last answer.
 */
export async function answerRecordStream(cli: CliContext, { sharedPrimes, ...options }: StreamOptions): Promise<void> {
  const watch = sharedPrimes ? new SharedPrimeWatch() : undefined;
  const checks = { ...options, onKey: watch && ((id: unknown, key: PublicKey) => watch.add(id, key)) };
  const write = async (answer: RecordAnswer | RefusedLine | SharedPrimeAnswer) => {
    cli.signal.throwIfAborted();
    if ("error" in answer || answer.severity === "error") cli.exitCode = ExitCode.checkFailed;
    cli.stdout.write(`${JSON.stringify(answer)}\n`);
    await cli.stdout.drained();
  };
  let lineNumber = 0;
  const underWay: Promise<void>[] = [];
  for await (const line of createInterface({ input: cli.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    cli.signal.throwIfAborted();
    lineNumber++;
    if (line.trim() === "") continue;
    if (!options.arithmetic) {
      await write(answerRecordLine(line, lineNumber, checks));
      continue;
    }
    const answer = answerRecordLineInPool(line, lineNumber, checks);
    const written = Promise.all([answer, underWay.at(-1)]).then(([ready]) => write(ready));
    written.catch(() => {}); // it is reported when its turn comes
    underWay.push(written);
    if (underWay.length >= LINES_PER_CORE * cli.parallelism) await underWay.shift();
  }
  for (const written of underWay) await written;
  for (const answer of watch?.answers() ?? []) await write(answer);
}
