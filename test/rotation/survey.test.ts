import { describe, expect, test } from "vitest";
import type { ServerSurvey, SurveyStep } from "../../src/dns/authoritative.ts";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import type { LookupOutcome, LookupTrace, TxtLookup } from "../../src/dns/resolver.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { readSurvey } from "../../src/rotation/observation.ts";

/* What the answers of all servers come to: ours, revoked, nothing, something else, or a doubt. */

const NAME = "k1._domainkey.example.com";
const ZONE = "example.com";
const SERVER = { address: "192.0.2.1#53", transport: "udp" } as const;
type Outcome = LookupOutcome<{ type: "TXT"; name: string; ttlSeconds: number; strings: string[] }>;

function lookup(outcome: Outcome, trace: Partial<LookupTrace> = {}): TxtLookup {
  const attempts = [{ server: SERVER, outcome: outcome.status, timeoutMs: 1000 }];
  const rest = { name: NAME, server: SERVER, ttlSeconds: 300, cnames: [], extendedErrors: [], attempts };
  return { ...rest, authoritative: true, dnssec: "untrusted", ...trace, ...outcome };
}
const found = (texts: readonly string[], trace: Partial<LookupTrace> = {}) =>
  lookup(
    {
      status: "found",
      records: texts.map((text) => ({
        type: "TXT",
        name: NAME,
        ttlSeconds: 300,
        strings: [text.slice(0, 9), text.slice(9)],
      })),
    },
    trace,
  );
const none = lookup({ status: "no-name" });
const silent = lookup({ status: "timeout" });
const alias = (target: string, ttlSeconds = 300) =>
  lookup({ status: "cname-elsewhere", target }, { cnames: [{ from: NAME, to: target, ttlSeconds }] });

let count = 0;
const server = (udp: TxtLookup, tcp = udp): ServerSurvey => ({
  ...{ nameServer: "ns.example.com", address: `192.0.2.${++count}`, udp, tcp, serial: 1 },
});
const noAddress: ServerSurvey = { nameServer: "ns0.example.com", address: undefined, reason: "it has no address" };

const record = (seed: number) =>
  formatKeyRecord(keyRecordFor(ed25519PrivateKeyFromSeed(Buffer.alloc(32, seed)).publicKey));
const OURS = record(1);
const RSA_OF_OURS = OURS.replace("k=ed25519", "k=rsa");

function read(servers: readonly ServerSurvey[], { record = OURS, ...more }: ReadOptions = {}) {
  const steps: SurveyStep[] = [...(more.before ?? []), { name: more.name ?? NAME, zone: more.zone ?? ZONE, servers }];
  const negative = more.negative ?? new Map([[ZONE, 600]]);
  return readSurvey({ record: more.isUnmade ? undefined : record }, { steps, problem: more.problem }, negative);
}
interface ReadOptions {
  readonly record?: string;
  /** No record is known yet. */
  readonly isUnmade?: boolean;
  readonly before?: readonly SurveyStep[];
  readonly name?: string;
  readonly zone?: string;
  readonly problem?: string;
  readonly negative?: ReadonlyMap<string, number>;
}

describe("all servers serve the same", () => {
  test.each<[string, readonly string[] | undefined, ReadOptions, string, string]>([
    ["our record", [OURS], {}, "ours", ""],
    ["our key in another order of tags", [`v=DKIM1; n=x; ${OURS.slice(9)}`], {}, "ours", ""],
    ["nothing", undefined, {}, "nothing", ""],
    ["a revoked record", ["v=DKIM1; p="], {}, "revoked", "p= is empty"],
    ["another key", [record(2)], {}, "other", "another key"],
    ["no key is known to be ours yet", [OURS], { isUnmade: true }, "other", "another key"],
    ["our key beside another record", [OURS, "v=spf1 -all"], {}, "other", "2 TXT records at the name"],
    ["our key twice", [OURS, OURS], {}, "other", "2 TXT records at the name"],
    ["a revoked record beside ours", ["v=DKIM1; p=", OURS], {}, "other", "2 TXT records at the name"],
  ])("%s", (_, texts, options, serves, detail) => {
    const answer = texts === undefined ? none : found(texts);
    expect(read([server(answer), server(answer)], options)).toEqual({
      ...{ kind: "agreed", serves, detail, ttlSeconds: texts === undefined ? 0 : 300, negativeSeconds: 600 },
      ...{ servedAt: NAME, zone: ZONE },
      rrset: (texts ?? []).map((text) => [text.slice(0, 9), text.slice(9)]),
    });
  });

  test.each([
    ["broken base64", OURS.replace(/p=.*/, "p=!!"), 'p= is not base64: it holds "!" (P-B64)'],
    ["no key record", "hello", '"hello" is not a tag: it has no "=" (TL-SYNTAX)'],
    [
      "our key's octets as those of another algorithm",
      RSA_OF_OURS,
      "p= holds no RSA public key: it has 32 octets, as an Ed25519 key has (P-DER)",
    ],
  ])("what is wrong is told with its code: %s", (_, text, detail) => {
    expect(read([server(found([text]))])).toMatchObject({ serves: "other", detail });
  });

  test("what is unusable is not ours, even when it is what was to be published", () => {
    expect(read([server(found([RSA_OF_OURS]))], { record: RSA_OF_OURS })).toMatchObject({ serves: "other" });
  });

  test("the longest TTL that any of them gives, over UDP or TCP, or of a CNAME", () => {
    const long = found([OURS], { ttlSeconds: 9000 });
    expect(read([server(found([OURS])), server(found([OURS]), long)])).toMatchObject({ ttlSeconds: 9000 });
    expect(read([server(long, found([OURS])), server(found([OURS]))])).toMatchObject({ ttlSeconds: 9000 });
    expect(read([server(found([OURS], { ttlSeconds: undefined }))])).toMatchObject({ ttlSeconds: 0 });
    const cnames = [{ from: NAME, to: "x.example.com", ttlSeconds: 7200 }];
    expect(read([server(found([OURS], { cnames }))])).toMatchObject({ serves: "ours", ttlSeconds: 7200 });
    expect(read([server(lookup({ status: "no-name" }, { cnames }))])).toMatchObject({
      serves: "nothing",
      ttlSeconds: 7200,
    });
    // Of nothing, what counts is how long the zone's "no" is kept.
    expect(read([server(lookup({ status: "no-name" }, { ttlSeconds: 9000 }))])).toMatchObject({ ttlSeconds: 0 });
  });
});

describe("a CNAME into another zone", () => {
  const target = "k1.provider.example";
  const there = { name: target, zone: "provider.example" };
  const before = [{ name: NAME, zone: ZONE, servers: [server(alias(target, 7200)), server(alias(target, 60))] }];
  const negative = new Map([
    [ZONE, 600],
    ["provider.example", 3600],
  ]);

  test("the end of it is what counts, with the longest times along the way", () => {
    expect(read([server(found([OURS]))], { ...there, before, negative })).toMatchObject({
      ...{ kind: "agreed", serves: "ours", servedAt: target, zone: "provider.example", ttlSeconds: 7200 },
      negativeSeconds: 3600,
    });
    const other = new Map([
      [ZONE, 9600],
      ["provider.example", 3600],
    ]);
    expect(read([server(none)], { ...there, before, negative: other })).toMatchObject({ negativeSeconds: 9600 });
  });

  test.each<[string, readonly ServerSurvey[], ReadOptions, object]>([
    [
      "one server leads elsewhere",
      [server(found([OURS]))],
      { before: [{ name: NAME, zone: ZONE, servers: [server(alias(target)), server(alias("k1.old.example"))] }] },
      {
        contradicts: true,
        reason: expect.stringMatching(
          /^the servers disagree: ns.example.com \(\S+\) has a CNAME to k1.provider.example, ns.example.com \(\S+\) has a CNAME to k1.old.example$/,
        ),
      },
    ],
    [
      "one server leads elsewhere, one is silent, and the way of the first is not told to its end",
      [server(alias(target)), server(silent), server(alias("k1.old.example"))],
      { ...{ name: NAME, zone: ZONE, before: [] }, problem: "no zone holds k1.provider.example" },
      { contradicts: true, reason: expect.stringContaining("has a CNAME to k1.old.example") },
    ],
    [
      "one server on the way is silent",
      [server(found([OURS]))],
      { before: [{ name: NAME, zone: ZONE, servers: [server(alias(target)), server(silent)] }] },
      { contradicts: false, reason: expect.stringMatching(/^ns.example.com: no answer/) },
    ],
    [
      "one server does not have it",
      [server(found([OURS]))],
      { before: [{ name: NAME, zone: ZONE, servers: [server(alias(target)), server(none)] }] },
      { contradicts: true, reason: expect.stringContaining("has nothing") },
    ],
    [
      "it leads nowhere",
      [server(alias("k1.lost.example"))],
      { before },
      { contradicts: true, reason: "the CNAMEs lead nowhere" },
    ],
    [
      "the SOA record on the way is not told",
      [server(found([OURS]))],
      { before, negative: new Map([["provider.example", 3600]]) },
      { contradicts: false, negativeSeconds: 3600, reason: "the SOA record of provider.example cannot be told" },
    ],
  ])("a doubt: %s", (_, servers, options, expected) => {
    expect(read(servers, { ...there, negative, ...options })).toMatchObject({ kind: "doubt", ...expected });
  });
});

describe("a doubt", () => {
  const disagree = (one: string, two: string) =>
    expect.stringMatching(new RegExp(`^the servers disagree: \\S+ \\S+ ${one}, \\S+ \\S+ ${two}$`));
  test.each<[string, readonly ServerSurvey[], ReadOptions, object]>([
    [
      "one has ours, one nothing",
      [server(found([OURS])), server(none)],
      {},
      { contradicts: true, reason: disagree("has a record", "has nothing") },
    ],
    [
      "one has nothing, one ours",
      [server(none), server(found([OURS]))],
      {},
      { contradicts: true, reason: disagree("has nothing", "has a record") },
    ],
    ["one has another", [server(found([OURS])), server(found([record(2)]))], {}, { contradicts: true }],
    ["one has a second beside it", [server(found([OURS])), server(found([OURS, "x"]))], {}, { contradicts: true }],
    [
      "one leads elsewhere",
      [server(found([OURS])), server(alias("x.example"))],
      {},
      { contradicts: true, reason: disagree("has a record", "has a CNAME to x.example") },
    ],
    [
      "one is silent, the others have ours",
      [server(silent), server(found([OURS]))],
      {},
      { contradicts: false, reason: expect.stringMatching(/^ns.example.com: no answer/) },
    ],
    ["one is silent, the others have nothing", [server(silent), server(none)], {}, { contradicts: true }],
    [
      "all are silent",
      [server(silent)],
      {},
      { contradicts: false, reason: expect.stringMatching(/^ns.example.com: no answer/) },
    ],
    [
      "one has no address",
      [noAddress, server(found([OURS]))],
      {},
      { contradicts: false, ttlSeconds: 300, reason: "ns0.example.com: it has no address" },
    ],
    [
      "one says another thing over TCP",
      [server(found([OURS]), none)],
      {},
      { reason: expect.stringContaining("over UDP and another over TCP") },
    ],
    ["there are none", [], {}, { contradicts: false, ttlSeconds: 0, reason: "no server answered" }],
    [
      "the way is not told to its end",
      [server(found([OURS]))],
      { problem: "the CNAMEs lead in a circle" },
      { contradicts: false, reason: "the CNAMEs lead in a circle" },
    ],
    [
      "the SOA record is not told",
      [server(found([OURS]))],
      { negative: new Map() },
      { contradicts: false, negativeSeconds: 0, reason: "the SOA record of example.com cannot be told" },
    ],
    [
      "the longest times of all that was seen",
      [server(silent), server(found([OURS], { ttlSeconds: 9000 }))],
      {},
      { ttlSeconds: 9000, negativeSeconds: 600 },
    ],
  ])("%s", (_, servers, options, expected) => {
    expect(read(servers, options)).toMatchObject({ kind: "doubt", ...expected });
  });

  test("no server was asked", () => {
    expect(readSurvey({ record: OURS }, { steps: [], problem: undefined }, new Map())).toEqual({
      ...{ kind: "doubt", contradicts: false, ttlSeconds: 0, negativeSeconds: 0, reason: "no server was asked" },
    });
  });

  test("what foreign servers say is escaped", () => {
    const rude = { nameServer: "\u001b[31m.example", address: undefined, reason: "it has no address" } as const;
    const doubt = read([rude]);
    expect(doubt).toMatchObject({ kind: "doubt" });
    expect(doubt.kind === "doubt" && doubt.reason).not.toContain("\u001b");
  });
});
