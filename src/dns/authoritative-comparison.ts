import { type ServerSurvey, type SurveyStep, targetOutside } from "./authoritative.ts";
import { foldName } from "./dns-message.ts";
import { failureReason, type TxtLookup } from "./resolver.ts";

/** Whether the authoritative servers agree, and on what. Pure: from a survey to rows for a table. */
export interface ServerComparison {
  /** Every server serves the same thing, over UDP and over TCP. */
  readonly agree: boolean;
  /** In the order of the survey. */
  readonly rows: readonly ServerRow[];
  /** What is served, each thing once, that of most servers first. */
  readonly versions: readonly ServedVersion[];
  /** One server lags behind another, or has a zone of its own. */
  readonly serialsDiffer: boolean;
}

/** What a server has at the name. Records are latin1 texts, sorted, for their order means nothing. */
export type Served =
  | { readonly kind: "records"; readonly records: readonly string[] }
  | { readonly kind: "cname"; readonly target: string }
  | { readonly kind: "nothing" };

export interface ServedVersion {
  readonly served: Served;
  /** `ns1.example.com (192.0.2.1)` */
  readonly servers: readonly string[];
}

export interface ServerRow {
  readonly nameServer: string;
  readonly address: string | undefined;
  /** `contradicts`: it serves one thing over UDP and another over TCP. */
  readonly state: "serves" | "contradicts" | "lame" | "no-answer" | "no-address";
  /** Index into `versions`; `undefined` unless it serves. */
  readonly version: number | undefined;
  readonly serial: number | undefined;
  /** What is wrong with this server, in plain words; safe for a terminal. */
  readonly problem: string | undefined;
}

/** What the servers of one zone say about the name, side by side. */
export function compareServers({ servers, zone }: SurveyStep): ServerComparison {
  const readings = servers.map((server) => readServer(server, zone));
  const byKey = new Map<string, { served: Served; servers: string[] }>();
  for (const { served, label } of readings) {
    if (served === undefined) continue;
    const key = servedKey(served);
    const version = byKey.get(key) ?? { served, servers: [] };
    version.servers.push(label);
    byKey.set(key, version);
  }
  const keys = [...byKey.keys()].sort(
    (a, b) => (byKey.get(b)?.servers.length ?? 0) - (byKey.get(a)?.servers.length ?? 0),
  );
  const rows = readings.map(({ row, served }) => ({
    ...row,
    version: served === undefined ? undefined : keys.indexOf(servedKey(served)),
  }));
  const serials = new Set(rows.flatMap(({ serial }) => (serial === undefined ? [] : [serial])));
  return {
    agree: rows.length > 0 && keys.length === 1 && rows.every((row) => row.problem === undefined),
    rows,
    versions: keys.flatMap((key) => byKey.get(key) ?? []),
    serialsDiffer: serials.size > 1,
  };
}

/** How what resolvers answer relates to what the zone's servers agree on. */
export type ResolverView =
  | { readonly state: "same" }
  /** Resolvers hold an older answer, or an older "no", for at most so long. */
  | { readonly state: "not-yet"; readonly secondsLeft: number | undefined }
  /** The resolvers did not tell. */
  | { readonly state: "no-answer"; readonly reason: string };

/** @param lookup of the same name, by a recursive resolver */
export function compareWithResolver(served: Served, lookup: TxtLookup): ResolverView {
  const seen = servedBy(lookup);
  if (seen === undefined) return { state: "no-answer", reason: failureReason(lookup) };
  return servedKey(seen) === servedKey(served)
    ? { state: "same" }
    : { state: "not-yet", secondsLeft: lookup.ttlSeconds };
}

interface Reading {
  readonly label: string;
  readonly served: Served | undefined;
  readonly row: Omit<ServerRow, "version">;
}

function readServer(server: ServerSurvey, zone: string): Reading {
  const { nameServer, address } = server;
  if (address === undefined) {
    const row = { nameServer, address, state: "no-address" as const, serial: undefined, problem: server.reason };
    return { label: nameServer, served: undefined, row };
  }
  const label = `${nameServer} (${address})`;
  const [udp, tcp] = [readLookup(server.udp, zone), readLookup(server.tcp, zone)];
  const served = udp.served ?? tcp.served;
  return {
    label,
    served,
    row: {
      nameServer,
      address,
      state: rowState(udp, tcp),
      serial: server.serial,
      problem: problemOf(udp, tcp),
    },
  };
}

function rowState(udp: LookupReading, tcp: LookupReading): ServerRow["state"] {
  if (udp.served !== undefined && tcp.served !== undefined) return sameServed(udp, tcp) ? "serves" : "contradicts";
  if (udp.served !== undefined || tcp.served !== undefined) return "serves";
  return udp.state === "lame" || tcp.state === "lame" ? "lame" : "no-answer";
}

function sameServed(udp: LookupReading, tcp: LookupReading): boolean {
  return udp.served !== undefined && tcp.served !== undefined && servedKey(udp.served) === servedKey(tcp.served);
}

interface LookupReading {
  readonly served: Served | undefined;
  readonly state: "serves" | "lame" | "no-answer";
  readonly problem: string | undefined;
}

function readLookup(lookup: TxtLookup, zone: string): LookupReading {
  const target = targetOutside(zone, lookup);
  const served = target === undefined ? servedBy(lookup) : { kind: "cname" as const, target: foldName(target) };
  if (served !== undefined && lookup.authoritative) return { served, state: "serves", problem: undefined };
  if (served !== undefined) return { served: undefined, state: "lame", problem: "its answer is not authoritative" };
  const answered = ["servfail", "refused", "error-code", "lame", "cname-loop"].includes(lookup.status);
  return { served: undefined, state: answered ? "lame" : "no-answer", problem: failureReason(lookup) };
}

function servedBy(lookup: TxtLookup): Served | undefined {
  switch (lookup.status) {
    case "found":
      return { kind: "records", records: lookup.records.map(({ strings }) => strings.join("")).sort() };
    case "no-name":
    case "no-data":
    case "cname-to-nothing":
      return { kind: "nothing" };
    default:
      return undefined;
  }
}

function problemOf(udp: LookupReading, tcp: LookupReading): string | undefined {
  if (udp.problem !== undefined && tcp.problem !== undefined) return udp.problem;
  if (udp.problem !== undefined) return `over UDP: ${udp.problem}`;
  if (tcp.problem !== undefined) return `over TCP: ${tcp.problem}`;
  return sameServed(udp, tcp) ? undefined : "it serves one thing over UDP and another over TCP";
}

function servedKey(served: Served): string {
  return JSON.stringify(served);
}
