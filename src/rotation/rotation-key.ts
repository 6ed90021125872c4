import type { PrivateKey } from "../keys/private-key.ts";
import type { Selector } from "../keys/selector.ts";

/**
 * The life of a key, forward only:
 * - new: its name is reserved; the private key is made and its record asked for
 * - published: every authoritative server has served the record
 * - ready: and no resolver can hold an older answer any more; it may sign
 * - active: the signer uses it
 * - draining: it no longer signs; its record stays for the mail that is on its way
 * - tombstone: its record says that it is revoked (`p=`, RFC 6376 §3.6.1)
 * - gone: its record is absent and its private key destroyed; the entry stays, so that the selector is not used again
 * - revealed: so it is, and its private key was made public before
 */
export const KEY_STATES = ["new", "published", "ready", "active", "draining", "tombstone", "gone", "revealed"] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** Whether the key has a record or a private key that something is still to be done about. */
export function isLive({ state }: { readonly state: KeyState }): boolean {
  return state !== "gone" && state !== "revealed";
}

export type RotationAlgorithm = PrivateKey["type"];

/** Changes of the world outside, each written down before it is begun and struck out when it is seen to be done. */
export const EFFECTS = ["publish", "tombstone", "withdraw", "activate"] as const;
export type Effect = (typeof EFFECTS)[number];

export interface Intent {
  readonly effect: Effect;
  /** When it was first begun; milliseconds since the epoch, as all times here. */
  readonly since: number;
  /** When it was last done as far as we can: what a run was killed in is done again at once, what shows no result later. */
  readonly last?: number | undefined;
}

/** One key as the journal knows it: observations and completed effects with their times, and nothing that follows from them. */
export interface RotationKey {
  readonly selector: Selector;
  readonly algorithm: RotationAlgorithm;
  /** Length of an RSA modulus. */
  readonly bits?: number | undefined;
  readonly state: KeyState;
  /** When it entered each state that it has been in. */
  readonly entered: Readonly<Partial<Record<KeyState, number>>>;
  /** The text of its TXT record; `undefined` as long as the private key is not known to be made. */
  readonly record?: string | undefined;
  /** Since when, without a break, all servers have served the record at every look. */
  readonly provenSince?: number | undefined;
  /** Where the record stands, at the end of CNAMEs. */
  readonly servedAt?: string | undefined;
  /** Of a revoked key: since when, without a break, all servers have been without it at every look. */
  readonly absentSince?: number | undefined;
  /** For how long a resolver may keep an older answer for the name, a "no" included: the most that was ever seen or is likely. */
  readonly staleSeconds: number;
  /** The longest TTL of the record that was seen. */
  readonly ttlSeconds: number;
  readonly compromisedAt?: number | undefined;
  readonly intent?: Intent | undefined;
}

/** What one domain's keys have been through. */
export interface Journal {
  readonly domain: string;
  readonly keys: readonly RotationKey[];
  /** Somebody wants the active key replaced, whatever its age. */
  readonly rotationAskedAt?: number | undefined;
}

/** The key in its next state, with what was intended done or dropped. @param now milliseconds since the epoch */
export function enterState(key: RotationKey, state: KeyState, now: number): RotationKey {
  return { ...key, state, entered: { ...key.entered, [state]: now }, intent: undefined };
}

/** When the key entered the state that it is in. */
export function stateSince(key: RotationKey): number {
  return key.entered[key.state] ?? 0;
}

/** The journal with the live key of this selector replaced. */
export function replaceKey(journal: Journal, key: RotationKey): Journal {
  const keys = journal.keys.map((old) => (old.selector === key.selector && isLive(old) ? key : old));
  return { ...journal, keys };
}

/** The key that has the selector now: one selector may have had others, which are gone. */
export function liveKey(journal: Journal, selector: Selector): RotationKey | undefined {
  return journal.keys.find((key) => key.selector === selector && isLive(key));
}

/** The keys about which something is still to be done, oldest first. */
export function liveKeys(journal: Journal): RotationKey[] {
  return journal.keys.filter(isLive);
}

/** Keys on their way to be the next that sign, oldest first. */
export function isCandidate({ state, compromisedAt }: RotationKey): boolean {
  return (state === "new" || state === "published" || state === "ready") && compromisedAt === undefined;
}
