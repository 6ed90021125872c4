import { UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { Selector } from "../keys/selector.ts";
import { absorbObservations, type Observation } from "./observation.ts";
import type { Journal, RotationAlgorithm, RotationKey } from "./rotation-key.ts";

/** A key of the store, and what the DNS says of it. */
export interface AdoptableKey {
  readonly selector: Selector;
  readonly algorithm: RotationAlgorithm;
  readonly bits?: number | undefined;
  readonly record: string;
  readonly seen: Observation;
}

export interface Adoption {
  readonly journal: Journal;
  /** Keys that are not proven in the DNS, and why: they are left alone. */
  readonly leftOut: readonly { readonly selector: Selector; readonly reason: string }[];
}

/** Which of several proven keys signs cannot be told from here. */
export class AmbiguousSignerError extends UsageError {
  override readonly code = "DKIM_AMBIGUOUS_SIGNER";
  readonly candidates: readonly Selector[];
  constructor(domain: DomainName, candidates: readonly Selector[]) {
    super(`which of ${candidates.join(", ")} signs for ${domain} is not known`, {
      hint: `name it: dkimctl rotate ${domain} --adopt --active SELECTOR`,
    });
    this.candidates = candidates;
  }
}

/**
 * The journal of a domain whose keys other tools have made. The key that signs becomes active; other keys that the DNS
 * proves become ready, so that nothing is revoked that may be in use; nothing else is changed.
 * @param active those that are said to sign @throws {UsageError | AmbiguousSignerError}
 */
export function adoptKeys(
  domain: DomainName,
  keys: readonly AdoptableKey[],
  active: readonly Selector[],
  now: number,
): Adoption {
  const proven = keys.filter(({ seen }) => seen.kind === "agreed" && seen.serves === "ours");
  const leftOut = keys
    .filter((key) => !proven.includes(key))
    .map(({ selector, seen }) => ({ selector, reason: reasonOf(seen) }));
  for (const selector of active) {
    if (proven.some((key) => key.selector === selector)) continue;
    const reason = leftOut.find((key) => key.selector === selector)?.reason ?? "the store has no such key";
    throw new UsageError(`${selector} of ${domain} is not proven in the DNS: ${reason}`, {
      hint: `see: dkimctl testkeys ${domain}`,
    });
  }
  if (proven.length === 0) {
    throw new UsageError(`no key of ${domain} is proven in the DNS`, {
      hint: `see: dkimctl testkeys ${domain}`,
    });
  }
  const signing = new Set<Selector>();
  for (const algorithm of ["rsa", "ed25519"] as const) {
    const candidates = proven.filter((key) => key.algorithm === algorithm).map(({ selector }) => selector);
    const named = candidates.filter((selector) => active.includes(selector));
    if (named.length > 1) throw new UsageError(`${named.join(" and ")} cannot both sign: both are ${algorithm} keys`);
    if (named.length === 0 && active.length > 0) continue;
    if (named.length === 0 && candidates.length > 1) throw new AmbiguousSignerError(domain, candidates);
    for (const selector of named.length > 0 ? named : candidates) signing.add(selector);
  }
  const adopted = proven.map(({ selector, algorithm, bits, record, seen }): RotationKey => {
    const state = signing.has(selector) ? "active" : "ready";
    const entered = { [state]: now };
    // Nobody knows what was at the name before; caches may hold that for as long as they hold what is there now.
    return { selector, algorithm, bits, record, state, entered, staleSeconds: seen.ttlSeconds, ttlSeconds: 0 };
  });
  const observations = new Map(proven.map(({ selector, seen }) => [selector as string, seen]));
  return { journal: absorbObservations({ domain, keys: adopted }, observations, now), leftOut };
}

function reasonOf(seen: Observation): string {
  if (seen.kind === "doubt") return seen.reason;
  return seen.serves === "nothing" ? "no server has its record" : seen.detail;
}
