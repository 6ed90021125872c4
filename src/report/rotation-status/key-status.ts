/** What there is to say of one key of the fleet. Times in milliseconds since the epoch. */
export interface KeyStatus {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  /** Length of an RSA modulus. */
  readonly bits: number | undefined;
  readonly state: string;
  /** Whether anything is still to happen to it. */
  readonly isLive: boolean;
  readonly since: number;
  readonly provenSince: number | undefined;
  readonly compromisedAt: number | undefined;
  /** What happens to it next; empty when nothing will. */
  readonly next: string;
  /** `undefined`: nobody knows. */
  readonly due: number | undefined;
  /** `due` as seen from now: `in 6d 4h`, `2d 1h late`. */
  readonly dueText: string;
  readonly urgency: "compromised" | "late" | "soon" | "calm";
  /** What it was and will be for, in order and without holes. */
  readonly timeline: readonly KeySpan[];
}

/** `served`: in the DNS, and does not sign. `revoked`: in the DNS, as revoked. `made`: not proven in the DNS. */
export const USES = ["signs", "served", "revoked", "made"] as const;
export type KeyUse = (typeof USES)[number];

export interface KeySpan {
  readonly use: KeyUse;
  readonly from: number;
  /** `Infinity`: nobody knows. */
  readonly until: number;
}

/** What is told of each key, in this order. */
export const KEY_COLUMNS = ["domain", "selector", "algorithm", "state", "since", "next", "due"] as const;

/** For people. */
export const USE_WORDS: Readonly<Record<KeyUse, string>> = {
  signs: "signs",
  served: "in the DNS",
  revoked: "revoked",
  made: "not proven",
};

/** `rsa 2048`, `ed25519`. */
export function algorithmText({ algorithm, bits }: Pick<KeyStatus, "algorithm" | "bits">): string {
  return bits === undefined ? algorithm : `${algorithm} ${bits}`;
}

/** `active`, or `active, compromised`. */
export function stateText({ state, compromisedAt }: Pick<KeyStatus, "state" | "compromisedAt">): string {
  return compromisedAt === undefined ? state : `${state}, compromised`;
}

/** `2026-11-21 12:00`, UTC. */
export function minuteText(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

/** `2026-11-21`, UTC. */
export function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** For JSON. */
export function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
