import { parseTxtData, scanZoneText, ZoneTextSyntaxError } from "../dns/zone-text.ts";
import type { PublicKey, RsaPublicKey } from "../keys/public-key.ts";
import { type Finding, makeFinding, worstSeverity } from "./catalogue.ts";
import { isComposite } from "./check-key-strength.ts";
import { type CheckRecordOptions, checkRecord, type RecordReport } from "./check-record.ts";
import { checkRrset, type RrsetReport } from "./check-rrset.ts";

/**
 * One line in, one line out: `{"id","name","record"}`, `{"id","name","record_b64"}` (the octets) or
 * `{"id","name","rrset":[…]}`. `"form":"presentation"` says that `record` is master-file text (RFC 1035 §5.1).
 */
export interface RecordAnswer {
  readonly id: unknown;
  readonly state: RecordReport["state"];
  readonly severity: RecordReport["severity"];
  readonly findings: readonly AnswerFinding[];
  /** Length of an RSA modulus; absent for other keys. */
  readonly bits?: number;
}

/** A line that asks nothing that can be answered: it is told, and the stream goes on. */
export interface RefusedLine {
  readonly id: unknown;
  readonly error: string;
}

/** A finding as it is printed; `record` counts from 0 and tells which of several records it is about. */
export type AnswerFinding = Pick<Finding, "code" | "severity" | "message" | "fix" | "tag" | "position" | "critical"> & {
  readonly record?: number;
};

export interface RecordStreamOptions extends Pick<CheckRecordOptions, "arithmetic" | "isComposite" | "blockList"> {
  /** Is told every key that is read, also those that are unusable. */
  readonly onKey?: ((id: unknown, key: PublicKey) => void) | undefined;
}

/** Longer lines are no DNS record: an RRset has 65,535 octets at most. */
const MAX_LINE_LENGTH = 1_000_000;

/** Never throws, whatever the line is. @param lineNumber from 1, for lines without an id */
export function answerRecordLine(
  line: string,
  lineNumber: number,
  { onKey, ...checks }: RecordStreamOptions = {},
): RecordAnswer | RefusedLine {
  const refuse = (error: string, id: unknown = null): RefusedLine => ({ id, error: `line ${lineNumber}: ${error}` });
  if (line.length > MAX_LINE_LENGTH) return refuse(`longer than ${MAX_LINE_LENGTH} characters`);
  let question: unknown;
  try {
    question = JSON.parse(line);
  } catch {
    return refuse("not JSON");
  }
  if (typeof question !== "object" || question === null || Array.isArray(question)) return refuse("not a JSON object");
  const { id = lineNumber, name, record, rrset, record_b64: base64, form } = question as Record<string, unknown>;
  const options = { name: typeof name === "string" ? name : undefined, ...checks };
  const answer = (report: RecordReport) => {
    if (report.publicKey !== undefined) onKey?.(id, report.publicKey);
    return toAnswer(id, report);
  };
  if (rrset !== undefined) {
    if (!Array.isArray(rrset) || !rrset.every((text) => typeof text === "string")) {
      return refuse(`"rrset" must be a list of strings`, id);
    }
    if (rrset.length === 0) return answer(checkRecord("", options));
    const report = checkRrset(rrset, options);
    if (report.records.length === 1) return answer(report);
    for (const { publicKey } of report.records) if (publicKey !== undefined) onKey?.(id, publicKey);
    return answerRrset(id, report);
  }
  if (typeof base64 === "string") {
    return answer(checkRecord(Buffer.from(base64, "base64").toString("latin1"), options));
  }
  if (typeof record !== "string") return refuse(`neither "record" nor "record_b64" nor "rrset"`, id);
  if (form !== "presentation") return answer(checkRecord(record, options));
  return answer(checkPresentation(record, options));
}

/**
 * `answerRecordLine` for who has many lines: its one long computation, whether a modulus is a prime, is made in the
 * thread pool. The answer is the same.
 */
export async function answerRecordLineInPool(
  line: string,
  lineNumber: number,
  { onKey, ...checks }: RecordStreamOptions = {},
): Promise<RecordAnswer | RefusedLine> {
  const moduli: RsaPublicKey[] = [];
  const collect = (id: unknown, key: PublicKey) => {
    onKey?.(id, key);
    if (key.type === "rsa") moduli.push(key);
  };
  const answer = answerRecordLine(line, lineNumber, { ...checks, isComposite: true, onKey: collect });
  if (checks.arithmetic === false) return answer;
  const areComposite = await Promise.all(moduli.map(isComposite));
  return areComposite.every(Boolean) ? answer : answerRecordLine(line, lineNumber, checks);
}

/**
 * Master-file text: the strings of one TXT record, or the whole line with its owner. What a name server would not load
 * holds no record.
 */
function checkPresentation(text: string, options: CheckRecordOptions = {}): RecordReport {
  try {
    const whole = scanZoneText(text);
    const [record] = whole.records;
    const strings = whole.faults.length === 0 && record?.strings !== undefined ? record.strings : parseTxtData(text);
    return checkRecord(strings.join(""), options);
  } catch (error) {
    if (!(error instanceof ZoneTextSyntaxError)) throw error;
    return { state: "unusable", severity: "error", findings: [makeFinding("ZONE-SYNTAX", { reason: error.message })] };
  }
}

/** Of several records at one name. */
function answerRrset(id: unknown, report: RrsetReport): RecordAnswer {
  const ofRecords = report.records.flatMap(({ findings }, record) =>
    findings.map((finding) => ({ ...toAnswerFinding(finding), record })),
  );
  return {
    id,
    state: report.state,
    severity: worstSeverity(report.findings),
    findings: [...report.findings.map(toAnswerFinding), ...ofRecords],
  };
}

function toAnswer(id: unknown, { state, severity, findings, bits }: RecordReport): RecordAnswer {
  return { id, state, severity, findings: findings.map(toAnswerFinding), ...(bits !== undefined && { bits }) };
}

/** The finding as a line of JSON tells it: members that do not apply are absent. */
export function toAnswerFinding({ code, severity, message, fix, tag, position, critical }: Finding): AnswerFinding {
  return {
    ...{ code, severity, message, fix },
    ...(tag !== undefined && { tag }),
    ...(position !== undefined && { position }),
    ...(critical === true && { critical }),
  };
}
