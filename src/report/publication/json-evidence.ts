import type { PublicationTest } from "../../checks/published-key.ts";
import { escapeDnsText } from "../../dns/escape-dns-text.ts";

/** What the DNS said about one name, as members of a JSON object; all are there though nothing was asked. */
export function jsonEvidence(
  test: Pick<PublicationTest, "foundAt" | "authoritative" | "lookup" | "dnssec"> | undefined,
) {
  const { foundAt = [], authoritative, lookup, dnssec } = test ?? {};
  return {
    foundAt,
    authoritative: authoritative === undefined ? null : { state: authoritative.state, servers: authoritative.servers },
    dns: {
      status: lookup?.status ?? null,
      server: lookup?.server?.address ?? null,
      transport: lookup?.server?.transport ?? null,
      ttlSeconds: lookup?.ttlSeconds ?? null,
      authoritative: lookup?.authoritative ?? null,
      cnames: lookup?.cnames.map(({ to }) => escapeDnsText(to)) ?? [],
      dnssec: dnssec ?? null,
    },
  };
}
