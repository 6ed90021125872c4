import { concurrentMap } from "../concurrent-map.ts";
import type { CliContext } from "../context.ts";
import { ExitCode } from "../errors.ts";
import type { KeyName } from "../keys/key-name.ts";
import { isWarned, type KeyCheckFormat, type RunSummary, type Tally } from "../report/key-checks/key-check-format.ts";
import { createProgress } from "../terminal/progress.ts";
import type { KeySource, SourceEntry } from "./key-source.ts";
import type { TestResult } from "./key-tester.ts";
import type { Notices } from "./notices.ts";
import type { ReportOutput } from "./report-output.ts";

/**
 * Answers are waited for, not computed: many more than cores, so that a dead server delays only its own keys. How many
 * questions are under way to one server is the resolver's to say.
 */
const KEYS_AT_ONCE = 128;

/** Up to here, what gathers is small beside Node itself; beyond, clearing it once costs little beside the run. */
const MANY_KEYS = 300;

export interface KeyTestRun {
  readonly source: KeySource;
  readonly chooses: (name: KeyName) => boolean;
  /** Whether files that are no key of any domain are part of the matter. */
  readonly all: boolean;
  readonly test: (entry: SourceEntry) => Promise<TestResult>;
  readonly format: KeyCheckFormat;
  readonly output: ReportOutput;
  readonly notices: Notices;
  readonly quiet: boolean;
}

export interface RunResult extends RunSummary {
  /** How many keys were chosen. */
  readonly count: number;
}

/** Tests the chosen keys once; each is written as soon as those before it are. Nothing is, when there is none. */
export async function runKeyTest(run: KeyTestRun, cli: CliContext): Promise<RunResult> {
  const { source, chooses, all, test, format, output, notices, quiet } = run;
  const progress = createProgress(cli.stderr, "keys tested", { quiet, now: cli.now });
  const tally: Record<keyof Tally, number> = { pass: 0, fail: 0, revoked: 0, temporary: 0, error: 0, skipped: 0 };
  let [index, unnamed, warned] = [0, 0, 0];
  for await (const result of concurrentMap(source.list(chooses), KEYS_AT_ONCE, test)) {
    cli.throwIfEnded();
    if (result.name === undefined) {
      if (all) {
        unnamed++;
        notices.error(result.error);
      }
      continue;
    }
    progress.clear();
    if (index === 0) output.write(format.begin?.() ?? "");
    const tested = { ...result, index: ++index };
    if (index === MANY_KEYS) cli.preferMemory();
    tally[tested.outcome.verdict]++;
    if (isWarned(tested.outcome)) warned++;
    output.write(format.check(tested));
    progress.update(index);
    await output.drained();
  }
  progress.clear();
  const result = { tally, warned, unnamed, count: index };
  if (index + unnamed === 0) return result;
  if (index === 0) output.write(format.begin?.() ?? "");
  output.write(format.end?.(result) ?? "");
  return result;
}

/** A failed check outweighs a key that could not be read, and both outweigh an answer that may come later. */
export function exitCodeFor({ tally, unnamed }: RunResult): ExitCode {
  if (tally.fail + tally.revoked > 0) return ExitCode.checkFailed;
  if (tally.error + unnamed > 0) return ExitCode.operationFailed;
  return tally.temporary + tally.skipped > 0 ? ExitCode.tryAgain : ExitCode.ok;
}
