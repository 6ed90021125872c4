import type { AuthoritativeCheck } from "../../checks/authoritative-check.ts";
import type { PublicationTest } from "../../checks/published-key.ts";
import { jsonEvidence } from "../publication/json-evidence.ts";
import { serverTable } from "../publication/server-table.ts";
import { type KeyReport, shownRecords } from "./key-report.ts";

const DNSSEC_STATES: Record<NonNullable<PublicationTest["dnssec"]>, string> = {
  secure: "secure",
  insecure: "insecure: the answer is not signed, or nobody validated it",
  bogus: "bogus: the signatures do not hold",
  untrusted: "unknown: the server cannot be believed over this channel (see --trust-ad)",
};

/** What the DNS said of a selector: lines for a person, escaped. */
export function describePublication({ publication, ...report }: KeyReport): string[] {
  if (publication === undefined) return [];
  const { authoritative, dnssec, lookup, probe } = publication;
  const ttlSeconds = lookup?.ttlSeconds;
  return [
    ...(ttlSeconds === undefined ? [] : [`  TTL          ${ttlSeconds} s left with the resolvers`]),
    ...(dnssec === undefined ? [] : [`  DNSSEC       ${DNSSEC_STATES[dnssec]}`]),
    ...(authoritative === undefined ? [] : [`  servers      ${describeServers(authoritative)}`]),
    ...(probe === undefined ? [] : [`  probe        signed with the private key: ${PROBE_RESULTS[probe]}`]),
    ...shownNotes(publication, report).map((note) => `  note         ${note}`),
    ...serverTable(authoritative).map((line) => `  ${line}`),
  ];
}

const PROBE_RESULTS = {
  pass: "it verifies with what is published",
  fail: "it does not verify with what is published",
} as const;

function describeServers({ state, servers }: AuthoritativeCheck): string {
  const count = servers.length === 1 ? "1 authoritative server" : `${servers.length} authoritative servers`;
  switch (state) {
    case "agree":
      return servers.length === 1 ? `${count} asked` : `all ${count} agree`;
    case "silent":
      return `of ${count} not all answer; those that do agree`;
    case "disagree":
      return `${count} do not agree`;
    case "unknown":
      return `${count} asked, without an answer`;
  }
}

/** The same for programs; `null`: nobody asked. */
export function jsonPublication({ publication, ...report }: KeyReport) {
  if (publication === undefined) return null;
  const { code, reason, probe } = publication;
  const notes = shownNotes(publication, report);
  return { code, reason, probe: probe ?? null, notes, ...jsonEvidence(publication) };
}

/** They quote records, and one may hold what no report spreads further. */
function shownNotes({ notes }: PublicationTest, report: Pick<KeyReport, "records" | "findings">): readonly string[] {
  return shownRecords(report).isRedacted ? [] : notes;
}
