import { describeRecord } from "../checks/authoritative-check.ts";
import { checkRecord } from "../checks/check-record.ts";
import type { PublishedKeyEvidence } from "../checks/published-key.ts";
import type { NameToJudge } from "../checks/published-record.ts";
import { surveyAuthoritativeServers, type ZoneSurvey } from "../dns/authoritative.ts";
import type { ServerPool } from "../dns/dns2-resolver.ts";
import {
  dnssecState,
  lookupSibling,
  probeWrongNames,
  readWildcard,
  type WildcardAnswer,
  type WrongName,
  wrongNames,
} from "../dns/key-lookup.ts";
import type { LookupOptions, Resolver, TxtLookup } from "../dns/resolver.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { Selector } from "../keys/selector.ts";
import { RecentMap } from "./recent-map.ts";

/**
 * - resolvers: as a receiver asks
 * - authoritative: each server of the zone by itself; no resolver hears of the record, and none remembers its absence
 * - both: the authoritative ones first; the resolvers only when those have the record
 */
export type EvidenceMode = "resolvers" | "authoritative" | "both";

export interface EvidenceTools {
  readonly resolver: Resolver;
  readonly pool: ServerPool;
  readonly mode: EvidenceMode;
  /** Of authoritative servers; default 53. */
  readonly port: number | undefined;
  readonly signal: AbortSignal;
}

/** Of a domain with many keys, so that one that fails does not cost hundreds of questions. */
const MOST_SELECTORS = 16;

/** Asks the DNS about keys, one question for all keys of a domain where that serves. */
export class EvidenceGatherer {
  readonly #tools: EvidenceTools;
  /** Listings go by domain: the last few are all that come again. */
  readonly #siblings = new RecentMap<DomainName, Promise<TxtLookup | undefined>>(512);

  constructor(tools: EvidenceTools) {
    this.#tools = tools;
  }

  async gather(name: KeyName): Promise<PublishedKeyEvidence> {
    const { resolver, pool, mode, port, signal } = this.#tools;
    const recordName = keyRecordName(name);
    if (mode === "resolvers") return this.#askResolvers(name);
    const connect = (server: Parameters<ServerPool["connect"]>[0]) => pool.connect(server);
    const survey = await surveyAuthoritativeServers(recordName, {
      resolver,
      connect,
      signal,
      ...(port !== undefined && { port }),
    });
    const found = survey.steps.at(-1)?.servers.some((s) => s.address !== undefined && isFound(s.udp, s.tcp));
    if (!found) return { survey, lookup: undefined };
    if (mode === "authoritative") return { survey, lookup: undefined, wildcard: await this.#wildcardAt(survey, name) };
    return { survey, ...(await this.#askResolvers(name)) };
  }

  async #askResolvers(name: KeyName): Promise<PublishedKeyEvidence & { readonly lookup: TxtLookup }> {
    const { resolver, signal } = this.#tools;
    const options: LookupOptions = { signal };
    const lookup = await resolver.lookupTxt(keyRecordName(name), options);
    const [dnssec, wildcard] = await Promise.all([
      dnssecState(resolver, lookup, options),
      this.#wildcard(name, lookup, options),
    ]);
    return { lookup, dnssec, wildcard };
  }

  async #wildcard({ domain }: KeyName, lookup: TxtLookup, options: LookupOptions): Promise<WildcardAnswer> {
    if (lookup.status !== "found") return "own";
    const sibling = this.#siblings.getOrMake(domain, () => lookupSibling(this.#tools.resolver, domain, options));
    return readWildcard(lookup, await sibling);
  }

  /** Wrong names at which this very key stands, or, where it is not known, any. For a key whose own name fails: each question leaves a "no" in caches. */
  async findElsewhere(
    { name, publicKey }: NameToJudge,
    { survey }: PublishedKeyEvidence,
    otherSelectors: readonly Selector[],
  ): Promise<WrongName[]> {
    const { resolver, signal } = this.#tools;
    const names = wrongNames(name, otherSelectors.filter((other) => other !== name.selector).slice(0, MOST_SELECTORS));
    const asked = survey === undefined ? resolver : this.#anyServer(survey);
    if (asked === undefined) return [];
    const found = await probeWrongNames(asked, names, { signal, recursionDesired: survey === undefined });
    return found
      .filter(({ lookup }) => lookup.records.some(({ strings }) => isKey(strings.join(""), publicKey)))
      .map(({ name, mistake }) => ({ name, mistake }));
  }

  /** One authoritative server's word, so that resolvers still hear of nothing. */
  async #wildcardAt(survey: ZoneSurvey, { domain }: KeyName): Promise<WildcardAnswer> {
    const asked = this.#anyServer(survey);
    const server = survey.steps[0]?.servers.find(({ address }) => address !== undefined);
    if (asked === undefined || server?.address === undefined) return "unknown";
    const { signal } = this.#tools;
    const sibling = this.#siblings.getOrMake(domain, () =>
      lookupSibling(asked, domain, { signal, recursionDesired: false }),
    );
    return readWildcard(server.udp, await sibling);
  }

  #anyServer({ steps }: ZoneSurvey): Resolver | undefined {
    const address = steps[0]?.servers.find((server) => server.address !== undefined)?.address;
    const { pool, port = 53 } = this.#tools;
    return address === undefined ? undefined : pool.connect({ transport: "udp", host: address, port });
  }
}

function isKey(text: string, publicKey: PublicKey | undefined): boolean {
  if (publicKey === undefined) return checkRecord(text).publicKey !== undefined;
  return describeRecord(text, publicKey) === "our key";
}

function isFound(...lookups: readonly TxtLookup[]): boolean {
  return lookups.some(({ status }) => status === "found");
}
