import type { ServerLine } from "../../checks/authoritative-check.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import type { Style } from "../../terminal/style.ts";
import { renderTable } from "../../terminal/table.ts";
import {
  describeDetails,
  describeResult,
  describeTally,
  type KeyCheckFormat,
  recordToPublish,
  type TestOutcome,
  type Verdict,
} from "./key-check-format.ts";

/**
 * amavisd's lines, `TESTING#1 example.com: good._domainkey.example.com => pass`; under a key that fails, indented: what
 * more is known, what each authoritative server says, and the record to publish as one line of zone text. A summary ends it.
 */
export function textFormat(style: Style, ttlSeconds: number): KeyCheckFormat {
  const paint: Record<Verdict, (text: string) => string> = {
    pass: style.good,
    fail: style.bad,
    revoked: style.bad,
    error: style.bad,
    temporary: style.warn,
    skipped: style.warn,
  };
  return {
    check(tested) {
      const { index, name, outcome } = tested;
      const result = paint[outcome.verdict](describeResult(outcome));
      const lines = [`TESTING#${index} ${name.domain}: ${keyRecordName(name)} => ${result}`];
      for (const detail of [...describeDetails(outcome), ...serverTable(outcome)]) lines.push(`  ${style.dim(detail)}`);
      const record = recordToPublish(tested, ttlSeconds);
      if (record !== undefined) lines.push(`  publish: ${record}`);
      return `${lines.join("\n")}\n`;
    },
    end: ({ tally }) => `${describeTally(tally)}\n`,
  };
}

/** Only where the servers are not of one mind: else there is nothing to compare. */
function serverTable(outcome: TestOutcome): string[] {
  if (outcome.kind !== "tested" || outcome.authoritative === undefined) return [];
  const { state, serialsDiffer, servers } = outcome.authoritative;
  if (state === "agree" && !serialsDiffer) return [];
  return renderTable(["ZONE", "SERVER", "ADDRESS", "SERIAL", "SERVES"], servers.map(tableRow)).trimEnd().split("\n");
}

function tableRow({ zone, nameServer, address, serial, serves, problem }: ServerLine): string[] {
  const content = [serves, problem].filter((text) => text !== null).join("; ");
  return [zone, nameServer, address ?? "-", serial === null ? "-" : String(serial), content];
}
