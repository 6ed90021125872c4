import type { LookupOutcome, Resolver, TxtLookup } from "../../src/dns/resolver.ts";

type TxtOutcome = LookupOutcome<{ readonly strings: readonly string[] }>;
type Zone = Readonly<Record<string, readonly string[] | TxtOutcome>>;

/** Answers from `zone`: the texts of the TXT records at a name, or another outcome; what is not there is NXDOMAIN. */
export function fakeResolver(zone: Zone): Resolver & { readonly asked: string[]; closed: boolean } {
  const asked: string[] = [];
  return {
    asked,
    closed: false,
    async lookupTxt(name) {
      asked.push(name);
      const here = zone[name];
      const outcome: unknown = isTexts(here)
        ? { status: "found", records: here.map((text) => ({ strings: [text] })) }
        : (here ?? { status: "no-name" });
      return {
        name,
        server: { address: "192.0.2.1#53", transport: "udp" },
        authoritative: false,
        ttlSeconds: 3600,
        dnssec: "untrusted",
        cnames: [],
        extendedErrors: [],
        attempts: [],
        ...(outcome as object),
      } as unknown as TxtLookup;
    },
    lookup() {
      throw new Error("only TXT is faked");
    },
    async close() {
      this.closed = true;
    },
  };
}

function isTexts(here: readonly string[] | TxtOutcome | undefined): here is readonly string[] {
  return Array.isArray(here);
}
