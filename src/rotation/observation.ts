import { checkRecord } from "../checks/check-record.ts";
import type { SurveyStep, ZoneSurvey } from "../dns/authoritative.ts";
import { compareServers, type Served, type ServerComparison } from "../dns/authoritative-comparison.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import { parseKeyRecord } from "../dns/key-record.ts";
import { sameOctets } from "../keys/public-key.ts";
import { isLive, type Journal, type RotationKey, replaceKey } from "./rotation-key.ts";

/** What the authoritative servers say about the name of a key. */
export type Observation = Agreement | Doubt;

/** All of them, asked by address, serve the same. */
export interface Agreement {
  readonly kind: "agreed";
  /** `ours`: one TXT record, good, with the key's own public key. `revoked`: one record with an empty p=. */
  readonly serves: "ours" | "revoked" | "nothing" | "other";
  /** Of what is served; 0 for nothing. */
  readonly ttlSeconds: number;
  /** How long a "no" is kept: min(TTL of the SOA record, its minimum), the longest along the CNAMEs. */
  readonly negativeSeconds: number;
  /** Where the answer stands, at the end of CNAMEs, and in which zone. */
  readonly servedAt: string;
  readonly zone: string;
  /** The strings of each TXT record, latin1. */
  readonly rrset: readonly (readonly string[])[];
  /** What is wrong with it, escaped; empty when nothing is. */
  readonly detail: string;
}

/** They do not agree, or not all of them answered. Nothing is ever concluded from this. */
export interface Doubt {
  readonly kind: "doubt";
  /** At least one server does answer, and serves something else than our record, or leads elsewhere than another one. */
  readonly contradicts: boolean;
  /** The longest TTL of anything that was seen. */
  readonly ttlSeconds: number;
  /** How long a "no" is kept, as far as any server tells. */
  readonly negativeSeconds: number;
  /** Escaped. */
  readonly reason: string;
}

/**
 * What a survey of the key's name comes to.
 * @param negativeSeconds by zone, as its servers tell; a zone that is missing makes a doubt
 */
export function readSurvey(
  key: Pick<RotationKey, "record">,
  survey: ZoneSurvey,
  negativeSeconds: ReadonlyMap<string, number>,
): Observation {
  const comparisons = survey.steps.map((step) => ({ step, ...compareServers(step) }));
  const ttlSeconds = Math.max(0, ...survey.steps.flatMap(ttlsOf));
  const doubt = (reason: string): Doubt => ({
    kind: "doubt",
    contradicts: contradicts(key, comparisons),
    ttlSeconds,
    negativeSeconds: Math.max(0, ...negativeSeconds.values()),
    reason,
  });
  const last = comparisons.at(-1);
  const parted = comparisons.find(({ versions }) => versions.length > 1);
  if (parted !== undefined) return doubt(disagreement(parted));
  if (survey.problem !== undefined || last === undefined) return doubt(survey.problem ?? "no server was asked");
  for (const comparison of comparisons) {
    if (!comparison.agree) return doubt(disagreement(comparison));
  }
  const negatives = comparisons.map(({ step }) => negativeSeconds.get(step.zone));
  if (negatives.includes(undefined)) return doubt(`the SOA record of ${escapeDnsText(last.step.zone)} cannot be told`);
  const served = last.versions[0]?.served;
  if (served === undefined || served.kind === "cname") return doubt("the CNAMEs lead nowhere");
  return {
    kind: "agreed",
    ...judge(key, served),
    ttlSeconds,
    negativeSeconds: Math.max(...negatives.map((seconds) => seconds ?? 0)),
    servedAt: last.step.name,
    zone: last.step.zone,
    rrset: rrsetOf(last.step),
  };
}

function contradicts(key: Pick<RotationKey, "record">, comparisons: readonly ServerComparison[]): boolean {
  return comparisons.some(({ versions }, index) => {
    const ways = versions.filter(({ served }) => served.kind === "cname").length;
    // Of two ways only one was followed: what stands at the end of the other is not known.
    if (ways > 1) return true;
    const isOnTheWay = index < comparisons.length - 1;
    return versions.some(({ served }) => !isOurs(key, served) && !(served.kind === "cname" && isOnTheWay));
  });
}

/**
 * The journal with what was seen: how long caches may hold something older, and since when the record is proven. A break
 * of any kind ends a proof; so does a CNAME that leads elsewhere. No key changes its state here.
 * @param now `undefined`: the clock is wrong, and no proof begins
 * @returns the same journal when it tells all of it already
 */
export function absorbObservations(
  journal: Journal,
  observations: ReadonlyMap<string, Observation>,
  now: number | undefined,
): Journal {
  let result = journal;
  for (const key of journal.keys) {
    const seen = isLive(key) ? observations.get(key.selector) : undefined;
    if (seen === undefined) continue;
    const known = absorb(key, seen, now);
    const isNews = (Object.keys(known) as (keyof typeof known)[]).some((field) => known[field] !== key[field]);
    if (isNews) result = replaceKey(result, { ...key, ...known });
  }
  return result;
}

function absorb(
  key: RotationKey,
  seen: Observation,
  now: number | undefined,
): Pick<RotationKey, "staleSeconds" | "ttlSeconds" | "provenSince" | "servedAt" | "absentSince"> {
  const ours = seen.kind === "agreed" && seen.serves === "ours";
  const stale = ours ? seen.negativeSeconds : Math.max(seen.ttlSeconds, seen.negativeSeconds);
  const moved = ours && key.servedAt !== undefined && key.servedAt !== seen.servedAt;
  const again = ours && key.servedAt !== undefined && key.provenSince === undefined;
  const provenSince = ours ? (moved ? now : (key.provenSince ?? now)) : undefined;
  return {
    // A resolver may hold the CNAME that led elsewhere, where the record is not kept. And after a break nobody knows all
    // that stood there: most likely it had the TTL that ours has.
    staleSeconds: Math.max(key.staleSeconds, stale, moved || again ? Math.max(key.ttlSeconds, seen.ttlSeconds) : 0),
    // Where the servers disagree, one may have our record, and may tell of a longer TTL than before.
    ttlSeconds: ours || seen.kind === "doubt" ? Math.max(key.ttlSeconds, seen.ttlSeconds) : key.ttlSeconds,
    provenSince,
    servedAt: ours ? seen.servedAt : key.servedAt,
    absentSince: key.state === "tombstone" && seen.kind === "agreed" && !ours ? (key.absentSince ?? now) : undefined,
  };
}

function judge(
  key: Pick<RotationKey, "record">,
  served: Exclude<Served, { kind: "cname" }>,
): Pick<Agreement, "serves" | "detail"> {
  if (served.kind === "nothing") return { serves: "nothing", detail: "" };
  const [record = "", ...others] = served.records;
  if (others.length > 0) return { serves: "other", detail: `${served.records.length} TXT records at the name` };
  if (isOurs(key, served)) return { serves: "ours", detail: "" };
  const { state, findings } = checkRecord(record);
  if (state === "revoked") return { serves: "revoked", detail: "p= is empty" };
  const error = findings.find(({ severity }) => severity === "error");
  return { serves: "other", detail: error === undefined ? "another key" : `${error.message} (${error.code})` };
}

function isOurs({ record }: Pick<RotationKey, "record">, served: Served): boolean {
  if (record === undefined || served.kind !== "records" || served.records.length !== 1) return false;
  const [text = ""] = served.records;
  if (checkRecord(text).state !== "usable") return false;
  const [ours, theirs] = [parseKeyRecord(record), parseKeyRecord(text)];
  if (ours.publicKey === undefined || theirs.publicKey === undefined) return false;
  return ours.keyType === theirs.keyType && sameOctets(ours.publicKey, theirs.publicKey);
}

function disagreement({ rows, versions }: ServerComparison): string {
  const [most, next] = versions;
  if (most !== undefined && next !== undefined) {
    return `the servers disagree: ${most.servers.join(", ")} ${describe(most.served)}, ${next.servers.join(", ")} ${describe(next.served)}`;
  }
  const problem = rows.find((row) => row.problem !== undefined);
  return problem?.problem === undefined
    ? "no server answered"
    : `${escapeDnsText(problem.nameServer)}: ${problem.problem}`;
}

function describe(served: Served): string {
  if (served.kind === "nothing") return "has nothing";
  return served.kind === "cname" ? `has a CNAME to ${escapeDnsText(served.target)}` : "has a record";
}

function ttlsOf({ servers }: SurveyStep): number[] {
  return servers.flatMap((server) =>
    server.address === undefined
      ? []
      : [server.udp, server.tcp].flatMap((lookup) => [
          ...(lookup.status === "found" ? [lookup.ttlSeconds ?? 0] : []),
          ...lookup.cnames.map((link) => link.ttlSeconds),
        ]),
  );
}

function rrsetOf({ servers }: SurveyStep): string[][] {
  for (const server of servers) {
    if (server.address !== undefined && server.udp.status === "found") {
      return server.udp.records.map(({ strings }) => [...strings]);
    }
  }
  return [];
}
