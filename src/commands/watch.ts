import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { totalOf } from "../report/key-checks/key-check-format.ts";
import { steadyMs } from "../steady-clock.ts";
import type { RunResult } from "./key-test-run.ts";
import type { Notices } from "./notices.ts";
import { wholeNumber } from "./options.ts";
import type { ReportOutput } from "./report-output.ts";

/** Testing again and again, for use after publishing. */
export interface WatchOptions {
  /** In seconds; `true`: the usual interval. */
  readonly watch?: number | true;
  readonly waitUntil?: "pass";
  readonly waitTimeout?: number;
}

const DEFAULT_INTERVAL_SECONDS = 30;
const DEFAULT_WAIT_SECONDS = 3600;

/** Adds `--watch`, `--wait-until`, `--wait-timeout`. */
export function addWatchOptions(command: Command): Command {
  const seconds = (max: number) => wholeNumber("seconds", { min: 1, max });
  return command
    .addOption(
      new Option("--watch [seconds]", `test again and again (default: every ${DEFAULT_INTERVAL_SECONDS} s)`).argParser(
        seconds(86_400),
      ),
    )
    .addOption(new Option("--wait-until <state>", "test again and again, and end when all keys pass").choices(["pass"]))
    .addOption(
      new Option(
        "--wait-timeout <seconds>",
        `with --wait-until, give up after so long (default: ${DEFAULT_WAIT_SECONDS})`,
      ).argParser(seconds(31_536_000)),
    );
}

/** Whether there is more than one round. @throws {UsageError} the options contradict each other */
export function isRepeated({ watch, waitUntil, waitTimeout }: WatchOptions): boolean {
  if (waitTimeout !== undefined && waitUntil === undefined) {
    throw new UsageError("--wait-timeout has nothing to wait for", { hint: "add --wait-until pass" });
  }
  return watch !== undefined || waitUntil !== undefined;
}

export interface Round {
  readonly result: RunResult;
  readonly output: ReportOutput;
}

/**
 * One round, or as many as the options ask for. `--watch` publishes the report of each, `--wait-until` that of the last.
 * @param round told whether its report is to be held back until it is known to be the last
 */
export async function runRounds(
  { watch, waitUntil, waitTimeout = DEFAULT_WAIT_SECONDS }: WatchOptions,
  round: (hold: boolean) => Promise<Round>,
  { cli, notices }: { readonly cli: CliContext; readonly notices: Notices },
): Promise<void> {
  const intervalMs = 1000 * (typeof watch === "number" ? watch : DEFAULT_INTERVAL_SECONDS);
  const end = steadyMs() + 1000 * waitTimeout;
  for (;;) {
    const { result, output } = await round(waitUntil !== undefined && watch === undefined);
    const { count, tally } = result;
    const leftMs = end - steadyMs();
    const isAwaited = waitUntil !== undefined && tally.pass < totalOf(tally) && leftMs > 0;
    const isLast = watch === undefined ? !isAwaited : waitUntil !== undefined && !isAwaited;
    if (isLast || watch !== undefined) output.commit();
    else output.discard();
    if (isLast) return;
    const pauseMs = waitUntil === undefined ? intervalMs : Math.max(0, Math.min(intervalMs, leftMs));
    notices.notice(`${tally.pass} of ${count} keys pass; testing again in ${Math.ceil(pauseMs / 1000)} s`);
    await sleep(pauseMs, undefined, { signal: cli.signal });
  }
}
