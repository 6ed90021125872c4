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
 * @param isOurs it is known which key should be there
 */
export function findPublicationFaults(
  { code, reason, findings, foundAt }: PublicationTest,
  isOurs: boolean,
): Finding[] {
  return [
    ...(code in CODES ? [makeFinding(CODES[code as keyof typeof CODES], { reason })] : []),
    ...foundAt.map(({ name, mistake }) => {
      const reason = `${isOurs ? "this very key" : "a key"} is published at ${name}: ${mistake}`;
      return makeFinding("DNS-MISPLACED", { reason });
    }),
    ...findings.filter((finding) => finding.code in PUBLICATION_FINDINGS),
  ];
}
