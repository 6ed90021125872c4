import type { LookupTrace, Resolver, TxtLookup } from "../../src/dns/resolver.ts";

/** What stands at a name: TXT records, each as one text, behind CNAMEs or not; or why there is no answer. */
export type FakeAnswer =
  | { readonly texts: readonly string[]; readonly cnames?: readonly string[] }
  | { readonly status: "no-data" | "servfail" | "timeout" }
  | { readonly status: "cname-to-nothing"; readonly target: string; readonly missing: "name" | "data" };

/** A resolver over a table; other names do not exist. Only TXT is asked of it. */
export function fakeResolver(
  table: Readonly<Record<string, FakeAnswer>>,
): Resolver & { readonly asked: string[]; readonly isClosed: () => boolean } {
  const asked: string[] = [];
  let closed = false;
  return {
    asked,
    isClosed: () => closed,
    async lookupTxt(name) {
      asked.push(name);
      return answer(name, table[name]);
    },
    lookup() {
      throw new Error("only TXT is asked here");
    },
    async close() {
      closed = true;
    },
  };
}

function answer(name: string, found: FakeAnswer | undefined): TxtLookup {
  const trace: LookupTrace = {
    ...{ name, server: { address: "192.0.2.1#53", transport: "udp" }, authoritative: false, ttlSeconds: 60 },
    ...{ dnssec: "untrusted", cnames: [], extendedErrors: [], attempts: [] },
  };
  if (found === undefined) return { ...trace, status: "no-name" };
  if ("status" in found) {
    // One case at a time, or the compiler sees a mixture.
    return found.status === "no-data"
      ? { ...trace, status: found.status }
      : found.status === "cname-to-nothing"
        ? { ...trace, ...found }
        : { ...trace, status: found.status };
  }
  const { texts, cnames = [] } = found;
  return {
    ...trace,
    status: "found",
    cnames: cnames.map((to, index) => ({ from: cnames[index - 1] ?? name, to, ttlSeconds: 60 })),
    records: texts.map((text) => ({
      name,
      type: "TXT",
      ttlSeconds: 60,
      strings: text.match(/[\s\S]{1,255}/g) ?? [""],
    })),
  };
}
