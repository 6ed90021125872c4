import { quoteTxtString, splitTxtStrings } from "../../dns/txt-strings.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import type { Style } from "../../terminal/style.ts";
import { describeTally, type KeyCheckFormat, type TestedKey, type Verdict } from "./key-check-format.ts";

/**
 * amavisd's lines, `TESTING#1 example.com: good._domainkey.example.com => pass`; under a key that fails, indented: what
 * more is known, and the record to publish as one line of zone text. A summary ends it.
 */
export function textFormat(style: Style, ttlSeconds: number): KeyCheckFormat {
  const paint: Record<Verdict, (text: string) => string> = {
    pass: style.good,
    fail: style.bad,
    revoked: style.bad,
    error: style.bad,
    temporary: style.warn,
  };
  return {
    check({ index, name, outcome }) {
      const { verdict, reason } = outcome;
      const result = reason === "" ? verdict : `${verdict}: ${reason}`;
      const lines = [`TESTING#${index} ${name.domain}: ${keyRecordName(name)} => ${paint[verdict](result)}`];
      for (const detail of details(outcome)) lines.push(`  ${style.dim(detail)}`);
      if (outcome.verdict === "fail") {
        const data = splitTxtStrings(outcome.expected).map(quoteTxtString).join(" ");
        lines.push(`  publish: ${keyRecordName(name)}. ${ttlSeconds} IN TXT ${data}`);
      }
      return `${lines.join("\n")}\n`;
    },
    end: (tally) => `${describeTally(tally)}\n`,
  };
}

function details(outcome: TestedKey["outcome"]): string[] {
  if (outcome.kind === "unreadable") return [];
  const warnings = outcome.findings
    .filter(({ severity, code }) => severity === "warning" || (severity === "error" && code !== "KEY-MISMATCH"))
    .map(({ severity, code, message }) => `${severity}: ${message} (${code})`);
  return [...outcome.notes, ...(outcome.code === "bad-record" ? warnings.slice(1) : warnings)];
}
