import type { ExtendedError, QueryOptions, RecordOf, RecordType } from "./dns-message.ts";
import { escapeDnsText } from "./escape-dns-text.ts";

/**
 * The answer to "which TXT records are at this name?". A lasting "no" and a "try later" never share a case.
 * Each element of `records` is one TXT record: its character-strings joined without separator (RFC 6376 §3.6.2.2),
 * one UTF-16 unit per octet (latin1), so that no octet is lost.
 */
export type TxtAnswer =
  | { readonly status: "found"; readonly records: readonly string[] }
  | { readonly status: "no-name" | "no-data" }
  | { readonly status: "temporary-failure"; readonly reason: string };

/** Anything that can answer TXT queries: the real resolver, or an object of a test or of the library's user. */
export interface TxtResolver {
  /** @param name a validated query name without trailing dot. Never rejects for a DNS outcome. */
  lookup(name: string): Promise<TxtAnswer>;
}

/**
 * The resolver of the commands: every outcome kept apart, with what is known about how it came about.
 * Lookups never reject for a DNS outcome.
 */
export interface Resolver {
  lookupTxt(name: string, options?: LookupOptions): Promise<TxtLookup>;
  lookup<T extends RecordType>(name: string, type: T, options?: LookupOptions): Promise<Lookup<RecordOf<T>>>;
  /** Lets go of every socket and timer; lookups under way end as `aborted`. */
  close(): Promise<void>;
}

export interface LookupOptions extends Omit<QueryOptions, "edns"> {
  /** Ends the lookup as `aborted`. */
  readonly signal?: AbortSignal;
}

export type TxtLookup = Lookup<RecordOf<"TXT">>;

/** One lookup: how it ended, and by which way. */
export type Lookup<R> = LookupTrace & LookupOutcome<R>;

export type LookupOutcome<R> =
  | { readonly status: "found"; readonly records: readonly R[] }
  /** NXDOMAIN, or NOERROR without such a record. */
  | { readonly status: "no-name" | "no-data" }
  /** The last name of `cnames` does not exist, or has no such record. */
  | { readonly status: "cname-to-nothing"; readonly target: string; readonly missing: "name" | "data" }
  | { readonly status: "cname-loop" }
  | { readonly status: "servfail" | "refused" | "timeout" | "truncated" | "aborted" }
  /** Another response code. */
  | { readonly status: "error-code"; readonly responseCode: string }
  | {
      readonly status: "unreachable";
      readonly cause: "port-closed" | "network" | "tls" | "http";
      readonly reason: string;
    }
  | { readonly status: "malformed"; readonly reason: string }
  /** Asked without recursion, the server knows of a CNAME only; its target is for other servers to tell. */
  | { readonly status: "cname-elsewhere"; readonly target: string }
  /** The server neither resolves for others nor serves the zone. It may have said who does. */
  | { readonly status: "lame"; readonly referral: Referral | undefined };

/** RFC 1034 §4.2.1: the zone below the one asked, and its servers. */
export interface Referral {
  readonly zone: string;
  readonly nameServers: readonly string[];
}

export type LookupStatus = LookupOutcome<never>["status"];

export interface LookupTrace {
  /** The name asked for. */
  readonly name: string;
  /** Whose answer this is; for failures, the server the outcome speaks of. */
  readonly server: ServerLabel | undefined;
  /** AA. */
  readonly authoritative: boolean;
  /** How long the answer may be kept; for a lasting "no", the negative TTL (RFC 2308 §5). `undefined`: not told. */
  readonly ttlSeconds: number | undefined;
  readonly dnssec: DnssecStatus;
  /** In the order they were followed. */
  readonly cnames: readonly CnameLink[];
  /** RFC 8914. */
  readonly extendedErrors: readonly ExtendedError[];
  /** Every exchange that was tried, in order. */
  readonly attempts: readonly LookupAttempt[];
}

/**
 * `secure`: validated, and told over a channel that can be believed (RFC 6840 §5.8). `insecure`: the same channel says it
 * was not validated. `untrusted`: nobody between here and there can be believed, whatever the AD bit says.
 */
export type DnssecStatus = "secure" | "insecure" | "untrusted";

export interface ServerLabel {
  /** `192.0.2.1#53`, or the URL of a DNS over HTTPS server. */
  readonly address: string;
  readonly transport: TransportName;
}

export type TransportName = "udp" | "tcp" | "tls" | "https";

export interface CnameLink {
  readonly from: string;
  readonly to: string;
  readonly ttlSeconds: number;
}

export interface LookupAttempt {
  readonly server: ServerLabel;
  readonly outcome: LookupStatus;
  /** How long this attempt could have taken. */
  readonly timeoutMs: number;
}

/** What is left of a lookup for those who only need records, "no", or "try later". */
export function toTxtAnswer(lookup: TxtLookup): TxtAnswer {
  switch (lookup.status) {
    case "found":
      return { status: "found", records: lookup.records.map(({ strings }) => strings.join("")) };
    case "no-name":
    case "no-data":
      return { status: lookup.status };
    case "cname-to-nothing":
      return { status: lookup.missing === "name" ? "no-name" : "no-data" };
    default:
      return { status: "temporary-failure", reason: failureReason(lookup) };
  }
}

/** A `Resolver` as the library's users know it. */
export function asTxtResolver(resolver: Resolver): TxtResolver {
  return { lookup: async (name) => toTxtAnswer(await resolver.lookupTxt(name)) };
}

/** Whether asking again later may help. A lasting "no" is not a failure. */
export function isTemporary(lookup: LookupOutcome<unknown>): boolean {
  return !["found", "no-name", "no-data", "cname-to-nothing", "cname-elsewhere"].includes(lookup.status);
}

/** A temporary outcome in plain words, such as `SERVFAIL from 192.0.2.1 (dnssec bogus)`; safe for a terminal. */
export function failureReason(lookup: Lookup<unknown>): string {
  const server = lookup.server === undefined ? "the server" : serverName(lookup.server);
  switch (lookup.status) {
    case "servfail":
      return `SERVFAIL from ${server}${explanation(lookup)}`;
    case "refused":
      return `REFUSED from ${server}${explanation(lookup)}`;
    case "error-code":
      return `${lookup.responseCode} from ${server}${explanation(lookup)}`;
    case "timeout":
      return `no answer from ${timedOut(lookup)}`;
    case "unreachable":
      return `cannot reach ${server}: ${lookup.reason}`;
    case "malformed":
      return `malformed answer from ${server}: ${lookup.reason}`;
    case "truncated":
      return `the TCP answer from ${server} was cut short`;
    case "lame":
      return `${server} neither resolves names nor serves the zone of ${escapeDnsText(lookup.name)}`;
    case "cname-elsewhere":
      return `${server} knows a CNAME to ${escapeDnsText(lookup.target)} and no more`;
    case "cname-loop":
      return `the CNAMEs at ${escapeDnsText(lookup.name)} lead in a circle, or on for too long`;
    case "aborted":
      return `the lookup of ${escapeDnsText(lookup.name)} was not finished`;
    default:
      return lookup.status;
  }
}

/** The address alone where nothing else needs saying: port 53 over UDP or TCP. */
function serverName({ address, transport }: ServerLabel): string {
  const plain = address.replace(/#53$/, "");
  return transport === "tls" ? `tls:${address}` : plain;
}

function explanation({ extendedErrors }: LookupTrace): string {
  const [error] = extendedErrors;
  if (error === undefined) return "";
  return ` (${error.text === "" ? error.purpose : `${error.purpose}: ${escapeDnsText(error.text)}`})`;
}

function timedOut({ attempts }: LookupTrace): string {
  const silent = attempts.filter(({ outcome }) => outcome === "timeout");
  const servers = [...new Set(silent.map(({ server }) => server.address))].join(", ");
  const seconds = (silent[0]?.timeoutMs ?? 0) / 1000;
  const perServer = Math.round(silent.length / Math.max(1, new Set(silent.map(({ server }) => server.address)).size));
  return `${servers} after ${perServer === 1 ? "1 try" : `${perServer} tries`} of ${seconds} s`;
}
