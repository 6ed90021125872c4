import { foldName } from "./dns-message.ts";
import { escapeDnsText } from "./escape-dns-text.ts";
import { failureReason, type Lookup, type Referral, type Resolver, type TxtLookup } from "./resolver.ts";
import type { ServerAddress } from "./server-address.ts";

/**
 * What each authoritative server says about a name, asked one by one without recursion. Names are looked up in the resolvers
 * only from the zone downwards, never the name itself: an answer "no" would stay in their caches (RFC 2308 §5).
 * What the answers amount to is decided in authoritative-comparison.ts.
 */
export interface ZoneSurvey {
  /** One for the name, and one more for each CNAME that leads into another zone. Empty only with a `problem`. */
  readonly steps: readonly SurveyStep[];
  /** Why the survey could not be brought to its end; safe for a terminal. */
  readonly problem: string | undefined;
}

export interface SurveyStep {
  readonly name: string;
  readonly zone: string;
  readonly servers: readonly ServerSurvey[];
}

/** One address of one name server; without an address, one name server that has none. */
export type ServerSurvey =
  | {
      readonly nameServer: string;
      readonly address: string;
      readonly udp: TxtLookup;
      readonly tcp: TxtLookup;
      /** Of the zone's SOA record, where the server tells it. */
      readonly serial: number | undefined;
    }
  | { readonly nameServer: string; readonly address: undefined; readonly reason: string };

export interface SurveyOptions {
  /** Finds zones and the addresses of name servers. */
  readonly resolver: Resolver;
  /** A resolver that asks this one server; whoever gives it closes it. See `createServerPool`. */
  readonly connect: (server: ServerAddress) => Resolver;
  /** Default 53. */
  readonly port?: number;
  readonly signal?: AbortSignal;
}

/** Delegations and CNAMEs into other zones that are followed. */
const MAX_STEPS = 8;

/** @param name a validated query name, such as that of a key record */
export async function surveyAuthoritativeServers(name: string, options: SurveyOptions): Promise<ZoneSurvey> {
  const steps: SurveyStep[] = [];
  const visited = new Set<string>();
  let target: string | undefined = name;
  while (target !== undefined && steps.length < MAX_STEPS) {
    if (visited.has(foldName(target))) return { steps, problem: `the CNAMEs at ${name} lead in a circle` };
    visited.add(foldName(target));
    const step = await surveyName(target, options);
    if (typeof step === "string") return { steps, problem: step };
    steps.push(step);
    target = cnameTarget(step);
  }
  return { steps, problem: target === undefined ? undefined : `the CNAMEs at ${name} lead on for too long` };
}

/** The zone that holds `name`, by its SOA record; a sentence when it cannot be told. */
async function surveyName(name: string, options: SurveyOptions): Promise<SurveyStep | string> {
  const found = await findZone(name, options);
  if (typeof found !== "object") return found;
  let { zone, nameServers }: Referral = found;
  for (let depth = 0; ; depth++) {
    const servers = await askAll(name, zone, nameServers, options);
    // A zone of its own below, such as a delegated _domainkey: go on with its servers.
    const referral = depth < MAX_STEPS ? commonReferral(servers, zone) : undefined;
    if (referral === undefined) return { name, zone, servers };
    ({ zone, nameServers } = referral);
  }
}

async function findZone(name: string, { resolver, signal }: SurveyOptions): Promise<Referral | string> {
  const abort = signal === undefined ? {} : { signal };
  for (const candidate of zoneCandidates(name)) {
    const soa = await resolver.lookup(candidate, "SOA", abort);
    // An SOA at the end of a CNAME is another zone's.
    if (soa.status === "found" && soa.cnames.length === 0) {
      const ns = await resolver.lookup(candidate, "NS", abort);
      if (ns.status !== "found")
        return `the name servers of ${escapeDnsText(candidate)} cannot be told: ${failureReason(ns)}`;
      return { zone: candidate, nameServers: ns.records.map(({ target }) => target) };
    }
    if (!["found", "no-name", "no-data", "cname-to-nothing"].includes(soa.status)) {
      return `the zone of ${escapeDnsText(name)} cannot be told: ${failureReason(soa)}`;
    }
  }
  return `no zone holds ${escapeDnsText(name)}`;
}

/** From the domain of a key record, or the parent of another name, up to the top. */
export function zoneCandidates(name: string): string[] {
  const labels = name.split(".");
  const scope = labels.map(foldName).lastIndexOf("_domainkey");
  const start = scope >= 0 && scope < labels.length - 1 ? scope + 1 : Math.min(1, labels.length - 1);
  return labels.slice(start).map((_, i) => labels.slice(start + i).join("."));
}

async function askAll(name: string, zone: string, nameServers: readonly string[], options: SurveyOptions) {
  const unique = [...new Map(nameServers.map((server) => [foldName(server), server])).values()].sort();
  const surveys = await Promise.all(unique.map((nameServer) => askNameServer(name, zone, nameServer, options)));
  return surveys.flat();
}

async function askNameServer(
  name: string,
  zone: string,
  nameServer: string,
  options: SurveyOptions,
): Promise<ServerSurvey[]> {
  const { resolver, signal } = options;
  const abort = signal === undefined ? {} : { signal };
  const [v4, v6] = await Promise.all([
    resolver.lookup(nameServer, "A", abort),
    resolver.lookup(nameServer, "AAAA", abort),
  ]);
  const addresses = [v4, v6].flatMap((lookup) =>
    lookup.status === "found" ? lookup.records.map((record) => record.address) : [],
  );
  if (addresses.length === 0) return [{ nameServer, address: undefined, reason: noAddressReason(v4) }];
  return Promise.all(
    [...new Set(addresses)].sort().map((address) => askAddress(name, zone, nameServer, address, options)),
  );
}

async function askAddress(name: string, zone: string, nameServer: string, address: string, options: SurveyOptions) {
  const { connect, port = 53, signal } = options;
  const lookupOptions = { recursionDesired: false, ...(signal === undefined ? {} : { signal }) };
  const overUdp = connect({ transport: "udp", host: address, port });
  const overTcp = connect({ transport: "tcp", host: address, port });
  const [udp, tcp, soa] = await Promise.all([
    overUdp.lookupTxt(name, lookupOptions),
    overTcp.lookupTxt(name, lookupOptions),
    overUdp.lookup(zone, "SOA", lookupOptions),
  ]);
  const serial = soa.status === "found" && soa.authoritative ? soa.records[0]?.serial : undefined;
  return { nameServer, address, udp, tcp, serial };
}

function noAddressReason(v4: Lookup<unknown>): string {
  switch (v4.status) {
    case "no-name":
      return "its name does not exist";
    case "no-data":
    case "cname-to-nothing":
      return "it has no address";
    default:
      return failureReason(v4);
  }
}

/** The zone below that any of the servers refers to, as far as it lies within `zone`. */
function commonReferral(servers: readonly ServerSurvey[], zone: string): Referral | undefined {
  for (const server of servers) {
    if (server.address === undefined) continue;
    for (const lookup of [server.udp, server.tcp]) {
      if (lookup.status !== "lame" || lookup.referral === undefined) continue;
      // Upward and sideways referrals are how lame servers answer; they lead nowhere.
      if (foldName(lookup.referral.zone).endsWith(`.${foldName(zone)}`)) return lookup.referral;
    }
  }
  return undefined;
}

function cnameTarget({ servers, zone }: SurveyStep): string | undefined {
  const lookups = servers.flatMap((server) => (server.address === undefined ? [] : [server.udp, server.tcp]));
  return lookups.map((lookup) => targetOutside(zone, lookup)).find((target) => target !== undefined);
}

/**
 * Where a CNAME leads out of `zone`. Some servers go on by themselves when they serve the other zone too; what they say about
 * that one is not theirs to say.
 */
export function targetOutside(zone: string, lookup: TxtLookup): string | undefined {
  const suffix = `.${foldName(zone)}`;
  const link = lookup.cnames.find(({ to }) => !`.${foldName(to)}`.endsWith(suffix));
  return link?.to ?? (lookup.status === "cname-elsewhere" ? lookup.target : undefined);
}
