import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { checkRrset } from "../../src/checks/check-rrset.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const corpus = process.env.DKIMCTL_CORPUS ?? `${root}/../shared/corpus`;

interface Line {
  id: string;
  name: string | null;
  record: string;
  rrset?: string[];
  record_b64?: string;
  form?: string;
  decoded?: string;
  strict: { state: string; severity: string; codes: string[]; bits?: number; known_key?: string; critical?: boolean };
}
const lines = readFileSync(`${corpus}/records.jsonl`, "utf8")
  .trim()
  .split("\n")
  .map((l) => JSON.parse(l) as Line);

test("measure", () => {
  let state = 0,
    severity = 0,
    codes = 0;
  for (const line of lines) {
    const text = line.record_b64
      ? Buffer.from(line.record_b64, "base64").toString("latin1")
      : (line.decoded ?? line.record);
    const report = line.rrset ? checkRrset(line.rrset, {}) : checkRecord(text, {});
    const ours = report.findings
      .map((f) => `${f.code}:${f.severity}`)
      .sort()
      .join(" ");
    const theirs = line.strict.codes
      .filter((c) => !c.startsWith("rr"))
      .sort()
      .join(" ");
    const crit = report.findings.some((f) => f.critical);
    if (report.state === line.strict.state) state++;
    if (report.severity === line.strict.severity) severity++;
    if (ours === theirs) codes++;
    if (
      report.state !== line.strict.state ||
      report.severity !== line.strict.severity ||
      ours !== theirs ||
      report.bits !== line.strict.bits ||
      crit !== (line.strict.critical ?? false)
    )
      console.log(
        line.id,
        "\n  want",
        line.strict.state,
        line.strict.severity,
        theirs,
        line.strict.bits ?? "",
        line.strict.critical ?? "",
        "\n  have",
        report.state,
        report.severity,
        ours,
        report.bits ?? "",
        crit,
      );
  }
  console.log({ n: lines.length, state, severity, codes });
});
