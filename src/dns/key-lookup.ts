import { randomUUID } from "node:crypto";
import { type DomainName, MAX_NAME_LENGTH } from "../keys/domain-name.ts";
import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { Selector } from "../keys/selector.ts";
import type { DnssecStatus, LookupOptions, Resolver, TxtLookup } from "./resolver.ts";

/** What DNS holds about one key beyond the plain lookup; each question is asked by a function of its own, when it matters. */

/** Whether the record is the key's own, or a wildcard's that answers for every selector (RFC 6376 §6.1.2, note). */
export type WildcardAnswer = "own" | "wildcard" | "unknown";

/** The answer for a selector that nobody can have published; `undefined` when the domain is too long for one. */
export async function lookupSibling(
  resolver: Resolver,
  domain: DomainName,
  options?: LookupOptions,
): Promise<TxtLookup | undefined> {
  // Of a UUID the last twelve digits are random; Node keeps a store of them, and random octets of one's own cost ten times as much.
  const name = `dkimctl-${randomUUID().slice(-12)}._domainkey.${domain}`;
  return name.length > MAX_NAME_LENGTH ? undefined : resolver.lookupTxt(name, options);
}

/** @param sibling what `lookupSibling` of the same domain came to: one serves all keys of the domain */
export function readWildcard(lookup: TxtLookup, sibling: TxtLookup | undefined): WildcardAnswer {
  if (lookup.status !== "found") return "own";
  if (sibling?.status === "found") return recordsKey(sibling) === recordsKey(lookup) ? "wildcard" : "own";
  return ["no-name", "no-data", "cname-to-nothing"].includes(sibling?.status ?? "") ? "own" : "unknown";
}

/** `bogus`: a validating resolver refuses what is published, because its signatures do not hold (RFC 4035 §5). */
export type DnssecState = DnssecStatus | "bogus";

/** Proves `bogus` by a second query with CD=1, which the same resolver then answers (RFC 4035 §3.2.2). */
export async function dnssecState(
  resolver: Resolver,
  lookup: TxtLookup,
  options?: LookupOptions,
): Promise<DnssecState> {
  if (lookup.status !== "servfail") return lookup.dnssec;
  const unchecked = await resolver.lookupTxt(lookup.name, { ...options, checkingDisabled: true });
  const answered = ["found", "no-name", "no-data", "cname-to-nothing"].includes(unchecked.status);
  return answered ? "bogus" : lookup.dnssec;
}

export interface WrongName {
  readonly name: string;
  /** How the name comes about, in plain words. */
  readonly mistake: string;
}

/** The names at which a record lands when it is entered wrongly, likeliest first. */
export function wrongNames({ domain, selector }: KeyName, otherSelectors: readonly Selector[] = []): WrongName[] {
  const names: WrongName[] = [
    { name: `${selector}._domainkey.${domain}.${domain}`, mistake: "the provider added the domain once more" },
    { name: `${selector}.${domain}`, mistake: `"._domainkey" is missing` },
    { name: `_domainkey.${selector}.${domain}`, mistake: `selector and "_domainkey" are swapped` },
    { name: `_domainkey.${domain}`, mistake: "the selector is missing" },
    { name: `${selector}.domainkey.${domain}`, mistake: `the underscore of "_domainkey" is missing` },
    ...otherSelectors
      .filter((other) => other !== selector)
      .map((other) => ({ name: keyRecordName({ domain, selector: other }), mistake: `it is at selector ${other}` })),
  ];
  return names.filter(({ name }) => name.length <= MAX_NAME_LENGTH);
}

/**
 * Looks at the wrong names. Only for when the right one holds nothing: each query leaves a "no" in caches.
 * @returns those where something is, in the order of `wrongNames`
 */
export async function probeWrongNames(
  resolver: Resolver,
  names: readonly WrongName[],
  options?: LookupOptions,
): Promise<(WrongName & { readonly lookup: TxtLookup & { readonly status: "found" } })[]> {
  const lookups = await Promise.all(
    names.map(async (wrong) => ({ wrong, lookup: await resolver.lookupTxt(wrong.name, options) })),
  );
  return lookups.flatMap(({ wrong, lookup }) => (lookup.status === "found" ? [{ ...wrong, lookup }] : []));
}

/** The host name that a TXT record consists of: a CNAME's target entered as TXT. */
export function pastedCnameTarget(lookup: TxtLookup): string | undefined {
  if (lookup.status !== "found") return undefined;
  return lookup.records
    .map(({ strings }) => strings.join("").trim())
    .find(
      (text) => text.length <= 254 && /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+\.[a-z][a-z0-9-]{0,62}\.?$/i.test(text),
    );
}

function recordsKey(lookup: TxtLookup & { readonly status: "found" }): string {
  return JSON.stringify(lookup.records.map(({ strings }) => strings.join("")).sort());
}
