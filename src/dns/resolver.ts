/**
 * The answer to "which TXT records are at this name?". A lasting "no" and a "try later" never share a case.
 * Each element of `records` is one TXT record: its character-strings joined without separator (RFC 6376 §3.6.2.2),
 * one UTF-16 unit per octet (latin1), so that no octet is lost.
 */
export type TxtAnswer =
  | { readonly status: "found"; readonly records: readonly string[] }
  | { readonly status: "no-name" | "no-data" }
  | { readonly status: "temporary-failure"; readonly reason: string };

/** Anything that can answer TXT queries: the real resolver, or an object of a test or of the library's user. */
export interface TxtResolver {
  /** @param name a validated query name without trailing dot. Never rejects for a DNS outcome. */
  lookup(name: string): Promise<TxtAnswer>;
}
