import { escapeDnsText } from "../../dns/escape-dns-text.ts";
import { splitTxtStrings } from "../../dns/txt-strings.ts";
import { publicKeyFingerprint } from "../../keys/public-key.ts";
import { publicKeyBits } from "../record-formats/record-format.ts";
import { bySeverity, type KeyReport, shownRecords } from "./key-report.ts";
import { jsonPublication } from "./publication.ts";
import { type PublishOptions, renderRecordToPublish } from "./published-record.ts";
import { verdictsOf } from "./verifier-verdicts.ts";

const VERIFY_KEY_SCHEMA = "dkimctl/verify-key/1";

export interface JsonReportOptions {
  readonly publishAs: PublishOptions;
  /** Whether `verifiers` is filled. */
  readonly verifiers: boolean;
}

/** The document of verify-key; every field is always there, what is not known is null or an empty list. */
export function renderJsonReports(reports: readonly KeyReport[], options: JsonReportOptions): string {
  const document = { schema: VERIFY_KEY_SCHEMA, reports: reports.map((report) => jsonReport(report, options)) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function jsonReport(report: KeyReport, { publishAs, verifiers }: JsonReportOptions) {
  const { kind, source, description, input, name, aliases, state, severity, findings, publicKey, publish } = report;
  const { texts, isRedacted } = shownRecords(report);
  return {
    ...{ kind, source, description },
    input: input === undefined ? null : { form: input.form, notes: input.notes },
    name: name === undefined ? null : escapeDnsText(name),
    aliases: aliases.map(escapeDnsText),
    ...{ state, severity },
    findings: bySeverity(findings).map(({ code, severity, message, fix, tag, position, critical, record }) => ({
      ...{ code, severity, message, fix },
      tag: tag ?? null,
      position: (isRedacted ? undefined : position) ?? null,
      critical: critical ?? false,
      record: record ?? null,
    })),
    algorithm: publicKey?.type ?? null,
    bits: publicKey === undefined ? null : publicKeyBits(publicKey),
    fingerprint: publicKey === undefined ? null : publicKeyFingerprint(publicKey),
    records: texts.map(escapeDnsText),
    publish:
      publish === undefined
        ? null
        : {
            name: publish.name === undefined ? null : escapeDnsText(publish.name),
            value: publish.text,
            strings: splitTxtStrings(publish.text),
            ...{ format: publishAs.format, text: renderRecordToPublish(publish, publishAs), changes: publish.changes },
          },
    publication: jsonPublication(report),
    verifiers: verifiers ? verdictsOf(report) : null,
  };
}
