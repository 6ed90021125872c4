import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import { asTxtResolver, isTemporary, type LookupStatus, type Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { parsePrivateKey } from "../../src/keys/private-key.ts";
import { summarizeResults, verifyMessage } from "../../src/signing/verify.ts";
import { CORPUS, readCorpus } from "../helpers/corpus.ts";
import { type Named, startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

interface Scenario {
  readonly id: string;
  readonly domain: string;
  readonly selector: string;
  readonly qname: string;
  readonly zone: readonly string[];
  /** RFC 8601's word for the message, or `undefined` where RFC 6376 leaves it open. */
  readonly expect: "pass" | "fail" | "permerror" | "temperror" | "undefined";
  readonly accept?: readonly string[];
  /** A message that was signed for this scenario. */
  readonly message: string;
  /** The key that signed it, in `keys/`. */
  readonly signkey?: string;
}

const scenarios = readCorpus<Scenario>("dns.jsonl");

/** Where the verdict alone does not tell which outcome a lookup must have. */
const STATUS: Record<string, LookupStatus> = {
  nxdomain: "no-name",
  nodata: "no-data",
  spftype: "no-data",
  "cname-dangling": "cname-to-nothing",
  servfail: "servfail",
};

/** What testkeys must say where a receiver would say this. */
const VERDICTS: Record<Scenario["expect"], readonly string[]> = {
  pass: ["pass"],
  fail: ["fail"],
  permerror: ["fail", "revoked"],
  temperror: ["temporary"],
  // RFC 6376 §3.6.2.2: nobody may rely on it, so it is no pass.
  undefined: ["fail"],
};

const peer = requirePeer("named");

describe.skipIf(peer.skip)(`dns.jsonl at named ${peer.reason}`, () => {
  let named: Named;
  let resolver: Resolver;
  beforeAll(async () => {
    const zone = readFileSync(join(CORPUS, "zones/dnscases.test.zone"), "utf8");
    // A zone that does not load makes named answer SERVFAIL.
    named = await startNamed({ zones: { "dnscases.test": zone, "lame.test": "broken" } });
    resolver = createResolver({ servers: [parseServerAddress(named.server)], timeoutMs: 2000 });
  });
  afterAll(async () => {
    await resolver?.close();
    await named?.stop();
  });

  it.each(scenarios)("$id: the lookup of a $expect", async (scenario) => {
    const lookup = await resolver.lookupTxt(scenario.qname);
    const records = scenario.zone.filter((line) => /^\S+\s+(IN\s+)?TXT\s/i.test(line)).length;
    if (scenario.id in STATUS) expect(lookup.status).toBe(STATUS[scenario.id]);
    if (["pass", "fail", "undefined"].includes(scenario.expect)) expect(lookup.status).toBe("found");
    expect(isTemporary(lookup)).toBe(scenario.expect === "temperror");
    if (lookup.status === "found" && records > 0) expect(lookup.records.length).toBe(records);
  });

  it.each(scenarios)("$id: the message is a $expect", async ({ message, expect: expected, accept = [] }) => {
    const raw = readFileSync(join(CORPUS, message));
    const signedAt = Number(/\bt=([0-9]+)/.exec(raw.toString("latin1"))?.[1] ?? 0);
    const now = new Date(1000 * (signedAt + 60));
    const { signatures } = await verifyMessage(raw, asTxtResolver(resolver), { now });
    expect([expected, ...accept]).toContain(summarizeResults(signatures));
  });

  it("testkeys, with the keys that signed the messages, agrees", async () => {
    const path = temporaryFolder();
    const store = new DirectoryKeyStore({ path });
    for (const { domain, selector, signkey = "rsa2048.pem" } of scenarios) {
      const { privateKey } = parsePrivateKey(readFileSync(join(CORPUS, "keys", signkey)));
      await store.create(parseKeyName(domain, selector), { privateKey, tags: {} });
    }
    const argv = ["testkeys", "--server", named.server, "--json"];
    const { exitCode, stdout } = await runCli(argv, { store: path, createResolver });
    const checks = new Map<string, { verdict: string; reason: string }>(
      JSON.parse(stdout).checks.map((check: { domain: string }) => [check.domain, check]),
    );
    const wrong = scenarios.flatMap(({ id, domain, expect: expected }) => {
      const { verdict, reason } = checks.get(domain) ?? { verdict: "missing", reason: "" };
      return VERDICTS[expected].includes(verdict) ? [] : [`${id}: ${verdict} (${reason}), not ${expected}`];
    });
    expect(wrong).toEqual([]);
    expect(checks.size).toBe(scenarios.length);
    expect(exitCode).toBe(1);
    const codes = (id: string) => checks.get(scenarios.find((scenario) => scenario.id === id)?.domain ?? "");
    expect(codes("wrongkey")).toMatchObject({ code: "other-key" });
    expect(codes("two-keys")).toMatchObject({ code: "several-records" });
    expect(codes("wildcard-key")).toMatchObject({ findings: [expect.objectContaining({ code: "DNS-WILDCARD" })] });
  });
});
