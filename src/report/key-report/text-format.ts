import type { Severity } from "../../checks/catalogue.ts";
import { escapeDnsText } from "../../dns/escape-dns-text.ts";
import type { RecordInput } from "../../dns/record-input.ts";
import { publicKeyFingerprint } from "../../keys/public-key.ts";
import type { Style } from "../../terminal/style.ts";
import { describeNumbers } from "./describe-key.ts";
import { bySeverity, type KeyReport, type ReportFinding, shownRecords } from "./key-report.ts";
import { describePublication } from "./publication.ts";
import { type PublishOptions, renderRecordToPublish } from "./published-record.ts";
import { excerptRecord } from "./record-excerpt.ts";
import { renderVerdicts } from "./verifier-verdicts.ts";

export interface TextReportOptions {
  readonly style: Style;
  /** Of the terminal; where there is none, 80. */
  readonly columns: number;
  readonly publishAs: PublishOptions;
  /** The numbers of the key too. */
  readonly numbers: boolean;
  /** Which verifiers refuse what was found, too. */
  readonly verifiers: boolean;
}

const EXCERPT_INDENT = "    ";

/** What it is, what is wrong with it and what to do, for a person at a terminal. */
export function renderKeyReport(report: KeyReport, options: TextReportOptions): string {
  const { style, publishAs, numbers, verifiers } = options;
  const { source, description, input, name, aliases, publicKey, findings, publish } = report;
  const shownName = name === undefined ? undefined : escapeDnsText(name);
  const lines = [`${style.strong(source)}: ${description}`];
  if (input !== undefined && (input.form !== "value" || input.notes.length > 0)) {
    lines.push(`  read as      ${[FORM_NAMES[input.form], ...input.notes].join("; ")}`);
  }
  if (shownName !== undefined && source !== shownName) lines.push(`  name         ${shownName}`);
  for (const alias of aliases) lines.push(`  alias of     ${escapeDnsText(alias)}`);
  if (publicKey !== undefined) lines.push(`  fingerprint  SHA256:${publicKeyFingerprint(publicKey)}`);
  for (const record of shownRecords(report).texts) lines.push(`  record       ${escapeDnsText(record)}`);
  lines.push(...describePublication(report));
  if (publicKey !== undefined && numbers) lines.push(...describeNumbers(publicKey));
  for (const finding of bySeverity(findings)) lines.push(...describeFinding(finding, report, options));
  lines.push(verdict(report, style));
  if (verifiers) lines.push(...renderVerdicts(report, style));
  if (publish !== undefined) {
    lines.push("the record to publish:");
    lines.push(...publish.changes.map((change) => `  ${style.dim(`# ${escapeDnsText(change)}`)}`));
    lines.push(renderRecordToPublish(publish, publishAs).trimEnd());
  }
  return `${lines.join("\n")}\n`;
}

const FORM_NAMES: Record<RecordInput["form"], string> = {
  value: "the value of a record",
  strings: "quoted strings, as dig +short prints them",
  zone: "zone text",
  lookup: "the output of host or nslookup",
  tinydns: "tinydns data",
  panel: "a line of a provider's panel",
  message: "a signed message",
};

function describeFinding(finding: ReportFinding, report: KeyReport, { style, columns }: TextReportOptions): string[] {
  const { severity, code, message, fix, position, record } = finding;
  const paint = severity === "error" ? style.bad : severity === "warning" ? style.warn : style.dim;
  const where = record === undefined ? "" : `record ${record + 1}: `;
  const lines = [`${paint(`${severity}:`)} ${where}${message} (${code})`];
  const text = report.records[record ?? 0];
  if (position !== undefined && text !== undefined && !shownRecords(report).isRedacted) {
    const { line, marker } = excerptRecord(text, position, columns - EXCERPT_INDENT.length);
    lines.push(EXCERPT_INDENT + line, EXCERPT_INDENT + marker.replace(/\S+/, (marks) => paint(marks)));
  }
  if (severity !== "info") lines.push(`  ${fix}`);
  return lines;
}

function verdict({ state, findings }: KeyReport, style: Style): string {
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count("error"), count("warning")];
  const parts = [
    ...(errors > 0 ? [`${errors} ${errors === 1 ? "error" : "errors"}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
  ];
  const paint = state === "usable" ? style.good : style.bad;
  return `${paint(state)}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
}
