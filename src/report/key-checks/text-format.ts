import { keyRecordName } from "../../keys/key-name.ts";
import type { Style } from "../../terminal/style.ts";
import { serverTable } from "../publication/server-table.ts";
import {
  describeDetails,
  describeResult,
  describeTally,
  type KeyCheckFormat,
  recordToPublish,
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
      const servers = outcome.kind === "tested" ? serverTable(outcome.authoritative) : [];
      const lines = [`TESTING#${index} ${name.domain}: ${keyRecordName(name)} => ${result}`];
      for (const detail of [...describeDetails(outcome), ...servers]) lines.push(`  ${style.dim(detail)}`);
      const record = recordToPublish(tested, ttlSeconds);
      if (record !== undefined) lines.push(`  publish: ${record}`);
      return `${lines.join("\n")}\n`;
    },
    end: ({ tally }) => `${describeTally(tally)}\n`,
  };
}
