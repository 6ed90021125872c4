import type { Lookup, LookupOutcome, LookupTrace, Resolver, TxtLookup } from "../../src/dns/resolver.ts";

/** The texts of the TXT records at a name, those behind CNAMEs, or how the lookup ends otherwise; a function is asked each time. */
export type FakeAnswer = FixedAnswer | (() => FixedAnswer);
type FixedAnswer = readonly string[] | TextsBehind | FakeOutcome;
export interface TextsBehind {
  readonly texts: readonly string[];
  readonly cnames: readonly string[];
}
export type FakeOutcome = Partial<LookupTrace> & LookupOutcome<never>;

export interface FakeResolver extends Resolver {
  /** `TXT s1._domainkey.example.com`, in the order they were asked. */
  readonly asked: string[];
  readonly isClosed: () => boolean;
}

/** A resolver made from a table of names; other names do not exist. Only TXT records are known. */
export function fakeResolver(table: Readonly<Record<string, FakeAnswer>>): FakeResolver {
  const asked: string[] = [];
  let closed = false;
  return {
    asked,
    isClosed: () => closed,
    lookupTxt: async (name) => {
      asked.push(`TXT ${name}`);
      const entry = table[name];
      return fakeLookup(name, typeof entry === "function" ? entry() : (entry ?? { status: "no-name" }));
    },
    lookup: async (name, type) => {
      asked.push(`${type} ${name}`);
      return fakeLookup(name, { status: "refused" }) as Lookup<never>;
    },
    close: async () => {
      closed = true;
    },
  };
}

export function fakeLookup(name: string, answer: FixedAnswer): TxtLookup {
  const trace: LookupTrace = {
    name,
    server: { address: "192.0.2.53#53", transport: "udp" },
    authoritative: false,
    ttlSeconds: 300,
    dnssec: "insecure",
    cnames: [],
    extendedErrors: [],
    attempts: [],
  };
  if ("status" in answer) return { ...trace, ...answer };
  const { texts, cnames } = "texts" in answer ? answer : { texts: answer, cnames: [] };
  return {
    ...trace,
    cnames: cnames.map((to, index) => ({ from: cnames[index - 1] ?? name, to, ttlSeconds: 300 })),
    status: "found",
    records: texts.map((text) => ({
      name,
      type: "TXT",
      ttlSeconds: 300,
      strings: text.match(/[\s\S]{1,255}/g) ?? [""],
    })),
  };
}
