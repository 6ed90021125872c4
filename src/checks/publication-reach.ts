import { compareWithResolver } from "../dns/authoritative-comparison.ts";
import { escapeDnsText } from "../dns/escape-dns-text.ts";
import type { DnssecState } from "../dns/key-lookup.ts";
import type { TxtLookup } from "../dns/resolver.ts";
import type { AuthoritativeCheck } from "./authoritative-check.ts";
import type { CheckPolicy } from "./check-policy.ts";

/** Who sees what is published: all servers, their resolvers, a validating one. */
export interface Reach {
  readonly authoritative: AuthoritativeCheck | undefined;
  /** By the resolvers. */
  readonly lookup: TxtLookup | undefined;
  readonly dnssec?: DnssecState | undefined;
}

export type ReachFault =
  | {
      readonly verdict: "temporary";
      readonly code: "server-silent" | "temporary-dns" | "not-yet";
      readonly reason: string;
    }
  | { readonly verdict: "fail"; readonly code: "dnssec-insecure" | "dnssec-untrusted"; readonly reason: string };

/** What keeps a key that is published as it should be from being seen so by everybody; `undefined`: nothing. */
export function withinReach(
  { authoritative, lookup, dnssec }: Reach,
  { requireDnssec }: CheckPolicy,
): ReachFault | undefined {
  if (authoritative?.state === "silent") {
    return { verdict: "temporary", code: "server-silent", reason: authoritative.reason };
  }
  if (authoritative?.state === "agree" && lookup !== undefined) {
    const view = compareWithResolver(authoritative.served, lookup);
    if (view.state === "no-answer") {
      return { verdict: "temporary", code: "temporary-dns", reason: view.reason };
    }
    if (view.state === "not-yet") {
      const left = view.secondsLeft === undefined ? "" : `, for at most ${view.secondsLeft} s`;
      const seen = lookup.status === "found" ? "an older record" : absence(lookup).reason;
      const reason = `not yet: every authoritative server has it, but resolvers still answer with ${seen}${left}`;
      return { verdict: "temporary", code: "not-yet", reason };
    }
  }
  if (requireDnssec && dnssec === "insecure") {
    return { verdict: "fail", code: "dnssec-insecure", reason: "the answer is not secured by DNSSEC" };
  }
  if (requireDnssec && dnssec !== "secure") {
    const reason = "whether DNSSEC secures the answer cannot be believed over this channel (see --trust-ad)";
    return { verdict: "fail", code: "dnssec-untrusted", reason };
  }
  return undefined;
}

/** Why there is no record, and whether waiting may help: not when the servers that resolvers ask have nothing either. */
export function describeAbsence(lookup: TxtLookup, authoritative: AuthoritativeCheck | undefined): Absence {
  const { code, reason } = absence(lookup);
  return { code, reason: `${reason}${describeNever(authoritative)}` };
}

/** To be added to the reason of an absence: empty when it is not known that waiting is of no use. */
export function describeNever(authoritative: AuthoritativeCheck | undefined): string {
  if (authoritative?.state !== "agree") return "";
  return `: none of the ${authoritative.servers.length} authoritative servers has it, so waiting alone will not help`;
}

export interface Absence {
  readonly code: "no-name" | "no-data" | "cname-to-nothing";
  readonly reason: string;
}

function absence(lookup: TxtLookup): Absence {
  if (lookup.status === "cname-to-nothing") {
    const what = lookup.missing === "name" ? "which does not exist" : "which has no TXT record";
    return {
      code: "cname-to-nothing",
      reason: `no record (a CNAME leads to ${escapeDnsText(lookup.target)}, ${what})`,
    };
  }
  if (lookup.status === "no-data") {
    return { code: "no-data", reason: "no record (NODATA: the name exists, without a TXT record)" };
  }
  return { code: "no-name", reason: "no record (NXDOMAIN)" };
}
