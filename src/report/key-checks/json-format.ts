import { escapeDnsText } from "../../dns/escape-dns-text.ts";
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
    end: (tally) => `],"summary":${JSON.stringify(tally)}}\n`,
  };
}

/** Every field is always there; what is not known is null or an empty list. */
function jsonCheck({ index, name, location, outcome }: TestedKey) {
  const key = outcome.kind === "tested" ? outcome.publicKey : undefined;
  const lookup = outcome.kind === "tested" ? outcome.lookup : undefined;
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
    notes: outcome.kind === "tested" ? outcome.notes : [],
    findings: outcome.kind === "tested" ? outcome.findings : [],
    published: outcome.kind === "tested" ? outcome.published.map(escapeDnsText) : [],
    expected: outcome.kind === "tested" ? outcome.expected : null,
    dns: {
      status: lookup?.status ?? null,
      server: lookup?.server?.address ?? null,
      transport: lookup?.server?.transport ?? null,
      ttlSeconds: lookup?.ttlSeconds ?? null,
      authoritative: lookup?.authoritative ?? null,
      dnssec: lookup?.dnssec ?? null,
      cnames: lookup?.cnames.map(({ to }) => escapeDnsText(to)) ?? [],
    },
  };
}
