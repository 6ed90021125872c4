import { escapeDnsText } from "../../dns/escape-dns-text.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { publicKeyFingerprint } from "../../keys/public-key.ts";
import { publicKeyBits } from "../record-formats/record-format.ts";
import { bySeverity, type KeyReport } from "./key-report.ts";

const VERIFY_KEY_SCHEMA = "dkimctl/verify-key/1";

/** The document of verify-key; every field is always there, what is not known is null or an empty list. */
export function renderJsonReports(reports: readonly KeyReport[]): string {
  return `${JSON.stringify({ schema: VERIFY_KEY_SCHEMA, reports: reports.map(jsonReport) }, undefined, 2)}\n`;
}

function jsonReport({
  kind,
  source,
  description,
  name,
  state,
  severity,
  findings,
  publicKey,
  records,
  publish,
}: KeyReport) {
  return {
    kind,
    source,
    description,
    name: name === undefined ? null : keyRecordName(name),
    state,
    severity,
    findings: bySeverity(findings).map(({ code, severity, message, fix, tag, position, critical }) => ({
      code,
      severity,
      message,
      fix,
      tag: tag ?? null,
      position: position ?? null,
      critical: critical ?? false,
    })),
    algorithm: publicKey?.type ?? null,
    bits: publicKey === undefined ? null : publicKeyBits(publicKey),
    fingerprint: publicKey === undefined ? null : publicKeyFingerprint(publicKey),
    records: records.map(escapeDnsText),
    publish: publish ?? null,
  };
}
