import type { DomainName } from "../keys/domain-name.ts";
import type { KeyName } from "../keys/key-name.ts";
import { holds } from "../rotation/look.ts";
import { clockFinding } from "../rotation/plan.ts";
import type { Past, RotationRoom } from "./rotation-room.ts";

/** The domains that a run is about. */
export interface ManagedDomains {
  readonly domains: readonly DomainName[];
  /** Those that have a journal or a key; `undefined`: nobody has looked, since the domains were named. */
  readonly found?: { readonly withJournal: ReadonlySet<DomainName>; readonly withKeys: ReadonlySet<DomainName> };
}

/** Those that were named, or all that have a journal or a key. */
export async function managedDomains(
  named: readonly DomainName[],
  { journals, store }: RotationRoom,
): Promise<ManagedDomains> {
  if (named.length > 0) return { domains: [...new Set(named)] };
  const withJournal = new Set(await journals.domains());
  const withKeys = new Set<DomainName>();
  // The names are all that is wanted: what the filter lets through would be looked at, a file each.
  const note = ({ domain }: KeyName) => {
    withKeys.add(domain);
    return false;
  };
  for await (const _ of store.list(note));
  return { domains: [...new Set([...withJournal, ...withKeys])].sort(), found: { withJournal, withKeys } };
}

/** Which domains a round looks at. */
export interface DueDomains {
  readonly due: readonly DomainName[];
  /** Those that an earlier run found as they should be, and until when that counts. */
  readonly rested: readonly { readonly domain: DomainName; readonly until: number }[];
}

/** @param settings a fingerprint of those in force */
export async function dueDomains(
  { domains, found }: ManagedDomains,
  { journals }: RotationRoom,
  { lastRunAt }: Past,
  settings: string,
  now: number,
): Promise<DueDomains> {
  // Where the clock was set back every domain says so, as long as it is.
  const isBehind = clockFinding({ lastRunAt, now }) !== undefined;
  if (found === undefined || isBehind || journals.looks === undefined) return { due: domains, rested: [] };
  const looks = await journals.looks();
  const due: DomainName[] = [];
  const rested: { domain: DomainName; until: number }[] = [];
  for (const domain of domains) {
    const look = found.withJournal.has(domain) ? looks.get(domain) : undefined;
    if (look !== undefined && holds(look, settings, now)) rested.push({ domain, until: look.until });
    else due.push(domain);
  }
  return { due, rested };
}
