import {
  type CnameRecord,
  type DnsMessage,
  type DnsRecord,
  foldName,
  type Question,
  type RecordOf,
  type RecordType,
  responseCodeName,
  sameName,
} from "./dns-message.ts";
import type { CnameLink, LookupOutcome, Referral } from "./resolver.ts";

/** More links than any delegation needs; resolvers give up at 8 to 16. */
export const MAX_CNAMES = 16;

/** What one answer means for the question: an end, or a CNAME whose target this server did not resolve. */
export type AnswerReading<R> =
  | {
      readonly kind: "end";
      readonly outcome: LookupOutcome<R>;
      readonly cnames: CnameLink[];
      readonly ttlSeconds?: number;
    }
  | { readonly kind: "follow"; readonly target: string; readonly cnames: CnameLink[] };

/**
 * Reads the answer to `question`, in which CNAMEs may lead from name to name (RFC 1034 §3.6.2). Only records whose owner is
 * the name asked for, or reached from it, count.
 * @param message not truncated, and found to answer `question`
 */
export function readAnswer<T extends RecordType>(
  message: DnsMessage,
  question: Question & { readonly type: T },
): AnswerReading<RecordOf<T>> {
  const { responseCode } = message;
  const chain = followCnames(message.answers, question);
  const { cnames } = chain;
  // named sends the circle it ran through along with SERVFAIL.
  if (chain.circular) return { kind: "end", outcome: { status: "cname-loop" }, cnames };
  if (responseCode !== 0 && responseCode !== 3) return { kind: "end", outcome: errorOutcome(responseCode), cnames };

  const records = message.answers.filter(
    (record): record is RecordOf<T> => record.type === question.type && sameName(record.name, chain.end),
  );
  if (records.length > 0) {
    const ttlSeconds = Math.min(...[...records, ...cnames].map((record) => record.ttlSeconds));
    return { kind: "end", outcome: { status: "found", records }, cnames, ttlSeconds };
  }
  const ttlSeconds = negativeTtl(message.authorities);
  const negative = (outcome: LookupOutcome<never>): AnswerReading<RecordOf<T>> => ({
    kind: "end",
    outcome,
    cnames,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  });
  if (cnames.length > 0) {
    // RFC 6604 §3: the response code speaks of the last name of the chain.
    if (responseCode === 3) return negative({ status: "cname-to-nothing", target: chain.end, missing: "name" });
    if (ttlSeconds === undefined) return { kind: "follow", target: chain.end, cnames };
    return negative({ status: "cname-to-nothing", target: chain.end, missing: "data" });
  }
  if (responseCode === 3) return negative({ status: "no-name" });
  return negative(isForeign(message) ? { status: "lame", referral: referralOf(message) } : { status: "no-data" });
}

function errorOutcome(responseCode: number): LookupOutcome<never> {
  if (responseCode === 2) return { status: "servfail" };
  if (responseCode === 5) return { status: "refused" };
  return { status: "error-code", responseCode: responseCodeName(responseCode) };
}

function followCnames(answers: readonly DnsRecord[], { name, type }: Question) {
  const cnames: CnameLink[] = [];
  let end = name;
  const isPlain = type === "CNAME" || answers.every((record) => record.type !== "CNAME");
  if (isPlain) return { end, cnames, circular: false };
  const targets = new Map<string, CnameRecord>();
  for (const record of answers) if (record.type === "CNAME") targets.set(foldName(record.name), record);
  const seen = new Set([foldName(name)]);
  for (let link = targets.get(foldName(end)); link !== undefined; link = targets.get(foldName(end))) {
    cnames.push({ from: end, to: link.target, ttlSeconds: link.ttlSeconds });
    end = link.target;
    if (seen.has(foldName(end)) || cnames.length > MAX_CNAMES) return { end, cnames, circular: true };
    seen.add(foldName(end));
  }
  return { end, cnames, circular: false };
}

/** RFC 2308 §5; `undefined` without SOA, which is not to be kept. */
function negativeTtl(authorities: readonly DnsRecord[]): number | undefined {
  const soa = authorities.find((record) => record.type === "SOA");
  return soa === undefined ? undefined : Math.min(soa.ttlSeconds, soa.minimumTtlSeconds);
}

/** RFC 1034 §4.3.2 step 3b, RFC 2308 §2.2: not the zone's server, and nobody who would ask for us. */
function isForeign(message: DnsMessage): boolean {
  if (message.authoritative) return false;
  const { authorities } = message;
  if (authorities.some((record) => record.type === "SOA")) return false;
  return authorities.some((record) => record.type === "NS") || !message.recursionAvailable;
}

function referralOf({ authorities }: DnsMessage): Referral | undefined {
  const zone = authorities.find((record) => record.type === "NS")?.name;
  if (zone === undefined) return undefined;
  const servers = authorities.flatMap((record) =>
    record.type === "NS" && sameName(record.name, zone) ? [record.target] : [],
  );
  return { zone, nameServers: servers };
}
