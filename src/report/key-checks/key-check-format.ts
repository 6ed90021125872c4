import type { PublishedKeyCheck } from "../../checks/published-key.ts";
import type { TxtLookup } from "../../dns/resolver.ts";
import type { KeyName } from "../../keys/key-name.ts";
import type { PublicKey } from "../../keys/public-key.ts";

/** One key of a testkeys run, and what came of it. */
export interface TestedKey {
  /** The N of `TESTING#N`, from 1. */
  readonly index: number;
  readonly name: KeyName;
  readonly location: string;
  readonly outcome: TestOutcome;
}

export type TestOutcome =
  | (PublishedKeyCheck & {
      readonly kind: "tested";
      readonly publicKey: PublicKey;
      readonly lookup: TxtLookup;
      /** One line more: whose key the published one is, what differs. Escaped. */
      readonly notes: readonly string[];
    })
  /** The private key could not be read, so nothing was asked. */
  | { readonly kind: "unreadable"; readonly verdict: "error"; readonly code: string; readonly reason: string };

export type Verdict = TestOutcome["verdict"];

/** How many keys came to which verdict. */
export type Tally = Readonly<Record<Verdict, number>>;

export const VERDICTS = ["pass", "fail", "revoked", "temporary", "error"] as const satisfies readonly Verdict[];

/** One way to print the checks of a run as they come in; each part ends with a newline or is empty. */
export interface KeyCheckFormat {
  begin?(): string;
  check(tested: TestedKey): string;
  end?(tally: Tally): string;
}

/** `3 keys: 2 pass, 1 fail`. */
export function describeTally(tally: Tally): string {
  const total = VERDICTS.reduce((sum, verdict) => sum + tally[verdict], 0);
  const parts = VERDICTS.filter((verdict) => tally[verdict] > 0).map((verdict) => `${tally[verdict]} ${verdict}`);
  return `${total} ${total === 1 ? "key" : "keys"}: ${parts.join(", ")}`;
}
