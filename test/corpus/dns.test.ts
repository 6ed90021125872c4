import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import { isTemporary, type LookupStatus, type Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";

const corpus = process.env.DKIMCTL_CORPUS ?? join(import.meta.dirname, "../../../shared/corpus");
const path = join(corpus, "dns.jsonl");

interface Scenario {
  readonly id: string;
  readonly qname: string;
  readonly zone: readonly string[];
  readonly expect: string;
}

const scenarios: Scenario[] = existsSync(path)
  ? readFileSync(path, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];

/** Where the verdict alone does not tell which outcome a lookup must have. */
const STATUS: Record<string, LookupStatus> = {
  nxdomain: "no-name",
  nodata: "no-data",
  spftype: "no-data",
  "cname-dangling": "cname-to-nothing",
  servfail: "servfail",
};

const peer = requirePeer("named");

describe.skipIf(peer.skip || scenarios.length === 0)(`dns.jsonl at named ${peer.reason}`, () => {
  let named: Named;
  let resolver: Resolver;
  beforeAll(async () => {
    const zone = readFileSync(join(corpus, "zones/dnscases.test.zone"), "utf8");
    // A zone that does not load makes named answer SERVFAIL.
    named = await startNamed({ zones: { "dnscases.test": zone, "lame.test": "broken" } });
    resolver = createResolver({ servers: [parseServerAddress(named.server)], timeoutMs: 2000 });
  });
  afterAll(async () => {
    await resolver?.close();
    await named?.stop();
  });

  it.each(scenarios)("$id: $expect", async (scenario) => {
    const lookup = await resolver.lookupTxt(scenario.qname);
    const records = scenario.zone.filter((line) => /^\S+\s+(IN\s+)?TXT\s/i.test(line)).length;
    if (scenario.id in STATUS) expect(lookup.status).toBe(STATUS[scenario.id]);
    if (["pass", "fail", "undefined"].includes(scenario.expect)) expect(lookup.status).toBe("found");
    expect(isTemporary(lookup)).toBe(scenario.expect === "temperror");
    if (lookup.status === "found" && records > 0) expect(lookup.records.length).toBe(records);
  });
});
