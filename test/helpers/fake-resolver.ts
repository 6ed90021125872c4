import type { Lookup, LookupOptions, LookupOutcome, LookupTrace, Resolver, TxtLookup } from "../../src/dns/resolver.ts";

/** TXT records at a name, or how the lookup ends otherwise; a function is asked each time. */
export type FakeAnswer = readonly string[] | FakeOutcome | (() => readonly string[] | FakeOutcome);
export type FakeOutcome = Partial<LookupTrace> & LookupOutcome<never>;

export interface FakeResolver extends Resolver {
  /** `TXT s1._domainkey.example.com`, in the order they were asked. */
  readonly asked: string[];
}

/** A resolver made from a table of names; other names do not exist. Only TXT records are known. */
export function fakeResolver(table: Readonly<Record<string, FakeAnswer>>): FakeResolver {
  const asked: string[] = [];
  const lookupTxt = async (name: string, _?: LookupOptions): Promise<TxtLookup> => {
    asked.push(`TXT ${name}`);
    const entry = table[name];
    return fakeLookup(name, typeof entry === "function" ? entry() : (entry ?? { status: "no-name" }));
  };
  return {
    asked,
    lookupTxt,
    lookup: async (name, type) => {
      asked.push(`${type} ${name}`);
      return fakeLookup(name, { status: "refused" }) as Lookup<never>;
    },
    close: async () => {},
  };
}

export function fakeLookup(name: string, answer: readonly string[] | FakeOutcome): TxtLookup {
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
  if (!("status" in answer)) {
    return {
      ...trace,
      status: "found",
      records: answer.map((text) => ({ name, type: "TXT", ttlSeconds: 300, strings: [text] })),
    };
  }
  return { ...trace, ...answer };
}
