import { escapeDnsText } from "../../dns/escape-dns-text.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { publicKeyFingerprint } from "../../keys/public-key.ts";
import { jsonEvidence } from "../publication/json-evidence.ts";
import { publicKeyBits } from "../record-formats/record-format.ts";
import type { KeyCheckFormat, TestedKey } from "./key-check-format.ts";

const TESTKEYS_SCHEMA = "dkimctl/testkeys/1";

/** One document `{"schema":…,"checks":[…],"summary":{…}}`, of the same shape for no check, one and many; one check a line. */
export function jsonFormat(): KeyCheckFormat {
  let separator = "";
  return {
    begin: () => `{"schema":${JSON.stringify(TESTKEYS_SCHEMA)},"checks":[\n`,
    check(tested) {
      const line = `${separator}${JSON.stringify(jsonCheck(tested))}\n`;
      separator = ",";
      return line;
    },
    end: ({ tally }) => `],"summary":${JSON.stringify(tally)}}\n`,
  };
}

/** The same objects, each a line and each with its schema as soon as it is known; the last line is the summary. */
export function ndjsonFormat(): KeyCheckFormat {
  const schema = TESTKEYS_SCHEMA;
  return {
    check: (tested) => `${JSON.stringify({ schema, kind: "check", ...jsonCheck(tested) })}\n`,
    end: ({ tally }) => `${JSON.stringify({ schema, kind: "summary", summary: tally })}\n`,
  };
}

/** Every field is always there; what is not known is null or an empty list. */
function jsonCheck({ index, name, location, outcome }: TestedKey) {
  const tested = outcome.kind === "tested" ? outcome : undefined;
  const key = tested?.publicKey;
  return {
    index,
    domain: name.domain,
    selector: name.selector,
    name: keyRecordName(name),
    location,
    algorithm: key?.type ?? null,
    bits: key === undefined ? null : publicKeyBits(key),
    fingerprint: key === undefined ? null : publicKeyFingerprint(key),
    verdict: outcome.verdict,
    code: outcome.code,
    reason: outcome.reason,
    notes: tested === undefined ? [] : [...tested.notes, ...tested.policyNotes],
    findings: tested?.findings ?? [],
    published: tested?.published.map(escapeDnsText) ?? [],
    expected: tested?.expected ?? null,
    ...jsonEvidence(tested),
  };
}
