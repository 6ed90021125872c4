import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import { type PublicKey, publicKeyFingerprint } from "../keys/public-key.ts";
import { sharedPrimes } from "../keys/weak-keys/shared-primes.ts";
import { type Finding, makeFinding } from "./catalogue.ts";
import { firstAndMore, quotePart } from "./finding-list.ts";

/** What is to be known of a key to judge it beside the others of its store. */
export interface StoredKeyFacts {
  readonly name: KeyName;
  readonly publicKey: PublicKey;
  /** When its file was last written; `undefined` when that cannot be told. */
  readonly writtenAt: Date | undefined;
}

export interface StoreLimits {
  readonly now: Date;
  /** Older keys are told; by default none is. */
  readonly maxAgeDays?: number | undefined;
}

const DAY_MS = 86_400_000;
/** A key may be made ahead of the day that its selector names, or somewhat later. */
const SELECTOR_SLACK_DAYS = 31;

/** For each key, in the order given: shared keys and primes, age, selectors that had another key. */
export function checkStoredKeys(keys: readonly StoredKeyFacts[], limits: StoreLimits): Finding[][] {
  const findings = keys.map((key) => [...checkAge(key, limits), ...checkSelectorDate(key)]);
  const add = (index: number, finding: Finding) => findings[index]?.push(finding);
  for (const group of groupsOfSameKey(keys)) {
    for (const index of group) add(index, sharedKeyFinding(keys, index, group));
  }
  const moduli = keys.map(({ publicKey }) => (publicKey.type === "rsa" ? publicKey.modulus : new Uint8Array()));
  for (const group of sharedPrimes(moduli)) {
    for (const index of group) {
      const others = group.filter((other) => other !== index);
      const part = firstAndMore(others, (other) => nameAt(keys, other));
      add(index, makeFinding("RSA-SHARED-PRIME", { part }, { critical: true }));
    }
  }
  for (const [index, domain] of ed25519Domains(keys)) {
    add(index, makeFinding("ED25519-ONLY", { part: quotePart(domain) }));
  }
  return findings;
}

/** The first key of each domain that has no RSA key. */
function ed25519Domains(keys: readonly StoredKeyFacts[]): Map<number, string> {
  const firstOf = new Map<string, number>();
  const withRsa = new Set<string>();
  keys.forEach(({ name: { domain }, publicKey }, index) => {
    if (!firstOf.has(domain)) firstOf.set(domain, index);
    if (publicKey.type === "rsa") withRsa.add(domain);
  });
  return new Map([...firstOf].flatMap(([domain, index]) => (withRsa.has(domain) ? [] : [[index, domain] as const])));
}

function groupsOfSameKey(keys: readonly StoredKeyFacts[]): number[][] {
  const byKey = new Map<string, number[]>();
  keys.forEach(({ publicKey }, index) => {
    const fingerprint = publicKeyFingerprint(publicKey);
    const group = byKey.get(fingerprint);
    if (group === undefined) byKey.set(fingerprint, [index]);
    else group.push(index);
  });
  return [...byKey.values()].filter(({ length }) => length > 1);
}

function sharedKeyFinding(keys: readonly StoredKeyFacts[], index: number, group: readonly number[]): Finding {
  const domain = keys[index]?.name.domain;
  const twin = group.find((other) => other !== index && keys[other]?.name.domain === domain);
  const others = group.filter((other) => other !== index && other !== twin);
  const part = firstAndMore(twin === undefined ? others : [twin, ...others], (other) => nameAt(keys, other));
  return makeFinding("KEY-SHARED", { part }, { severity: twin === undefined ? "info" : "warning" });
}

function nameAt(keys: readonly StoredKeyFacts[], index: number): string {
  const key = keys[index];
  return key === undefined ? "" : keyRecordName(key.name);
}

function checkAge({ writtenAt }: StoredKeyFacts, { now, maxAgeDays }: StoreLimits): Finding[] {
  if (writtenAt === undefined || maxAgeDays === undefined) return [];
  const days = Math.floor((now.getTime() - writtenAt.getTime()) / DAY_MS);
  if (days <= maxAgeDays) return [];
  return [makeFinding("KEY-OLD", { reason: `the key is ${days} days old; the limit is ${maxAgeDays}` })];
}

/** Selectors often name the day on which their key was made. */
function checkSelectorDate({ name, writtenAt }: StoredKeyFacts): Finding[] {
  const day = /(?:^|[^0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])(?:[^0-9]|$)/.exec(name.selector);
  if (day === null || writtenAt === undefined) return [];
  const [, year, month, date] = day.map(Number);
  const named = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, date ?? 1));
  const isRealDay = named.getUTCMonth() + 1 === month && named.getUTCDate() === date;
  if (!isRealDay || writtenAt.getTime() - named.getTime() <= SELECTOR_SLACK_DAYS * DAY_MS) return [];
  const written = writtenAt.toISOString().slice(0, 10);
  const reason = `the selector names the day ${named.toISOString().slice(0, 10)}, and its key was written on ${written}`;
  return [makeFinding("SELECTOR-REUSED", { reason })];
}
