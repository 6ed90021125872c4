import type { SurveyStep, ZoneSurvey } from "../dns/authoritative.ts";
import { compareServers, type Served, type ServerComparison } from "../dns/authoritative-comparison.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import type { TxtLookup } from "../dns/resolver.ts";
import { type PublicKey, publicKeyFingerprint } from "../keys/public-key.ts";
import { checkRecord } from "./check-record.ts";

/** Whether all authoritative servers of a name say one thing. Pure; the survey is made in dns/authoritative.ts. */
export type AuthoritativeCheck = {
  /** Every server that was asked, for a table. */
  readonly servers: readonly ServerLine[];
  readonly serialsDiffer: boolean;
} & (
  | { readonly state: "agree"; readonly served: Served; readonly lookup: TxtLookup }
  /** Those that answer agree; the others may be down for a moment. */
  | { readonly state: "silent"; readonly reason: string; readonly served: Served; readonly lookup: TxtLookup }
  | { readonly state: "disagree"; readonly reason: string }
  /** The zone or its servers cannot be found, or none of them answers. */
  | { readonly state: "unknown"; readonly reason: string }
);

/** All texts are safe for a terminal. */
export interface ServerLine {
  readonly zone: string;
  readonly nameServer: string;
  /** `null`: the name server's name has no address. */
  readonly address: string | null;
  readonly serial: number | null;
  /** `our key`, `another key`, `key SHA256:...` where ours is not known, `nothing`, `CNAME to …`; `null` when it does not tell. */
  readonly serves: string | null;
  readonly problem: string | null;
}

/** @param expected the key that the record should hold, when that is known */
export function checkAuthoritative(
  { steps, problem }: ZoneSurvey,
  expected: PublicKey | undefined,
): AuthoritativeCheck {
  const comparisons = steps.map((step) => ({ step, comparison: compareServers(step) }));
  const servers = comparisons.flatMap(({ step, comparison }) => serverLines(step, comparison, expected));
  const shared = { servers, serialsDiffer: comparisons.some(({ comparison }) => comparison.serialsDiffer) };
  for (const { step, comparison } of comparisons) {
    const reason = disagreement(step, comparison);
    if (reason !== undefined) return { ...shared, state: "disagree", reason };
  }
  if (problem !== undefined) return { ...shared, state: "unknown", reason: problem };
  const last = comparisons.at(-1);
  const served = last?.comparison.versions[0]?.served;
  const lookup = last && answerOf(last.step, last.comparison);
  const silent = comparisons.flatMap(({ comparison }) =>
    comparison.rows.flatMap(({ nameServer, address, problem }) =>
      problem === undefined ? [] : [`${escapeDnsText(nameServer)} (${address ?? "no address"}): ${problem}`],
    ),
  );
  if (served === undefined || lookup === undefined) {
    return { ...shared, state: "unknown", reason: silent.join("; ") || "there is no authoritative server" };
  }
  if (silent.length > 0) return { ...shared, state: "silent", reason: silent.join("; "), served, lookup };
  return { ...shared, state: "agree", served, lookup };
}

/** A lasting difference: two contents, a server that does not serve the zone, or one over one transport only. */
function disagreement({ zone }: SurveyStep, { rows, versions }: ServerComparison): string | undefined {
  const servers = `the ${rows.length} authoritative servers of ${escapeDnsText(zone)}`;
  if (versions.length > 1) return `${servers} serve ${versions.length} different things`;
  const faulty = rows.filter(({ state }) => ["lame", "no-address", "contradicts"].includes(state));
  const [first] = faulty;
  if (first === undefined) return undefined;
  const name = `${escapeDnsText(first.nameServer)}${first.address === undefined ? "" : ` (${first.address})`}`;
  const others = faulty.length === 1 ? "" : ` (and ${faulty.length - 1} more like it)`;
  return `of ${servers}, ${name} does not serve the record: ${first.problem ?? ""}${others}`;
}

function answerOf({ servers }: SurveyStep, { rows }: ServerComparison): TxtLookup | undefined {
  const index = rows.findIndex(({ version }) => version === 0);
  const server = servers[index];
  if (server === undefined || server.address === undefined) return undefined;
  return server.udp.authoritative ? server.udp : server.tcp;
}

function serverLines(
  { zone }: SurveyStep,
  { rows, versions }: ServerComparison,
  expected: PublicKey | undefined,
): ServerLine[] {
  const contents = versions.map(({ served }) => describeServed(served, expected));
  return rows.map(({ nameServer, address, serial, version, problem }) => ({
    zone: escapeDnsText(zone),
    nameServer: escapeDnsText(nameServer),
    address: address ?? null,
    serial: serial ?? null,
    serves: version === undefined ? null : (contents[version] ?? null),
    problem: problem ?? null,
  }));
}

function describeServed(served: Served, expectedKey: PublicKey | undefined): string {
  if (served.kind === "nothing") return "nothing";
  if (served.kind === "cname") return `CNAME to ${escapeDnsText(served.target)}`;
  const [only] = served.records;
  return served.records.length === 1 && only !== undefined
    ? describeRecord(only, expectedKey)
    : `${served.records.length} records`;
}

/** As much of one as tells keys apart at a glance. */
const SHOWN_FINGERPRINT = 12;

/** What one TXT record is to the owner of a key, in two or three words; without that key, whose it is by its fingerprint. */
export function describeRecord(text: string, expectedKey: PublicKey | undefined): string {
  const { state, publicKey, findings } = checkRecord(text, { expectedKey });
  if (state === "revoked") return "a revoked key";
  if (publicKey === undefined) return "no usable key record";
  if (expectedKey === undefined) return `key SHA256:${publicKeyFingerprint(publicKey).slice(0, SHOWN_FINGERPRINT)}...`;
  return findings.some(({ code }) => code === "KEY-MISMATCH") ? "another key" : "our key";
}
