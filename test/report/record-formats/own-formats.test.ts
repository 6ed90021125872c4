import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatKeyRecord, keyRecordFor, parseKeyRecord } from "../../../src/dns/key-record.ts";
import { parseZoneText } from "../../../src/dns/zone-text.ts";
import { parseDomainName } from "../../../src/keys/domain-name.ts";
import { createRecordFormat, RECORD_FORMAT_NAMES } from "../../../src/report/record-formats/index.ts";
import { NotInZoneError } from "../../../src/report/record-formats/record-host.ts";
import { ed25519Key, recordToPrint, rsaKeyOfBits } from "../../helpers/printed-records.ts";

const ZONE_FORMATS = ["bind", "amavis", "rspamd", "opendkim"] as const;

describe("bind", () => {
  const bind = createRecordFormat("bind");

  test("is amavisd's layout with k=, exact bits and the TTL asked for", () => {
    const record = recordToPrint({ index: 7, publicKey: rsaKeyOfBits(1028), ttlSeconds: 300, location: "/k/a.pem" });
    const lines = bind.record(record).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "; key#7 1028 bits, s=mail, d=example.com, /k/a.pem",
      "mail._domainkey.example.com.\t300 TXT (",
      '  "v=DKIM1; k=rsa; p="',
    ]);
    expect(lines.slice(3, -3).every((line) => /^ {2}"[A-Za-z0-9+/]{64}"$/.test(line))).toBe(true);
    expect(lines.slice(-3)).toEqual([expect.stringMatching(/^ {2}"[A-Za-z0-9+/=]{1,64}"\)$/), "", ""]);
  });

  test.each<[string, string]>([
    ["/k/a\nevil 60 TXT x", "/k/a\\u{a}evil 60 TXT x"],
    ["/k/a\r\u0000\u001b[2J", "/k/a\\u{d}\\u{0}\\u{1b}[2J"],
    ["/k/\u202egnp\u2028\u0085", "/k/\\u{202e}gnp\\u{2028}\\u{85}"],
    ["/k/\ud800x", "/k/\\u{d800}x"],
    ['/schlüssel/"a";b.pem', '/schlüssel/"a";b.pem'],
  ])("the file name %j stays in its comment", (location, shown) => {
    const [comment] = bind.record(recordToPrint({ location })).split("\n");
    expect(comment).toBe(`; key#1 1024 bits, s=mail, d=example.com, ${shown}`);
  });
});

describe("plain", () => {
  test("host and value, in one line with a TAB between", () => {
    const record = recordToPrint({ publicKey: ed25519Key });
    const value = formatKeyRecord(keyRecordFor(ed25519Key));
    expect(createRecordFormat("plain").record(record)).toBe(`mail._domainkey.example.com\t${value}\n`);
  });

  test.each<[domain: string, zone: string, host: string]>([
    ["example.com", "example.com", "mail._domainkey"],
    ["a.b.example.com", "example.com", "mail._domainkey.a.b"],
    ["bücher.example", "xn--bcher-kva.example", "mail._domainkey"],
  ])("%s relative to %s is %s", (domain, zone, host) => {
    const format = createRecordFormat("plain", { relativeTo: parseDomainName(zone) });
    expect(format.record(recordToPrint({ domain })).split("\t")[0]).toBe(host);
  });

  test.each<[domain: string, zone: string]>([
    ["badexample.com", "example.com"],
    ["example.com", "a.example.com"],
    ["example.org", "example.com"],
  ])("%s is refused for the zone %s", (domain, zone) => {
    const format = createRecordFormat("plain", { relativeTo: parseDomainName(zone) });
    expect(() => format.record(recordToPrint({ domain }))).toThrow(NotInZoneError);
  });
});

describe("value", () => {
  test("is the text of the record and nothing else", () => {
    const publicKey = rsaKeyOfBits(4096);
    const tags = { note: "a; b" };
    const value = createRecordFormat("value").record(recordToPrint({ publicKey, tags }));
    expect(value).toBe(`${formatKeyRecord(keyRecordFor(publicKey, tags))}\n`);
  });
});

describe("json", () => {
  const document = (records: ReturnType<typeof recordToPrint>[]) => {
    const format = createRecordFormat("json");
    return [format.begin?.(), ...records.map((record) => format.record(record)), format.end?.()].join("");
  };

  test("has one shape for no record, one and many", () => {
    expect(JSON.parse(document([]))).toEqual({ schema: "dkimctl/showkeys/1", records: [] });
    const tags = { hashAlgorithms: ["sha256"], serviceTypes: ["email"], flags: ["s"], note: "n" };
    const bare = recordToPrint({ domain: "bücher.example", publicKey: ed25519Key });
    const full = recordToPrint({ index: 2, publicKey: rsaKeyOfBits(4096), tags, location: "/k/\n.pem" });
    const { records } = JSON.parse(document([bare, full]));
    expect(records).toHaveLength(2);
    expect(Object.keys(records[0])).toEqual(Object.keys(records[1]));
    expect(records[0]).toMatchObject({
      index: 1,
      domain: "xn--bcher-kva.example",
      domainUnicode: "bücher.example",
      name: "mail._domainkey.xn--bcher-kva.example",
      algorithm: "ed25519",
      bits: 256,
      tags: { hashAlgorithms: null, serviceTypes: null, flags: null, note: null },
      location: null,
    });
    expect(records[1]).toMatchObject({ bits: 4096, tags, location: "/k/\n.pem", ttlSeconds: 3600 });
    expect(records[1].strings.join("")).toBe(records[1].value);
    expect(records[1].strings.map((s: string) => s.length)).toEqual([255, 255, 255, expect.any(Number)]);
    expect(records[1].value.endsWith(`; p=${records[1].publicKey}`)).toBe(true);
  });

  test("writes one record a line, each as soon as it is read", () => {
    const format = createRecordFormat("json");
    expect(format.begin?.()).toMatch(/\n$/);
    const first = format.record(recordToPrint());
    expect(JSON.parse(first)).toMatchObject({ index: 1 });
    expect(format.record(recordToPrint({ index: 2 }))).toMatch(/^,\{"index":2,.*\}\n$/);
  });
});

describe("every zone form", () => {
  const note = fc.string({ unit: "binary", maxLength: 200 });
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,30}$/);
  const tagsArbitrary = fc.record(
    {
      hashAlgorithms: fc.array(word, { minLength: 1, maxLength: 12 }),
      serviceTypes: fc.array(word, { minLength: 1, maxLength: 12 }),
      flags: fc.constantFrom(["y"], ["s"], ["y", "s"]),
      note,
    },
    { requiredKeys: [] },
  );
  const key = fc.oneof(fc.constant(ed25519Key), fc.integer({ min: 512, max: 4200 }).map(rsaKeyOfBits));

  test.each(ZONE_FORMATS)("%s: strings of at most 255 octets, read back they are the record", (name) => {
    fc.assert(
      fc.property(key, tagsArbitrary, fc.string({ unit: "binary" }), (publicKey, tags, location) => {
        const text = createRecordFormat(name).record(recordToPrint({ publicKey, tags, location }));
        const found = parseZoneText(text, { origin: "example.com" });
        expect(found).toHaveLength(1);
        const { strings = [], name: owner, type } = found[0] ?? {};
        expect({ owner, type }).toEqual({ owner: "mail._domainkey.example.com", type: "TXT" });
        expect(Math.max(...strings.map((string) => string.length))).toBeLessThanOrEqual(255);
        const expected = keyRecordFor(publicKey, name === "opendkim" ? { hashAlgorithms: ["sha256"], ...tags } : tags);
        expect(parseKeyRecord(strings.join(""))).toEqual(parseKeyRecord(formatKeyRecord(expected)));
      }),
      { numRuns: 60 },
    );
  });
});

test("every name makes a format", () => {
  for (const name of RECORD_FORMAT_NAMES) {
    const format = createRecordFormat(name);
    expect([format.begin?.(), format.record(recordToPrint()), format.end?.()].join(""), name).toMatch(/\n$/);
  }
});
