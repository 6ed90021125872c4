import { keyRecordName } from "../../keys/key-name.ts";
import {
  describeResult,
  describeTally,
  isWarned,
  type KeyCheckFormat,
  type RunSummary,
  totalOf,
  VERDICTS,
} from "./key-check-format.ts";

/** The exit statuses of a Nagios plugin, which have nothing to do with dkimctl's own. */
export const NagiosStatus = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;
export type NagiosStatus = (typeof NagiosStatus)[keyof typeof NagiosStatus];

const WORDS = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;

/** Nagios reads 8 KiB of output and no more. */
const MOST_LINES = 20;
const LONGEST_LINE = 300;

/** One line of status with performance data, then a line for each key that is not well; see the plugin guidelines. */
export function nagiosFormat(): KeyCheckFormat {
  const lines: string[] = [];
  let worst: string | undefined;
  let hidden = 0;
  return {
    check({ name, outcome }) {
      if (outcome.verdict === "pass" && !isWarned(outcome)) return "";
      const result = outcome.verdict === "pass" ? warnings(outcome.findings) : describeResult(outcome);
      const line = `${keyRecordName(name)} => ${result}`;
      if (outcome.verdict === "fail" || outcome.verdict === "revoked") worst ??= line;
      if (lines.length < MOST_LINES) lines.push(line);
      else hidden++;
      return "";
    },
    end(summary) {
      const { tally } = summary;
      const first = worst ?? lines[0];
      const about = first === undefined ? "" : `; ${first}`;
      const data = VERDICTS.map((verdict) => `${verdict}=${tally[verdict]};;;0;${totalOf(tally)}`).join(" ");
      const more = hidden === 0 ? [] : [`and ${hidden} more`];
      return [
        `${nagiosLine(nagiosStatus(summary), `${describeTally(tally)}${about}`)}|${data}`,
        ...lines.map(plainLine),
        ...more,
        "",
      ].join("\n");
    },
  };
}

/** `DKIM CRITICAL - …`, without line end and without performance data. */
export function nagiosLine(status: NagiosStatus, text: string): string {
  return plainLine(`DKIM ${WORDS[status]} - ${text}`);
}

/** What is wrong for sure outweighs what is not known, and that what is only unwise. */
export function nagiosStatus({ tally, warned, unnamed }: RunSummary): NagiosStatus {
  if (tally.fail + tally.revoked > 0) return NagiosStatus.critical;
  if (tally.pass < totalOf(tally) || tally.pass === 0 || unnamed > 0) return NagiosStatus.unknown;
  return warned > 0 ? NagiosStatus.warning : NagiosStatus.ok;
}

function warnings(findings: readonly { readonly severity: string; readonly code: string }[]): string {
  return `pass, with ${findings.flatMap(({ severity, code }) => (severity === "warning" ? [code] : [])).join(", ")}`;
}

/** "|" begins the performance data wherever it stands. */
function plainLine(text: string): string {
  const line = text.replaceAll("|", "\\124").replace(/[\p{Cc}\u2028\u2029]/gu, " ");
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 3)}...` : line;
}
