import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatKeyRecord, keyRecordFor } from "../../../src/dns/key-record.ts";
import { scanTinydnsData } from "../../../src/dns/zone-text-tinydns.ts";
import { parseDomainName } from "../../../src/keys/domain-name.ts";
import { keyRecordName } from "../../../src/keys/key-name.ts";
import type { RecordTags } from "../../../src/keys/key-store.ts";
import { registeredDomain } from "../../../src/keys/public-suffix.ts";
import { createRecordFormat, type RecordFormatName } from "../../../src/report/record-formats/index.ts";
import type { RecordFormatOptions, RecordToPrint } from "../../../src/report/record-formats/record-format.ts";
import { NotInZoneError } from "../../../src/report/record-formats/record-host.ts";
import { ed25519Key, recordToPrint, rsaKeyOfBits } from "../../helpers/printed-records.ts";

/** A note as nobody would write it, with what the tools take for their own. */
const EVIL: RecordTags = { note: `\${x} $\${y} %{if} %%{z} 'a' "b" \\c\\ ; : \` é` };

const textOf = ({ publicKey, tags }: RecordToPrint) => formatKeyRecord(keyRecordFor(publicKey, tags));

function print(name: RecordFormatName, records: readonly RecordToPrint[], options: RecordFormatOptions = {}) {
  const format = createRecordFormat(name, { zoneOf: registeredDomain, ...options });
  const text = [format.begin?.(), ...records.map((record) => format.record(record)), format.end?.()].join("");
  return { text, note: format.note?.() };
}

/** Two zones whose domains do not come in one piece, as the store lists them. */
const FLEET = ["a.example.com", "b.example.co.uk", "example.com", "example.co.uk"].map((domain, i) =>
  recordToPrint({ index: i + 1, domain, publicKey: rsaKeyOfBits(4096), tags: EVIL, ttlSeconds: 60 + i }),
);
const ED25519 = recordToPrint({ publicKey: ed25519Key });

describe("nsupdate", () => {
  test("one transaction a record, which replaces what is there and refuses a CNAME", () => {
    expect(print("nsupdate", [ED25519]).text).toBe(
      "prereq nxrrset mail._domainkey.example.com. IN CNAME\n" +
        "update delete mail._domainkey.example.com. IN TXT\n" +
        `update add mail._domainkey.example.com. 3600 IN TXT "${textOf(ED25519)}"\n` +
        "send\n",
    );
  });

  test("the zone stands before each transaction when it is given", () => {
    const { text } = print("nsupdate", [ED25519, ED25519], { relativeTo: parseDomainName("example.com") });
    expect(text.match(/^zone example\.com\.\nprereq /gm)).toHaveLength(2);
  });
});

describe("tinydns", () => {
  test("only what a field cannot hold is octal", () => {
    const record = recordToPrint({ publicKey: ed25519Key, tags: { flags: ["y", "s"], note: "a\\b" } });
    const p = Buffer.from(ed25519Key.type === "ed25519" ? ed25519Key.bytes : []).toString("base64");
    expect(print("tinydns", [record]).text).toBe(
      `'mail._domainkey.example.com:v=DKIM1; k=ed25519; t=y\\072s; n=a=5Cb; p=${p}:3600\n`,
    );
  });

  test("reads back, whatever the note", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (note) => {
        const record = recordToPrint({
          publicKey: rsaKeyOfBits(2048),
          tags: { note, hashAlgorithms: ["sha256", "x"] },
        });
        const [found, ...others] = scanTinydnsData(print("tinydns", [record]).text);
        expect(others).toEqual([]);
        expect(found).toMatchObject({ name: keyRecordName(record.name), ttlSeconds: 3600, strings: [textOf(record)] });
      }),
      { numRuns: 60 },
    );
  });
});

describe("dnscontrol", () => {
  /** What dnsconfig.js has at hand, as far as a listing asks for it. */
  function evaluate(script: string) {
    const calls: { zone: string; records: { host: string; text: string; ttl: number }[] }[] = [];
    runInNewContext(script, {
      D_EXTEND: (zone: string, ...records: { host: string; text: string; ttl: number }[]) =>
        calls.push({ zone, records: [...records] }),
      TXT: (host: string, text: string, ...[ttl]: number[]) => ({ host, text, ttl }),
      TTL: (seconds: number) => seconds,
    });
    return calls;
  }

  test("a call for each domain, in which the tool quotes and splits", () => {
    const two = [FLEET[0], recordToPrint({ domain: "a.example.com", selector: "q1.2" }), FLEET[1]].flatMap(
      (r) => r ?? [],
    );
    expect(evaluate(print("dnscontrol", two).text)).toEqual([
      {
        zone: "a.example.com",
        records: [
          { host: "mail._domainkey", text: textOf(two[0] as RecordToPrint), ttl: 60 },
          { host: "q1.2._domainkey", text: textOf(two[1] as RecordToPrint), ttl: 3600 },
        ],
      },
      {
        zone: "b.example.co.uk",
        records: [{ host: "mail._domainkey", text: textOf(FLEET[1] as RecordToPrint), ttl: 61 }],
      },
    ]);
  });

  test("with the zone: one call, hosts relative to it", () => {
    const records = FLEET.filter(({ name }) => name.domain.endsWith("example.com"));
    const calls = evaluate(print("dnscontrol", records, { relativeTo: parseDomainName("example.com") }).text);
    expect(calls.map(({ zone, records }) => [zone, records.map(({ host }) => host)])).toEqual([
      ["example.com", ["mail._domainkey.a", "mail._domainkey"]],
    ]);
  });

  test("nothing for no key", () => expect(print("dnscontrol", []).text).toBe(""));
});

describe("octodns", () => {
  test("a document for each zone, names in natural order, semicolons escaped, quotes doubled", () => {
    const records = ["s10", "s9", "2026", "s9a", "S1"].map((selector) =>
      recordToPrint({ selector, publicKey: ed25519Key, tags: { note: "it's" } }),
    );
    const { text, note } = print("octodns", records);
    expect(text.match(/^[^ #-].*(?=:$)/gm)).toEqual(
      ["2026", "s1", "s9", "s9a", "s10"].map((selector) => `${selector}._domainkey`),
    );
    expect(
      text.startsWith("# example.com.yaml\n---\n2026._domainkey:\n  ttl: 3600\n  type: TXT\n  value: 'v=DKIM1\\; "),
    ).toBe(true);
    expect(text).toContain("n=it''s\\; p=");
    expect(note).toBeUndefined();
  });

  test("records of one zone come together, and a person is told of several", () => {
    const { text, note } = print("octodns", FLEET);
    expect(text.match(/^(#.*|[^ -].*(?=:$))/gm)).toEqual([
      "# example.com.yaml",
      "mail._domainkey",
      "mail._domainkey.a",
      "# example.co.uk.yaml",
      "mail._domainkey",
      "mail._domainkey.b",
    ]);
    expect(note).toMatch(/^2 zones: /);
  });
});

describe("terraform", () => {
  test("a resource that says the zone, with the whole text in one string", () => {
    expect(print("terraform", [recordToPrint({ domain: "sub.example.com", publicKey: ed25519Key })]).text).toBe(
      `resource "dns_txt_record_set" "dkim_mail_at_sub__example__com" {
  zone = "example.com."
  name = "mail._domainkey.sub"
  txt  = ["${textOf(ED25519)}"]
  ttl  = 3600
}

`,
    );
  });

  test("for Route 53: its own resource, the zone looked up once, strings of 255 within the quotes", () => {
    const { text } = print("terraform", FLEET.slice(0, 3), { provider: "route53" });
    expect(text.match(/^\w+ "\w+" /gm)).toEqual([
      `data "aws_route53_zone" `,
      `resource "aws_route53_record" `,
      `data "aws_route53_zone" `,
      `resource "aws_route53_record" `,
      `resource "aws_route53_record" `,
    ]);
    const [strings = ""] = /(?<=records = \[").*(?="\])/.exec(text) ?? [];
    expect(
      strings
        .replace(/(.)\1(?=\{)/g, "$1")
        .split('\\"\\"')
        .map(({ length }) => length)
        .slice(0, 3),
    ).toEqual([255, 255, 255]);
  });

  test("no two names of records share a name of a resource", () => {
    const names: [domain: string, selector: string][] = [
      ["b.example", "a"],
      ["example", "a.b"],
      ["example", "a_b"],
      ["example", "a-b"],
      ["b-example", "a"],
      ["at.example", "a"],
      ["example", "a_at"],
      ["example", "a_.b"],
      ["example", "a._b"],
    ];
    const records = names.map(([domain, selector]) => recordToPrint({ domain, selector }));
    const resources = [...print("terraform", records).text.matchAll(/^resource "\w+" "([A-Za-z_][\w-]*)" /gm)];
    expect(new Set(resources.map(([, name]) => name)).size).toBe(names.length);
  });
});

describe("route53", () => {
  const batches = (records: readonly RecordToPrint[], options: RecordFormatOptions = {}) => {
    const { text, note } = print("route53", records, options);
    const documents = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
    return { documents, note };
  };

  test("a change batch of upserts", () => {
    expect(batches([ED25519])).toEqual({
      documents: [
        {
          Comment: "DKIM records of example.com",
          Changes: [
            {
              Action: "UPSERT",
              ResourceRecordSet: {
                Name: "mail._domainkey.example.com.",
                Type: "TXT",
                TTL: 3600,
                ResourceRecords: [{ Value: `"${textOf(ED25519)}"` }],
              },
            },
          ],
        },
      ],
      note: undefined,
    });
  });

  test("a batch for each zone, long text in strings of 255", () => {
    const { documents, note } = batches(FLEET);
    expect(documents.map(({ Comment, Changes }) => [Comment, Changes.length])).toEqual([
      ["DKIM records of example.com", 2],
      ["DKIM records of example.co.uk", 2],
    ]);
    const { Value } = documents[0].Changes[0].ResourceRecordSet.ResourceRecords[0];
    expect(
      Value.slice(1, -1)
        .split('" "')
        .map(({ length }: string) => length)
        .slice(0, 3),
    ).toEqual([255, 255, 255]);
    expect(note).toMatch(/^2 change batches/);
  });

  test.each([
    ["short", () => ED25519],
    ["long", () => recordToPrint({ publicKey: rsaKeyOfBits(4096), tags: EVIL })],
  ])("what counts double stays within the limits of a request: %s records", (_, make) => {
    const records = Array.from({ length: 1200 }, make);
    const { documents } = batches(records);
    const sizes = documents.map(({ Changes }) => {
      const values: string[] = Changes.map(
        (change: { ResourceRecordSet: { ResourceRecords: [{ Value: string }] } }) => {
          const [{ Value }] = change.ResourceRecordSet.ResourceRecords;
          return Value;
        },
      );
      return { records: 2 * values.length, characters: 2 * values.join("").length };
    });
    expect(sizes.reduce((sum, { records }) => sum + records, 0)).toBe(2 * 1200);
    for (const { records, characters } of sizes) {
      expect(records).toBeLessThanOrEqual(1000);
      expect(characters).toBeLessThanOrEqual(32_000);
    }
    const [first = { characters: 0 }] = sizes;
    expect(first.characters).toBeGreaterThan(29_000);
    expect(documents[0].Comment).toBe(`DKIM records of example.com, part 1 of ${documents.length}`);
  });
});

test.each(["nsupdate", "dnscontrol", "octodns", "terraform", "route53"] as const)(
  "%s: a record that is not in the zone asked for is refused before anything else",
  (name) => {
    const format = createRecordFormat(name, { relativeTo: parseDomainName("example.com"), zoneOf: registeredDomain });
    expect(() => format.record(recordToPrint({ domain: "badexample.com" }))).toThrow(NotInZoneError);
    expect([format.record(ED25519), format.end?.()].join("")).toContain("mail._domainkey");
  },
);
