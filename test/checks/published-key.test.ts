import { describe, expect, test } from "vitest";
import type { FindingCode } from "../../src/checks/catalogue.ts";
import { type CheckPolicy, DEFAULT_POLICY } from "../../src/checks/check-policy.ts";
import { checkPublishedKey, type PublishedKeyEvidence } from "../../src/checks/published-key.ts";
import type { KeyToProve } from "../../src/checks/published-record.ts";
import type { SurveyStep, ZoneSurvey } from "../../src/dns/authoritative.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { type FakeOutcome, fakeLookup } from "../helpers/fake-resolver.ts";
import { makeEd25519Key, makeRsaKey, recordOf } from "../helpers/signing-keys.ts";

const NAME = "s1._domainkey.example.com";
const NOW = new Date("2026-11-21T12:00:00Z");
const [ours, other] = [makeEd25519Key(), makeEd25519Key()];
const key: KeyToProve = {
  name: parseKeyName("example.com", "s1"),
  privateKey: ours,
  publicKey: ours.publicKey,
  tags: {},
};
const withoutPrivateKey: KeyToProve = { ...key, privateKey: undefined };
const [record, otherRecord] = [recordOf(ours), recordOf(other)];
const revoked = "v=DKIM1; k=ed25519; p=";

type Answer = readonly string[] | FakeOutcome;
const answered = (answer: Answer, more: Partial<PublishedKeyEvidence> = {}): PublishedKeyEvidence => ({
  lookup: fakeLookup(NAME, answer),
  dnssec: "insecure",
  ...more,
});
const check = (evidence: PublishedKeyEvidence, policy: Partial<CheckPolicy> = {}, which = key) =>
  checkPublishedKey(which, evidence, { ...DEFAULT_POLICY, ...policy }, NOW);

/** One zone, each server with its own answer over UDP and TCP. */
function survey(
  answers: Readonly<Record<string, Answer>>,
  { serials = [1, 1, 1], problem = undefined as string | undefined } = {},
): ZoneSurvey {
  const servers = Object.entries(answers).map(([nameServer, answer], index) => {
    const lookup = { ...fakeLookup(NAME, answer), authoritative: true };
    return { nameServer, address: `192.0.2.${index + 1}`, udp: lookup, tcp: lookup, serial: serials[index] };
  });
  const step: SurveyStep = { name: NAME, zone: "example.com", servers };
  return { steps: [step], problem };
}

describe("the answer of resolvers", () => {
  test.each<[title: string, answer: Answer, verdict: string, code: string, reason: RegExp]>([
    ["our key", [record], "pass", "pass", /^$/],
    ["revoked (RFC 6376 §3.6.1)", [revoked], "revoked", "revoked", /p= is empty/],
    ["another key", [otherRecord], "fail", "other-key", /another key/],
    ["NXDOMAIN", { status: "no-name" }, "fail", "no-name", /^no record \(NXDOMAIN\)$/],
    ["NODATA", { status: "no-data" }, "fail", "no-data", /NODATA/],
    [
      "a CNAME to nothing",
      { status: "cname-to-nothing", target: "x.example", missing: "name" },
      "fail",
      "cname-to-nothing",
      /x\.example, which does not exist/,
    ],
    ["two records (RFC 6376 §3.6.2.2)", [record, otherRecord], "fail", "several-records", /^2 TXT records/],
    ["a CNAME's target as text", ["s1.dkim.provider.example."], "fail", "cname-pasted", /s1\.dkim\.provider\.example/],
    ["no key record", ["v=spf1 -all"], "fail", "bad-record", /P-MISSING|more/],
    ["SERVFAIL", { status: "servfail" }, "temporary", "temporary-dns", /^SERVFAIL from 192\.0\.2\.53$/],
    ["REFUSED", { status: "refused" }, "temporary", "temporary-dns", /^REFUSED from 192\.0\.2\.53$/],
    ["a CNAME loop", { status: "cname-loop" }, "temporary", "temporary-dns", /circle/],
    [
      "an unreachable server",
      { status: "unreachable", cause: "network", reason: "no route" },
      "temporary",
      "temporary-dns",
      /cannot reach 192\.0\.2\.53: no route/,
    ],
    [
      "an explanation with an escape sequence (RFC 8914)",
      { status: "servfail", extendedErrors: [{ code: 22, purpose: "no reachable authority", text: "\u001b[31m" }] },
      "temporary",
      "temporary-dns",
      /\\027\[31m/,
    ],
  ])("%s", async (_, answer, verdict, code, reason) => {
    const result = await check(answered(answer));
    expect(result).toMatchObject({ verdict, code, reason: expect.stringMatching(reason) });
    expect(result.expected).toBe(record);
  });

  test("several records are named one by one", async () => {
    const { notes } = await check(answered([record, otherRecord, "v=spf1 \u001b[2J"]));
    expect(notes.map((note) => note.replace(/"v=DKIM1.*/, "..."))).toEqual([
      "record 1 of 3: our key: ...",
      "record 2 of 3: another key: ...",
      `record 3 of 3: no usable key record: "v=spf1 \\027[2J"`,
    ]);
  });

  test("a key without its private half is compared, not proved", async () => {
    expect(await check(answered([record]), {}, withoutPrivateKey)).toMatchObject({ verdict: "pass" });
    expect(await check(answered([otherRecord]), {}, withoutPrivateKey)).toMatchObject({ code: "other-key" });
    const weak = makeRsaKey(1024);
    const published = recordOf(weak, "h=sha1; ");
    expect(await check(answered([published]), {}, { ...withoutPrivateKey, publicKey: weak.publicKey })).toMatchObject({
      verdict: "fail",
      code: "bad-record",
    });
  });

  test("DNSSEC that does not hold is a failure, not a trouble that passes", async () => {
    const evidence = answered({ status: "servfail" }, { dnssec: "bogus" });
    expect(await check(evidence)).toMatchObject({ verdict: "fail", code: "dnssec-bogus" });
  });
});

describe("the policy", () => {
  const tagged = { ...key, tags: { flags: ["s"] } };
  test.each<[string, PublishedKeyEvidence, Partial<CheckPolicy>, string, string]>([
    ["a wildcard is a warning", answered([record], { wildcard: "wildcard" }), {}, "pass", "pass"],
    ["--fail-on warning", answered([record], { wildcard: "wildcard" }), { failOn: "warning" }, "fail", "warning"],
    [
      "--fail-on warning --ignore",
      answered([record], { wildcard: "wildcard" }),
      { failOn: "warning", ignore: new Set<FindingCode>(["DNS-WILDCARD"]) },
      "pass",
      "pass",
    ],
    [
      "--ignore DNS-MULTI",
      answered([record, otherRecord]),
      { ignore: new Set<FindingCode>(["DNS-MULTI"]) },
      "pass",
      "pass",
    ],
    [
      "--ignore DNS-MULTI does not help when ours is not there",
      answered([otherRecord, "x"]),
      { ignore: new Set<FindingCode>(["DNS-MULTI"]) },
      "fail",
      "several-records",
    ],
    [
      "--ignore KEY-MISMATCH leaves the probe",
      answered([otherRecord]),
      { ignore: new Set<FindingCode>(["KEY-MISMATCH"]) },
      "fail",
      "not-verified",
    ],
    ["--expect revoked, and it is", answered([revoked]), { expect: "revoked" }, "pass", "revoked"],
    ["--expect revoked, and it works", answered([record]), { expect: "revoked" }, "fail", "not-revoked"],
    ["--expect revoked, and it is gone", answered({ status: "no-name" }), { expect: "revoked" }, "fail", "no-name"],
    [
      "--expect revoked, and the DNS is down",
      answered({ status: "servfail" }),
      { expect: "revoked" },
      "temporary",
      "temporary-dns",
    ],
    ["--require-dnssec, secure", answered([record], { dnssec: "secure" }), { requireDnssec: true }, "pass", "pass"],
    ["--require-dnssec, insecure", answered([record]), { requireDnssec: true }, "fail", "dnssec-insecure"],
    [
      "--require-dnssec, untrusted",
      answered([record], { dnssec: "untrusted" }),
      { requireDnssec: true },
      "fail",
      "dnssec-untrusted",
    ],
  ])("%s", async (_, evidence, policy, verdict, code) => {
    expect(await check(evidence, policy)).toMatchObject({ verdict, code });
  });

  test("what should be published when a revocation is expected", async () => {
    expect((await check(answered([record]), { expect: "revoked" })).expected).toBe(revoked);
  });

  test("other tags than expected are a warning that names them", async () => {
    const { verdict, findings } = await check(answered([record]), {}, tagged);
    expect(verdict).toBe("pass");
    expect(findings).toMatchObject([
      { code: "DNS-TAGS-DIFFER", severity: "warning", message: expect.stringMatching(/: t=$/) },
    ]);
    expect((await check(answered([recordOf(ours, "t=s; ")]), {}, tagged)).findings).toEqual([]);
  });
});

describe("authoritative servers", () => {
  const gone: FakeOutcome = { status: "no-name" };
  test.each<[string, ZoneSurvey, FakeOutcome | readonly string[] | undefined, string, string, RegExp]>([
    ["all have our key", survey({ ns1: [record], ns2: [record] }), undefined, "pass", "pass", /^$/],
    [
      "one has an old one",
      survey({ ns1: [record], ns2: [otherRecord] }),
      undefined,
      "fail",
      "servers-disagree",
      /^the 2 authoritative servers of example\.com serve 2 different things$/,
    ],
    ["one has nothing", survey({ ns1: [record], ns2: gone }), undefined, "fail", "servers-disagree", /2 different/],
    [
      "one is lame",
      survey({ ns1: [record], ns2: { status: "refused" } }),
      undefined,
      "fail",
      "servers-disagree",
      /ns2 \(192\.0\.2\.2\) does not serve the record: REFUSED/,
    ],
    [
      "one is silent",
      survey({ ns1: [record], ns2: { status: "timeout" } }),
      undefined,
      "temporary",
      "server-silent",
      /ns2/,
    ],
    [
      "one is silent, the other has nothing",
      survey({ ns1: gone, ns2: { status: "timeout" } }),
      undefined,
      "fail",
      "no-name",
      /NXDOMAIN/,
    ],
    [
      "none has it: never",
      survey({ ns1: gone, ns2: gone }),
      undefined,
      "fail",
      "no-name",
      /none of the 2 authoritative servers has it, so waiting alone will not help$/,
    ],
    ["all are silent", survey({ ns1: { status: "timeout" } }), undefined, "temporary", "zone-unknown", /ns1/],
    [
      "the zone cannot be told",
      survey({}, { problem: "no zone holds it" }),
      undefined,
      "temporary",
      "zone-unknown",
      /^no zone holds it$/,
    ],
    ["resolvers have it too", survey({ ns1: [record] }), [record], "pass", "pass", /^$/],
    [
      "resolvers still know of nothing: not yet",
      survey({ ns1: [record] }),
      { ...gone, ttlSeconds: 27 },
      "temporary",
      "not-yet",
      /^not yet: .* no record \(NXDOMAIN\), for at most 27 s$/,
    ],
    [
      "resolvers still have an older one",
      survey({ ns1: [record] }),
      [otherRecord],
      "temporary",
      "not-yet",
      /an older record, for at most 300 s$/,
    ],
    [
      "resolvers do not answer",
      survey({ ns1: [record] }),
      { status: "refused" },
      "temporary",
      "temporary-dns",
      /REFUSED/,
    ],
  ])("%s", async (_, zoneSurvey, resolved, verdict, code, reason) => {
    const lookup = resolved === undefined ? undefined : fakeLookup(NAME, resolved);
    const result = await check({ survey: zoneSurvey, lookup });
    expect(result).toMatchObject({ verdict, code, reason: expect.stringMatching(reason) });
  });

  test("each is a line, with what it has", async () => {
    const zoneSurvey = survey({ ns1: [record], ns2: [otherRecord], ns3: [revoked] }, { serials: [3, 2, 1] });
    const { authoritative } = await check({ survey: zoneSurvey, lookup: undefined });
    expect(authoritative?.servers.map(({ nameServer, serial, serves }) => [nameServer, serial, serves])).toEqual([
      ["ns1", 3, "our key"],
      ["ns2", 2, "another key"],
      ["ns3", 1, "a revoked key"],
    ]);
  });

  test("with different serials are warned of", async () => {
    const zoneSurvey = survey({ ns1: [record], ns2: [record] }, { serials: [10, 9] });
    const { verdict, findings } = await check({ survey: zoneSurvey, lookup: undefined });
    expect(verdict).toBe("pass");
    expect(findings).toMatchObject([{ code: "DNS-SERIALS-DIFFER", message: expect.stringMatching(/differ: 9, 10$/) }]);
  });
});
