import type { DomainName } from "../keys/domain-name.ts";
import { type KeyName, keyRecordName, parseKeyName } from "../keys/key-name.ts";
import type { PrivateKey } from "../keys/private-key.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { type SelectorTemplate, selectorCandidates } from "../keys/selector-template.ts";

export type Algorithm = PrivateKey["type"];

/** One key to make. The first name gets the key itself, the others become further names of it. */
export interface KeyJob {
  readonly algorithm: Algorithm;
  readonly names: readonly [KeyName, ...KeyName[]];
}

export interface KeygenRequest {
  readonly domains: readonly DomainName[];
  readonly algorithms: readonly Algorithm[];
  /** As given with -s; `undefined` takes the first free selector of `template`. */
  readonly selector: Selector | undefined;
  readonly template: SelectorTemplate;
  /** One key for all domains. */
  readonly share: boolean;
  readonly now: Date;
  readonly random: () => string;
  /** Whether the store has a key of this name. */
  readonly isTaken: (name: KeyName) => boolean;
}

/**
 * Which keys to make under which names, in the order of the domains. Pure.
 * @throws {NameSyntaxError} selector and domain together are longer than DNS allows
 */
export function planKeys(request: KeygenRequest): KeyJob[] {
  const { domains, algorithms, share } = request;
  const planned = new Set<string>();
  const jobs: KeyJob[] = [];
  for (const group of share ? [domains] : domains.map((domain) => [domain])) {
    for (const algorithm of algorithms) {
      const [first, ...others] = chooseNames(group, algorithm, request, planned);
      if (first === undefined) continue;
      for (const name of [first, ...others]) planned.add(keyRecordName(name));
      jobs.push({ algorithm, names: [first, ...others] });
    }
  }
  return jobs;
}

/** Names with one selector for all of `domains`; a template's first selector that is free everywhere. */
function chooseNames(
  domains: readonly DomainName[],
  algorithm: Algorithm,
  { selector, algorithms, template, now, random, isTaken }: KeygenRequest,
  planned: ReadonlySet<string>,
): KeyName[] {
  const named = (candidate: Selector) => domains.map((domain) => parseKeyName(domain, candidate));
  if (selector !== undefined) {
    return named(algorithms.length > 1 ? parseSelector(`${selector}-${algorithm}`) : selector);
  }
  for (const candidate of selectorCandidates(template, { algorithm, now, random })) {
    const names = named(candidate);
    if (names.every((name) => !isTaken(name) && !planned.has(keyRecordName(name)))) return names;
  }
  return [];
}
