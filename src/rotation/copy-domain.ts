import { DkimctlError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { KeyStore, NewKey, StoredKey } from "../keys/key-store.ts";
import { KeyStoreError } from "../keys/key-store-errors.ts";
import { samePublicKey } from "../keys/public-key.ts";
import type { Selector } from "../keys/selector.ts";
import { readIfStored } from "../keys/stored-key.ts";
import { formatJournal } from "./journal.ts";
import type { DomainLease, JournalStore } from "./journal-store.ts";
import { liveKeys } from "./rotation-key.ts";

/** A store of keys and the journals beside it. */
export interface CopyEnd {
  readonly store: KeyStore;
  readonly journals: JournalStore;
}

export interface CopyTarget extends CopyEnd {
  /** `undefined`: nothing is written, only foretold. */
  readonly lease: DomainLease | undefined;
}

export interface CopyResult {
  readonly domain: DomainName;
  /** `undefined`: the journal of the domain. */
  readonly selector: Selector | undefined;
  readonly result: "copied" | "would-copy" | "present" | "conflict" | "failed";
  /** Where it is now; of what is not there, why. */
  readonly detail: string;
}

/**
 * Copies the keys of one domain, and then their journal. Nothing is overwritten: where the target has another key, or
 * another journal, the domain is left as it is. What is there already is passed over, so a copy that was killed is carried
 * on by the next; and what was written is read again and compared.
 * @param keys all that the source has of the domain
 * @param to `undefined`: a store that is still to be made; nothing is written then
 */
export async function copyDomain(
  domain: DomainName,
  keys: readonly KeyName[],
  from: CopyEnd,
  to: CopyTarget | undefined,
): Promise<CopyResult[]> {
  const plans = await Promise.all(keys.map((name) => planKey(name, from.store, to?.store)));
  const journal = await planJournal(domain, keys, from, to);
  const isBlocked = [...plans, journal].some(({ result }) => result === "conflict" || result === "failed");
  const results: CopyResult[] = [];
  for (const plan of plans) {
    if (plan.result !== "would-copy" || to?.lease === undefined) results.push(plan);
    else if (isBlocked) results.push({ ...plan, result: "failed", detail: "left out: see the rest of its domain" });
    else results.push(await copyKey(plan.key, to.store));
  }
  // A journal tells of keys: it comes only when they are all there.
  const isWhole = results.every(({ result }) => result === "copied" || result === "present");
  if (journal.result === "would-copy" && to?.lease !== undefined) {
    if (isWhole) results.push(await copyJournal(domain, journal.text, from, to, to.lease));
    else
      results.push({
        domain,
        selector: undefined,
        result: "failed",
        detail: "left out: not all of its keys are there",
      });
  } else if (journal.result !== "none")
    results.push({ domain, selector: undefined, result: journal.result, detail: journal.detail });
  return results;
}

type KeyPlan = CopyResult &
  ({ readonly result: "would-copy"; readonly key: StoredKey } | { readonly result: "present" | "conflict" | "failed" });

async function planKey(name: KeyName, from: KeyStore, to: KeyStore | undefined): Promise<KeyPlan> {
  try {
    const key = await from.read(name);
    const there = to && (await readIfStored(to, name));
    if (there === undefined) return { ...name, result: "would-copy", detail: `from ${key.location}`, key };
    if (sameKey(key, there)) return { ...name, result: "present", detail: there.location };
    return { ...name, result: "conflict", detail: `another key is stored at ${there.location}` };
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    return { ...name, result: "failed", detail: error.message };
  }
}

async function copyKey(key: StoredKey, to: KeyStore): Promise<CopyResult> {
  const { name, privateKey, tags, format } = key;
  const encoding: NewKey["encoding"] = format === "pkcs1" ? "pkcs1" : format.startsWith("seed") ? "seed" : "pkcs8";
  try {
    const { location } = await to.create(name, { privateKey, tags, encoding });
    const written = await to.read(name);
    if (!sameKey(key, written)) throw new KeyStoreError(`${location} does not hold what was written`);
    return { ...name, result: "copied", detail: location };
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    return { ...name, result: "failed", detail: error.message };
  }
}

type JournalPlan =
  | { readonly result: "none" }
  | { readonly result: "would-copy"; readonly text: string; readonly detail: string }
  | { readonly result: "present" | "conflict" | "failed"; readonly detail: string };

async function planJournal(
  domain: DomainName,
  keys: readonly KeyName[],
  from: CopyEnd,
  to: CopyEnd | undefined,
): Promise<JournalPlan> {
  const [source, target] = await Promise.all([from.journals.read(domain), to?.journals.read(domain)]);
  if (source === undefined && target === undefined) return { result: "none" };
  const detail = to?.journals.locationOf(domain) ?? "with its keys";
  if (source === undefined) return { result: "conflict", detail: `the source has no journal, and there is ${detail}` };
  const text = formatJournal(source);
  if (target !== undefined && formatJournal(target) === text) return { result: "present", detail };
  if (target !== undefined) return { result: "conflict", detail: `another journal is stored at ${detail}` };
  const listed = new Set<string>(keys.map(({ selector }) => selector));
  const others = liveKeys(source).flatMap(({ selector }) => (listed.has(selector) ? [] : selector));
  // Made since the keys were listed, or no key for the list.
  const [left] = await from.store.present(domain, others);
  if (left === undefined) return { result: "would-copy", text, detail };
  return { result: "failed", detail: `${left} is in the source too, and was not copied: copy again` };
}

async function copyJournal(
  domain: DomainName,
  text: string,
  from: CopyEnd,
  to: CopyEnd,
  lease: DomainLease,
): Promise<CopyResult> {
  const detail = to.journals.locationOf(domain);
  const journal = await from.journals.read(domain);
  // Somebody rotates the source meanwhile: what was copied may be out of date.
  if (journal === undefined || formatJournal(journal) !== text) {
    return { domain, selector: undefined, result: "failed", detail: "the journal has changed meanwhile: copy again" };
  }
  await lease.writeJournal(journal);
  const written = await to.journals.read(domain);
  const isRight = written !== undefined && formatJournal(written) === text;
  return isRight
    ? { domain, selector: undefined, result: "copied", detail }
    : { domain, selector: undefined, result: "failed", detail: `${detail} does not hold what was written` };
}

function sameKey(a: StoredKey, b: StoredKey): boolean {
  return (
    keyRecordName(a.name) === keyRecordName(b.name) &&
    samePublicKey(a.privateKey.publicKey, b.privateKey.publicKey) &&
    JSON.stringify(Object.entries(a.tags).sort()) === JSON.stringify(Object.entries(b.tags).sort())
  );
}
