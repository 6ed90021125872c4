import { type SurveyOptions, surveyAuthoritativeServers, type ZoneSurvey } from "../dns/authoritative.ts";
import { lookupSibling, readWildcard } from "../dns/key-lookup.ts";
import type { TxtLookup } from "../dns/resolver.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import { type Observation, readSurvey } from "./observation.ts";

export interface KeyObservation {
  readonly observation: Observation;
  /** What one of the servers answered at the end of CNAMEs; `undefined` when none was asked. */
  readonly lookup: TxtLookup | undefined;
}

/**
 * Asks every authoritative server, and none else, what it has at the name of a key, and how long a "no" of its zone is kept.
 * @param record the record that should be there; `undefined` when only what is there matters
 */
export async function observeKey(
  name: KeyName,
  record: string | undefined,
  options: SurveyOptions,
): Promise<KeyObservation> {
  const survey = await surveyAuthoritativeServers(keyRecordName(name), options);
  const negativeSeconds = await negativeTtls(survey, options);
  const server = survey.steps.at(-1)?.servers.find(({ address }) => address !== undefined);
  const lookup = server?.address === undefined ? undefined : server.udp;
  const observation = readSurvey({ record }, survey, negativeSeconds);
  const foreign = observation.kind === "agreed" && (observation.serves === "other" || observation.serves === "revoked");
  if (!foreign || survey.steps.length > 1 || lookup === undefined || server?.address === undefined) {
    return { observation, lookup };
  }
  const { connect, port = 53, signal } = options;
  const sibling = await lookupSibling(connect({ transport: "udp", host: server.address, port }), name.domain, {
    recursionDesired: false,
    ...(signal === undefined ? {} : { signal }),
  });
  if (readWildcard(lookup, sibling) !== "wildcard") return { observation, lookup };
  // Nothing of its own stands there; but what the wildcard answered stays in caches for its TTL.
  return { observation: { ...observation, serves: "nothing", rrset: [], detail: "a wildcard answers" }, lookup };
}

/** RFC 2308 §5: min(TTL of the SOA record, its minimum), the longest that any server of the zone tells. */
async function negativeTtls(
  { steps }: ZoneSurvey,
  { connect, port = 53, signal }: SurveyOptions,
): Promise<Map<string, number>> {
  const seconds = new Map<string, number>();
  const lookupOptions = { recursionDesired: false, ...(signal === undefined ? {} : { signal }) };
  for (const { zone, servers } of steps) {
    const lookups = await Promise.all(
      servers.map(async ({ address }) =>
        address === undefined
          ? undefined
          : connect({ transport: "udp", host: address, port }).lookup(zone, "SOA", lookupOptions),
      ),
    );
    for (const lookup of lookups) {
      if (lookup?.status !== "found" || !lookup.authoritative) continue;
      for (const { ttlSeconds, minimumTtlSeconds } of lookup.records) {
        seconds.set(zone, Math.max(seconds.get(zone) ?? 0, Math.min(ttlSeconds, minimumTtlSeconds)));
      }
    }
  }
  return seconds;
}
