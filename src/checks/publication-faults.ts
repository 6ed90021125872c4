import type { PublicKey } from "../keys/public-key.ts";
import { describeRecord } from "./authoritative-check.ts";
import { PUBLICATION_FINDINGS } from "./catalogue/publication-findings.ts";
import { type Finding, makeFinding } from "./catalogue.ts";
import type { PublicationTest, PublishedKeyCode } from "./published-key.ts";

/** Results that no look at the record itself would tell. */
const CODES = {
  "servers-disagree": "DNS-SERVERS-DIFFER",
  "server-silent": "DNS-SILENT",
  "temporary-dns": "DNS-SILENT",
  "not-yet": "DNS-NOT-YET",
  "dnssec-bogus": "DNS-BOGUS",
  "dnssec-insecure": "DNS-INSECURE",
  "dnssec-untrusted": "DNS-INSECURE",
  "not-verified": "KEY-PROBE",
  "not-signed": "KEY-PROBE",
} as const satisfies Partial<Record<PublishedKeyCode, Finding["code"]>>;

/**
 * What a test of a name found besides the faults of the record: about its servers, its place, and the signatures.
 * @param expected the key that should be there, when that is known
 */
export function findPublicationFaults(test: PublicationTest, expected: PublicKey | undefined): Finding[] {
  const { code, reason, findings, foundAt } = test;
  return [
    ...(code in CODES ? [makeFinding(CODES[code as keyof typeof CODES], { reason })] : []),
    ...(expected === undefined ? [] : findLostKey(test, expected)),
    ...foundAt.map(({ name, mistake }) => {
      const what = expected === undefined ? "a key" : "this very key";
      return makeFinding("DNS-MISPLACED", { reason: `${what} is published at ${name}: ${mistake}` });
    }),
    ...findings.filter((finding) => finding.code in PUBLICATION_FINDINGS),
  ];
}

/** Of several records a verifier may take the right one, as long as it is there. */
function findLostKey({ code, published }: PublicationTest, expected: PublicKey): Finding[] {
  if (code !== "several-records" || published.some((text) => describeRecord(text, expected) === "our key")) return [];
  return [makeFinding("KEY-PROBE", { reason: `none of the ${published.length} TXT records holds this key` })];
}
