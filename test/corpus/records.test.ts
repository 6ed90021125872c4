import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { answerRecordLine, type RecordAnswer } from "../../src/checks/record-stream.ts";
import { readCorpus } from "../helpers/corpus.ts";

interface CorpusRecord {
  readonly id: string;
  readonly form?: string;
  readonly strict: {
    readonly state: string;
    readonly severity: string;
    readonly codes: readonly string[];
    readonly bits?: number;
    readonly known_key?: string;
    readonly critical?: string;
  };
}

interface Exceptions {
  /** State or severity differ. */
  readonly verdict: Record<string, string>;
  /** Only the codes, bits or the critical mark differ. */
  readonly codes: Record<string, string>;
}

const exceptions: Exceptions = JSON.parse(readFileSync(new URL("records-exceptions.json", import.meta.url), "utf8"));
const records = readCorpus<CorpusRecord>("records.jsonl").map((record) => ({ line: JSON.stringify(record), record }));

function answer(line: string): RecordAnswer {
  const answered = answerRecordLine(line, 1);
  if ("error" in answered) throw new Error(answered.error);
  return answered;
}

/** Codes as the corpus writes them, without the one that it keeps in a field of its own. */
function codesOf({ findings }: RecordAnswer): string[] {
  const known = findings.filter(({ code }) => code !== "KNOWN-KEY");
  const codes = known.map(
    ({ code, severity, record }) => `${record === undefined ? "" : `rr${record}/`}${code}:${severity}`,
  );
  return [...new Set(codes)].sort();
}

describe("records.jsonl, the strict reading", () => {
  test.each(records.map(({ line, record }) => [record.id, line, record.strict] as const))("%s", (id, line, strict) => {
    const ours = answer(line);
    const verdict = { state: ours.state, severity: ours.severity };
    const expectedVerdict = { state: strict.state, severity: strict.severity };
    if (id in exceptions.verdict) expect(verdict, "the exception is no longer needed").not.toEqual(expectedVerdict);
    else expect(verdict).toEqual(expectedVerdict);
    const isCritical = ours.findings.some(({ critical }) => critical);
    const details = { codes: codesOf(ours), bits: ours.bits, isCritical };
    const expectedDetails = {
      codes: [...strict.codes].sort(),
      bits: strict.bits,
      isCritical: strict.critical !== undefined,
    };
    if (id in exceptions.codes) expect(details, "the exception is no longer needed").not.toEqual(expectedDetails);
    else expect(details).toEqual(expectedDetails);
  });

  test("known keys are found under names that are in use, and only they", () => {
    for (const { line, record } of records) {
      const inUse = answer(JSON.stringify({ ...JSON.parse(line), name: "s1._domainkey.example.co.uk" }));
      const isJudgeable = !record.strict.codes.some((code) => code.startsWith("K-") || code.startsWith("DNS-"));
      const isKnown = inUse.findings.some(({ code, severity }) => code === "KNOWN-KEY" && severity === "error");
      if (isJudgeable) expect([record.id, isKnown]).toEqual([record.id, record.strict.known_key !== undefined]);
    }
  });

  test("every exception names a record", () => {
    const ids = new Set(records.map(({ record }) => record.id));
    const excepted = [...Object.keys(exceptions.verdict), ...Object.keys(exceptions.codes)];
    expect(excepted.filter((id) => !ids.has(id))).toEqual([]);
  });
});
