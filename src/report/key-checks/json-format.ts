import { escapeDnsText } from "../../dns/escape-dns-text.ts";
import type { TxtLookup } from "../../dns/resolver.ts";
import { keyRecordName } from "../../keys/key-name.ts";
import { publicKeyFingerprint } from "../../keys/public-key.ts";
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
    foundAt: tested?.foundAt ?? [],
    authoritative:
      tested?.authoritative === undefined
        ? null
        : { state: tested.authoritative.state, servers: tested.authoritative.servers },
    dns: { ...jsonLookup(tested?.lookup), dnssec: tested?.dnssec ?? null },
  };
}

function jsonLookup(lookup: TxtLookup | undefined) {
  return {
    status: lookup?.status ?? null,
    server: lookup?.server?.address ?? null,
    transport: lookup?.server?.transport ?? null,
    ttlSeconds: lookup?.ttlSeconds ?? null,
    authoritative: lookup?.authoritative ?? null,
    cnames: lookup?.cnames.map(({ to }) => escapeDnsText(to)) ?? [],
  };
}
