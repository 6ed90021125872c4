import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseKeyRecord } from "../../../src/dns/key-record.ts";
import type { RecordTags } from "../../../src/keys/key-store.ts";
import { createRecordFormat } from "../../../src/report/record-formats/index.ts";
import {
  ed25519Key,
  publicKeyIn,
  quotedStringsOf,
  recordToPrint,
  rsaKeyOfBits,
} from "../../helpers/printed-records.ts";

const vector = (name: string) => readFileSync(new URL(`../../vectors/record-formats/${name}`, import.meta.url), "utf8");

describe("amavis", () => {
  const configured: [domain: string, selector: string, file: string, tags: RecordTags][] = [
    ["example.com", "r512", "keys/rsa512.pem", {}],
    ["example.com", "r1024", "keys/rsa1024.pem", {}],
    ["example.com", "r1028", "keys/rsa1028.pem", {}],
    ["example.com", "r2048", "keys/rsa2048.pem", {}],
    ["example.com", "r4096", "keys/rsa4096.pem", {}],
    [
      "bücher.example",
      "2026.q1",
      "keys/rsa1024.pem",
      { hashAlgorithms: ["sha256"], serviceTypes: ["email"], flags: ["y", "s"], note: 'a "quoted" note; 3 = 3' },
    ],
    ["example.com", "nonote", "keys/rsa1024.pem", { serviceTypes: ["*"], note: "" }],
  ];

  test("prints what amavisd 2.13 prints, octet for octet", () => {
    const printed = vector("amavis.txt");
    const blocks = printed.split(/(?<=\n\n)/);
    const format = createRecordFormat("amavis");
    const ours = configured.map(([domain, selector, location, tags], i) =>
      format.record(
        recordToPrint({ index: i + 1, domain, selector, tags, location, publicKey: publicKeyIn(blocks[i] ?? "") }),
      ),
    );
    expect(ours.join("")).toBe(printed);
  });

  test("leaves the file out when there is none, as amavisd does for a key object", () => {
    const [comment] = createRecordFormat("amavis").record(recordToPrint()).split("\n");
    expect(comment).toBe("; key#1 1024 bits, s=mail, d=example.com");
  });

  test.each<[string, string]>([
    ["back\\slash", "back=5Cslash"],
    ["café", "caf=C3=A9"],
    [" outer ", "=20outer=20"],
  ])("encodes the note %j, which amavisd would spoil", (note, encoded) => {
    const text = createRecordFormat("amavis").record(recordToPrint({ tags: { note } }));
    expect(text).toContain(`"v=DKIM1; n=${encoded}; p="`);
  });

  test("names the type of an Ed25519 key, which amavisd does not have", () => {
    const text = createRecordFormat("amavis").record(recordToPrint({ publicKey: ed25519Key, tags: { flags: ["s"] } }));
    expect(text).toBe(
      "; key#1 256 bits, s=mail, d=example.com\nmail._domainkey.example.com.\t3600 TXT (\n" +
        `  "v=DKIM1; k=ed25519; t=s; p="\n  "${Buffer.from(quotedKey(text), "base64").toString("base64")}")\n\n`,
    );
  });
});

describe("rspamd", () => {
  test.each(["1024", "2048", "2744", "4096", "ed25519"])(
    "prints what rspamadm 3.4 prints, octet for octet: %s",
    (kind) => {
      const printed = vector(`rspamd-${kind}.txt`);
      expect(createRecordFormat("rspamd").record(recordToPrint({ publicKey: publicKeyIn(printed) }))).toBe(printed);
    },
  );

  test("puts further tags where formatKeyRecord puts them", () => {
    const text = createRecordFormat("rspamd").record(
      recordToPrint({ tags: { hashAlgorithms: ["sha256"], flags: ["s"] } }),
    );
    expect(text).toMatch(/^mail\._domainkey IN TXT \( "v=DKIM1; h=sha256; k=rsa; t=s; "\n\t"p=/);
  });
});

describe("opendkim", () => {
  test.each(["1024", "2048", "2696", "2744", "4096"])("prints genkey's .txt, octet for octet: %s bits", (bits) => {
    const printed = vector(`opendkim-${bits}.txt`);
    expect(createRecordFormat("opendkim").record(recordToPrint({ publicKey: publicKeyIn(printed) }))).toBe(printed);
  });

  test("prints genkey's .txt, octet for octet: -t -S -r -h sha256:sha1", () => {
    const printed = vector("opendkim-flags.txt");
    const tags = { hashAlgorithms: ["sha256", "sha1"], serviceTypes: ["email"], flags: ["y", "s"] };
    const ours = createRecordFormat("opendkim").record(recordToPrint({ publicKey: publicKeyIn(printed), tags }));
    expect(ours).toBe(printed);
  });

  test("a note comes second and is encoded, not put into quotes of its own", () => {
    const text = createRecordFormat("opendkim").record(recordToPrint({ tags: { note: 'say "hi"' } }));
    expect(text).toContain('"v=DKIM1; n=say =22hi=22; h=sha256; k=rsa; "');
    expect(parseKeyRecord(quotedStringsOf(text).join("")).note).toBe('say "hi"');
  });

  test("Ed25519 in the same layout", () => {
    const text = createRecordFormat("opendkim").record(recordToPrint({ publicKey: ed25519Key }));
    expect(text).toMatch(
      /^mail\._domainkey\tIN\tTXT\t\( "v=DKIM1; h=sha256; k=ed25519; "\n\t {2}"p=[A-Za-z0-9+/]{43}=" \) {2}; -----/,
    );
  });
});

describe.each(["rspamd", "opendkim"] as const)("%s, several domains", (name) => {
  test("each change of domain says so, since owners are relative", () => {
    const format = createRecordFormat(name);
    const print = (domain: string) => format.record(recordToPrint({ domain, publicKey: rsaKeyOfBits(512) }));
    const [first, second, third] = [print("a.example"), print("a.example"), print("b.example")];
    expect(first).toMatch(/^mail\._domainkey/);
    expect(second).toMatch(/^mail\._domainkey/);
    expect(third).toMatch(/^\$ORIGIN b\.example\.\nmail\._domainkey/);
  });
});

function quotedKey(text: string): string {
  return quotedStringsOf(text).slice(1).join("");
}
