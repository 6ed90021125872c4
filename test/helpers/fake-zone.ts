import type { ServerPool } from "../../src/dns/dns2-resolver.ts";
import type { Lookup, Resolver } from "../../src/dns/resolver.ts";
import { type FakeAnswer, type FakeResolver, fakeLookup, fakeResolver } from "./fake-resolver.ts";

export interface FakeServer {
  readonly serial: number;
  readonly answers: Readonly<Record<string, FakeAnswer>>;
}

/**
 * One zone with a name server for each address: the pool asks them, and the resolver knows of them and answers by itself
 * for what resolvers are asked.
 */
export function fakeZone(
  servers: Readonly<Record<string, FakeServer>>,
  resolved: Readonly<Record<string, FakeAnswer>>,
): { readonly pool: ServerPool; readonly resolver: FakeResolver; readonly isPoolClosed: () => boolean } {
  const table = fakeResolver(resolved);
  const addresses = Object.keys(servers);
  let closed = false;
  const lookup = (records: Readonly<Record<string, readonly object[]>>): Resolver["lookup"] => {
    return async (name, type) => {
      const found = records[type];
      const answer = fakeLookup(name, { status: "no-data" });
      return (found === undefined ? answer : { ...answer, status: "found", records: found }) as Lookup<never>;
    };
  };
  const connect: ServerPool["connect"] = (address) => {
    const { serial, answers } = servers["host" in address ? address.host : ""] ?? { serial: 0, answers: {} };
    const server = fakeResolver(answers);
    return {
      ...server,
      lookupTxt: async (name) => ({ ...(await server.lookupTxt(name)), authoritative: true }),
      lookup: async (name, type) => ({ ...(await lookup({ SOA: [{ serial }] })(name, type)), authoritative: true }),
    };
  };
  const resolver: FakeResolver = {
    ...table,
    lookup: (name, type) => {
      const address = addresses[Number(/^ns(\d+)\./.exec(name)?.[1])];
      const ns = addresses.map((_, at) => ({ target: `ns${at}.example.com` }));
      return lookup({ SOA: [{ serial: 1 }], NS: ns, A: address === undefined ? [] : [{ address }] })(name, type);
    },
  };
  const close = async () => {
    closed = true;
  };
  return { pool: { connect, close }, resolver, isPoolClosed: () => closed };
}
