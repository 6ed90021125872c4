import type { Finding } from "../../checks/catalogue.ts";
import { escapeDnsText } from "../../dns/escape-dns-text.ts";
import { quoteTxtString, splitTxtStrings } from "../../dns/txt-strings.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { type PublicKey, publicKeyFingerprint } from "../../keys/public-key.ts";
import type { Style } from "../../terminal/style.ts";
import { bySeverity, type KeyReport } from "./key-report.ts";

export interface TextReportOptions {
  readonly style: Style;
  readonly ttlSeconds: number;
  /** The numbers of the key too, in the manner of `openssl pkey -pubin -text -noout`. */
  readonly numbers: boolean;
}

/** What it is, what is wrong with it and what to do, for a person at a terminal. */
export function renderKeyReport(report: KeyReport, { style, ttlSeconds, numbers }: TextReportOptions): string {
  const { source, description, name, publicKey, records, findings, publish } = report;
  const lines = [`${style.strong(source)}: ${description}`];
  if (name !== undefined && source !== keyRecordName(name)) lines.push(`  name         ${keyRecordName(name)}`);
  if (publicKey !== undefined) lines.push(`  fingerprint  SHA256:${publicKeyFingerprint(publicKey)}`);
  for (const record of records) lines.push(`  record       ${escapeDnsText(record)}`);
  if (publicKey !== undefined && numbers) lines.push(...describeNumbers(publicKey));
  for (const finding of bySeverity(findings)) lines.push(...describeFinding(finding, style));
  lines.push(verdict(report, style));
  if (publish !== undefined) {
    lines.push("the record to publish:");
    lines.push(zoneLine(name === undefined ? "" : `${keyRecordName(name)}. ${ttlSeconds} IN TXT `, publish));
  }
  return `${lines.join("\n")}\n`;
}

function describeFinding({ severity, code, message, fix }: Finding, style: Style): string[] {
  const paint = severity === "error" ? style.bad : severity === "warning" ? style.warn : style.dim;
  return [`${paint(`${severity}:`)} ${message} (${code})`, ...(severity === "info" ? [] : [`  ${fix}`])];
}

function verdict({ state, findings }: KeyReport, style: Style): string {
  const count = (severity: Finding["severity"]) => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count("error"), count("warning")];
  const parts = [
    ...(errors > 0 ? [`${errors} ${errors === 1 ? "error" : "errors"}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
  ];
  const paint = state === "usable" ? style.good : style.bad;
  return `${paint(state)}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
}

function zoneLine(owner: string, text: string): string {
  return `${owner}${splitTxtStrings(text).map(quoteTxtString).join(" ")}`;
}

function describeNumbers(publicKey: PublicKey): string[] {
  if (publicKey.type === "ed25519") return ["  point:", ...hexLines(publicKey.bytes)];
  const exponent = BigInt(`0x${Buffer.from(publicKey.exponent).toString("hex") || "0"}`);
  return ["  modulus:", ...hexLines(publicKey.modulus), `  exponent: ${exponent} (0x${exponent.toString(16)})`];
}

/** Fifteen octets a line, as openssl has it. */
function hexLines(octets: Uint8Array): string[] {
  const pairs = Buffer.from(octets).toString("hex").match(/../g) ?? [];
  return Array.from({ length: Math.ceil(pairs.length / 15) }, (_, line) => {
    return `    ${pairs.slice(line * 15, line * 15 + 15).join(":")}`;
  });
}
