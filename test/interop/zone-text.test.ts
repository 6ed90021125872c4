import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseZoneText } from "../../src/dns/zone-text.ts";
import { formatTxtRecord } from "../../src/dns/zone-text-write.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";

const peer = requirePeer("named-checkzone");
const checkZone = findBinary("named-checkzone") ?? "named-checkzone";

const HEAD = "$TTL 60\n@ IN SOA ns hostmaster 1 60 60 60 60\n@ IN NS ns\nns IN A 127.0.0.1\n";

describe.skipIf(peer.skip)(`zone text and BIND ${peer.reason}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dkimctl-zone-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What BIND makes of the text, in its own canonical spelling. */
  function load(zone: string): string {
    const file = join(folder, "zone");
    writeFileSync(file, HEAD + zone, "latin1");
    return execFileSync(checkZone, ["-D", "-o", "-", "example.test", file], {
      stdio: ["ignore", "pipe", "ignore"],
    }).toString("latin1");
  }

  test("what we write is loaded, and reads back from BIND's spelling", () => {
    const octets = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 600,
    });
    const texts = fc.sample(octets, 40);
    const zone = texts.map((text, index) =>
      formatTxtRecord({
        name: `s${index}._domainkey.example.test`,
        text,
        ttlSeconds: 60 + index,
        stringOctets: 1 + ((index * 37) % 255),
      }),
    );
    const loaded = parseZoneText(load(zone.join(""))).filter(({ type }) => type === "TXT");
    const byName = new Map(loaded.map((record) => [record.name, record]));
    for (const [index, text] of texts.entries()) {
      const record = byName.get(`s${index}._domainkey.example.test`);
      expect(record?.strings?.join("")).toBe(text);
      expect(record?.ttlSeconds).toBe(60 + index);
    }
  });

  test("what BIND reads, we read alike", () => {
    const zone = [
      `a TXT unquoted\\; \\"x\\" "b;c" ; comment`,
      ` TXT "same owner"`,
      `b 1h IN TXT ( "one"`,
      `   "two" ; comment (`,
      `   three )`,
      `$ORIGIN sub.example.test.`,
      `$TTL 2h`,
      `c IN 5 TXT "\\000\\255\\065"`,
      `d TXT ""`,
      `e CNAME @`,
      ``,
    ].join("\n");
    const pick = (text: string) =>
      parseZoneText(text, { origin: "example.test" })
        .filter(({ type }) => type === "TXT" || type === "CNAME")
        .map(({ line: _line, ...record }) => record)
        .sort((x, y) => JSON.stringify(x).localeCompare(JSON.stringify(y)));
    expect(pick(HEAD + zone)).toEqual(pick(load(zone)));
  });

  test.each([`a TXT "${"x".repeat(256)}"`, `a TXT "x`, `a TXT ( x`, `a TXT`, `a TXT \\999`, `a TXT x )`])(
    "what BIND refuses, we refuse: %.20s",
    (line) => {
      expect(() => load(`${line}\n`)).toThrow();
      expect(() => parseZoneText(`${line}\n`)).toThrow(expect.objectContaining({ code: "DKIM_ZONE_TEXT_SYNTAX" }));
    },
  );
});
