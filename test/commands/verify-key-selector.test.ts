import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { type FakeAnswer, type FakeOutcome, fakeLookup, fakeResolver } from "../helpers/fake-resolver.ts";
import { fakeZone } from "../helpers/fake-zone.ts";
import { type RunCliOptions, runCli, temporaryFolder } from "../helpers/run-cli.ts";

const key = (number: number) => ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(number));
const record = (number: number) => formatKeyRecord(keyRecordFor(key(number).publicKey));
const NAME = "s1._domainkey.example.com";

async function storeOf(keys: Readonly<Record<string, number>>): Promise<string> {
  const path = temporaryFolder();
  const store = new DirectoryKeyStore({ path });
  for (const [selector, number] of Object.entries(keys)) {
    await store.create(parseKeyName("example.com", selector), { privateKey: key(number), tags: {} });
  }
  return path;
}

/** With key 1 in the store, unless it says otherwise. */
async function verify(
  zone: Readonly<Record<string, FakeAnswer>>,
  argv: readonly string[] = [],
  { keys = { s1: 1 }, ...options }: RunCliOptions & { readonly keys?: Readonly<Record<string, number>> } = {},
) {
  const resolver = fakeResolver(zone);
  const given = { store: await storeOf(keys), resolver, ...options };
  const text = await runCli(["verify-key", "example.com", "s1", ...argv], given);
  const json = await runCli(["verify-key", "example.com", "s1", "--json", ...argv], given);
  const report = json.stdout === "" ? undefined : JSON.parse(json.stdout).reports[0];
  const codes: string[] = (report?.findings ?? []).map(({ code }: { code: string }) => code);
  return { ...text, jsonExitCode: json.exitCode, report, codes, asked: resolver.asked, resolver };
}

describe("by the resolvers", () => {
  test("a good key: probe, DNSSEC and TTL are told", async () => {
    const { exitCode, stdout, report, codes, asked, resolver } = await verify({ [NAME]: [record(1)] });
    expect(stdout).toContain("  TTL          300 s left with the resolvers\n  DNSSEC       insecure: ");
    expect(stdout).toContain("  probe        signed with the private key: it verifies with what is published\n");
    expect(report).toMatchObject({
      state: "usable",
      publication: {
        ...{ code: "pass", reason: "", probe: "pass", notes: [], foundAt: [], authoritative: null },
        dns: { status: "found", ttlSeconds: 300, dnssec: "insecure", server: "192.0.2.53#53" },
      },
    });
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: [] });
    expect(asked.filter((name) => !name.startsWith("TXT dkimctl-"))).toEqual([`TXT ${NAME}`, `TXT ${NAME}`]);
    expect(resolver.isClosed()).toBe(true);
  });

  test("without a key in the store there is no probe", async () => {
    const { exitCode, stdout, report } = await verify({ [NAME]: [record(2)] }, [], { keys: {} });
    expect(report.publication).toMatchObject({ code: "pass", probe: null });
    expect(stdout).not.toContain("probe");
    expect(exitCode).toBe(0);
  });

  test.each<[string, FakeOutcome | readonly string[], string[], number, string[], string]>([
    ["insecure", [record(1)], ["--require-dnssec"], 1, ["DNS-INSECURE"], "is not secured by DNSSEC"],
    ["a pasted CNAME", ["s1.dkim.example.net."], [], 1, ["DNS-CNAME-PASTED"], "holds only a host name"],
    ["NXDOMAIN", { status: "no-name" }, [], 1, ["DNS-NO-RECORD"], "there is no record at"],
    ["other tags", [record(1).replace("; p=", "; t=s; p=")], [], 0, ["DNS-TAGS-DIFFER"], "other tags"],
    ["another key", [record(2)], [], 1, ["KEY-MISMATCH"], "(KEY-MISMATCH)"],
  ])("%s", async (_, answer, argv, status, expected, text) => {
    const { exitCode, jsonExitCode, stdout, codes } = await verify({ [NAME]: answer }, argv);
    expect(codes).toEqual(expect.arrayContaining(expected));
    expect(stdout).toContain(text);
    expect([exitCode, jsonExitCode]).toEqual([status, status]);
  });

  test.each([
    ["secure", 0, "DNSSEC       secure\n", []],
    ["untrusted", 1, "DNSSEC       unknown: ", ["DNS-INSECURE"]],
  ] as const)("--require-dnssec, and the answer is %s", async (dnssec, status, text, expected) => {
    const answer = { ...fakeLookup(NAME, [record(1)]), dnssec } as unknown as FakeOutcome;
    const { exitCode, stdout, codes, report } = await verify({ [NAME]: answer }, ["--require-dnssec"]);
    expect(stdout).toContain(text);
    expect({ exitCode, codes, state: report.state }).toEqual({
      ...{ exitCode: status, codes: expected },
      state: status === 0 ? "usable" : "unusable",
    });
    expect(report.publication.dns.dnssec).toBe(dnssec);
  });

  test("bogus: the second question, without validation, is answered", async () => {
    const base = fakeResolver({});
    const resolver = {
      ...base,
      lookupTxt: async (name: string, options: { checkingDisabled?: boolean } = {}) =>
        fakeLookup(name, options.checkingDisabled ? [record(1)] : { status: "servfail" }),
    };
    const { exitCode, stdout, codes, report } = await verify({}, [], { resolver });
    expect(stdout).toContain("  DNSSEC       bogus: ");
    expect(codes).toEqual(["DNS-BOGUS"]);
    expect(report).toMatchObject({ state: "unusable", publish: null, publication: { code: "dnssec-bogus" } });
    expect(exitCode).toBe(1);
  });

  test("a wildcard", async () => {
    const base = fakeResolver({});
    const resolver = { ...base, lookupTxt: async (name: string) => fakeLookup(name, [record(1)]) };
    const { exitCode, codes } = await verify({}, [], { resolver });
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: ["DNS-WILDCARD"] });
  });

  test("found at a wrong name, which is asked for only when the right one fails", async () => {
    const doubled = `${NAME}.example.com`;
    const { exitCode, stdout, codes, report } = await verify({ [doubled]: [record(1)], "s1.example.com": [record(2)] });
    expect(stdout).toContain(`this very key is published at ${doubled}: the provider added the domain once more`);
    expect(codes).toEqual(["DNS-NO-RECORD", "DNS-MISPLACED"]);
    expect(report.publication.foundAt.map(({ name }: { name: string }) => name)).toEqual([doubled]);
    expect(exitCode).toBe(1);
    const unknown = await verify({ [doubled]: [record(1)], "s1.example.com": ["v=spf1 -all"] }, [], { keys: {} });
    expect(unknown.report.publication.foundAt).toHaveLength(1);
    expect(unknown.stdout).toContain(`a key is published at ${doubled}`);
  });

  test("under the selector of another key of the store, and whose key it is instead", async () => {
    const zone = { [NAME]: [record(2)], "s2._domainkey.example.com": [record(1)] };
    const { stdout } = await verify(zone, [], { keys: { s1: 1, s2: 2 } });
    expect(stdout).toContain("  note         the published key is that of s2._domainkey.example.com\n");
    expect(stdout).toContain("is published at s2._domainkey.example.com: it is at selector s2 (DNS-MISPLACED)");
  });

  test("several records, one by one", async () => {
    const { exitCode, stdout, codes } = await verify({ [NAME]: [record(2), record(1), "v=spf1 -all"] });
    expect(codes[0]).toBe("DNS-MULTI");
    expect(stdout).toMatch(
      /note {9}record 1 of 3: another key: ".*\n.*record 2 of 3: our key: .*\n.*record 3 of 3: no usable key record: "v=spf1 -all"\n/,
    );
    expect(exitCode).toBe(1);
    const unknown = await verify({ [NAME]: [record(2), record(1)] }, [], { keys: {} });
    expect(unknown.stdout.match(/record \d of 2: key SHA256:\S{12}\.\.\.:/g)).toHaveLength(2);
  });

  test("several records, and none is ours", async () => {
    const { exitCode, codes } = await verify({ [NAME]: [record(2), "v=spf1 -all"] });
    expect(codes).toContain("KEY-PROBE");
    expect(exitCode).toBe(1);
    const ours = await verify({ [NAME]: [record(1), "v=spf1 -all"] });
    expect(ours.codes).not.toContain("KEY-PROBE");
  });

  test("a private key among several records is not quoted", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const der = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
    const { stdout, report, codes } = await verify({ [NAME]: [record(1), `v=DKIM1; p=${der}`] });
    expect(codes).toContain("P-PRIVATE");
    expect(stdout + JSON.stringify(report)).not.toContain(der.slice(0, 20));
  });

  test("hostile text reaches nobody unescaped", async () => {
    const { stdout } = await verify({ [NAME]: ["\u001b]0;x\u0007", "v=DKIM1; \u009b31m\u0000"] });
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });
});

describe("by the authoritative servers", () => {
  const wants = (number: number, serial = 1) => ({ serial, answers: { [NAME]: [record(number)] } });

  test("all agree; no resolver hears of the record", async () => {
    const zone = fakeZone({ "192.0.2.1": wants(1), "192.0.2.2": wants(1) }, {});
    const { exitCode, stdout, report, codes } = await verify({}, ["--authoritative"], zone);
    expect(stdout).toContain("  servers      all 2 authoritative servers agree\n");
    expect(report.publication).toMatchObject({
      probe: "pass",
      dns: { status: null },
      authoritative: { state: "agree" },
    });
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: [] });
    expect(zone.resolver.asked).toEqual([]);
    expect([zone.resolver.isClosed(), zone.isPoolClosed()]).toEqual([true, true]);
  });

  test("they disagree: a table", async () => {
    const zone = () => fakeZone({ "192.0.2.1": wants(1, 2), "192.0.2.2": wants(2) }, {});
    const { exitCode, stdout, codes, report } = await verify({}, ["--authoritative"], zone());
    const table = stdout.split("\n").filter((line) => /^ {2}(ZONE|example\.com) /.test(line));
    expect(table).toEqual([
      "  ZONE         SERVER           ADDRESS    SERIAL  SERVES",
      "  example.com  ns0.example.com  192.0.2.1  2       our key",
      "  example.com  ns1.example.com  192.0.2.2  1       another key",
    ]);
    expect(codes).toEqual(["DNS-SERVERS-DIFFER"]);
    expect(report).toMatchObject({ kind: "nothing", publish: { value: record(1) } });
    expect(report.publication.authoritative.servers).toHaveLength(2);
    expect(exitCode).toBe(1);
    const unknown = await verify({}, ["--authoritative"], { ...zone(), keys: {} });
    expect(unknown.stdout.match(/ key SHA256:/g)).toHaveLength(2);
    expect(unknown.exitCode).toBe(1);
  });

  test("serials that differ are a warning", async () => {
    const zone = fakeZone({ "192.0.2.1": wants(1, 2), "192.0.2.2": wants(1) }, {});
    const { exitCode, codes } = await verify({}, ["--authoritative"], zone);
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: ["DNS-SERIALS-DIFFER"] });
  });

  test("not yet: for how long, and exit status 4", async () => {
    const zone = fakeZone({ "192.0.2.1": wants(1) }, { [NAME]: { status: "no-name", ttlSeconds: 17 } });
    const { exitCode, jsonExitCode, stdout, codes, report } = await verify({}, ["--both"], zone);
    expect(stdout).toContain("resolvers still answer with no record (NXDOMAIN), for at most 17 s (DNS-NOT-YET)\n");
    expect(stdout).toContain("  TTL          17 s left with the resolvers\n");
    expect(codes).toEqual(["DNS-NOT-YET"]);
    expect(report).toMatchObject({ kind: "record", state: "usable", publication: { code: "not-yet" } });
    expect([exitCode, jsonExitCode]).toEqual([4, 4]);
  });

  test("never: nobody has it, and no resolver is asked", async () => {
    const zone = fakeZone({ "192.0.2.1": { serial: 1, answers: {} } }, { [NAME]: [record(1)] });
    const { exitCode, stdout } = await verify({}, ["--both"], zone);
    expect(stdout).toContain(
      "none of the 1 authoritative servers has it, so waiting alone will not help (DNS-NO-RECORD)",
    );
    expect(exitCode).toBe(1);
    expect(zone.resolver.asked).toEqual([]);
  });

  test("one is silent: 4, with what the others say; an error outweighs it", async () => {
    const silent = { serial: 1, answers: { [NAME]: { status: "timeout" } } } as const;
    const good = await verify({}, ["--authoritative"], fakeZone({ "192.0.2.1": wants(1), "192.0.2.2": silent }, {}));
    expect(good).toMatchObject({ exitCode: 4, codes: ["DNS-SILENT"], report: { state: "usable" } });
    const bad = await verify({}, ["--authoritative"], fakeZone({ "192.0.2.1": wants(2), "192.0.2.2": silent }, {}));
    expect(bad.exitCode).toBe(1);
    const all = await verify({}, ["--authoritative"], fakeZone({ "192.0.2.2": silent }, {}));
    expect(all).toMatchObject({ exitCode: 4, stdout: "", report: undefined });
    expect(all.stderr).toMatch(/cannot look s1\._domainkey\.example\.com up: .*\n.*hint: try again later/);
  });
});

describe("usage", () => {
  test.each([
    [["--record", "x", "--authoritative"], "--authoritative is for a key that is looked up in DNS"],
    [["--stdin", "--both"], "--both is for"],
    [["key.pem", "--require-dnssec"], "--require-dnssec is for"],
    [["--all", "--both"], "give DOMAIN SELECTOR"],
    [["example.com", "s1", "--authoritative", "--require-dnssec"], "use --both with --require-dnssec"],
  ])("%j", async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(["verify-key", ...argv]);
    expect(stderr).toContain(message);
    expect(stderr).toContain("hint: ");
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });
});
