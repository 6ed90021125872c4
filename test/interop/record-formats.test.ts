import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatKeyRecord, keyRecordFor, parseKeyRecord } from "../../src/dns/key-record.ts";
import { keyRecordName } from "../../src/keys/key-name.ts";
import type { RecordTags } from "../../src/keys/key-store.ts";
import { parsePrivateKey } from "../../src/keys/private-key.ts";
import type { PublicKey } from "../../src/keys/public-key.ts";
import { createRecordFormat } from "../../src/report/record-formats/index.ts";
import type { RecordToPrint } from "../../src/report/record-formats/record-format.ts";
import { requirePeer } from "../helpers/peers.ts";
import { ed25519Key, quotedStringsOf, recordToPrint, rsaKeyOfBits } from "../helpers/printed-records.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dkimctl-formats-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], stdin = ""): string {
  return execFileSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8" },
    input: stdin,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function publicKeyOf(privateKeyText: string): PublicKey {
  return parsePrivateKey(Buffer.from(privateKeyText)).privateKey.publicKey;
}

function newRsaPem(modulusLength: number, type: "pkcs1" | "pkcs8"): string {
  return generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ type, format: "pem" }).toString();
}

const amavis = requirePeer("amavisd");
// amavisd insists on a configuration that root owns.
const isRoot = process.getuid?.() === 0;

describe.skipIf(amavis.skip || !isRoot)(`amavisd showkeys ${isRoot ? amavis.reason : "needs root"}`, () => {
  const keyPems = { a: [1024, "pkcs1"], b: [1021, "pkcs8"], c: [2048, "pkcs8"], d: [512, "pkcs1"] } as const;
  const configured: { domain: string; selector: string; key: keyof typeof keyPems; tags: RecordTags }[] = [
    { domain: "example.com", selector: "one", key: "a", tags: {} },
    { domain: "example.com", selector: "odd", key: "b", tags: { note: "" } },
    { domain: "xn--bcher-kva.example", selector: "q1.2026", key: "c", tags: { flags: ["y", "s"] } },
    { domain: "sub.example.com", selector: "short_1", key: "d", tags: { serviceTypes: ["email"] } },
    {
      domain: "example.org",
      selector: "all",
      key: "a",
      tags: { hashAlgorithms: ["sha256"], serviceTypes: ["*"], flags: ["s"], note: `it's "so"; 1 = 1\ttab` },
    },
    // The longest note whose string amavisd does not overfill.
    { domain: "example.org", selector: "long", key: "a", tags: { note: "n".repeat(240) } },
  ];

  test("prints the same octets", () => {
    const pems = new Map<string, string>();
    for (const [name, [bits, type]] of Object.entries(keyPems)) {
      const pem = newRsaPem(bits, type);
      pems.set(name, pem);
      writeFileSync(join(folder, `${name}.pem`), pem, { mode: 0o600 });
    }
    const perl = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
    const keys = configured.map(({ domain, selector, key, tags }) => {
      const options = [
        ["h", tags.hashAlgorithms?.join(":")],
        ["s", tags.serviceTypes?.join(":")],
        ["t", tags.flags?.join(":")],
        ["n", tags.note],
      ].flatMap(([tag, value]) => (value === undefined ? [] : [`${tag} => ${perl(value)}`]));
      const words = [perl(domain), perl(selector), perl(join(folder, `${key}.pem`)), ...options];
      return `dkim_key(${words.join(", ")});\n`;
    });
    writeFileSync(join(folder, "amavisd.conf"), `use strict;\n${keys.join("")}1;\n`, { mode: 0o644 });
    const theirs = run("amavisd", ["-c", join(folder, "amavisd.conf"), "showkeys"]);

    const format = createRecordFormat("amavis");
    const ours = configured.map(({ domain, selector, key, tags }, i) => {
      const publicKey = publicKeyOf(pems.get(key) ?? "");
      const location = join(folder, `${key}.pem`);
      return format.record(recordToPrint({ index: i + 1, domain, selector, tags, publicKey, location }));
    });
    expect(ours.join("")).toBe(theirs);
  });
});

const rspamd = requirePeer("rspamadm");
describe.skipIf(rspamd.skip)(`rspamadm dkim_keygen ${rspamd.reason}`, () => {
  test.each(["512", "1024", "1536", "2048", "4096"])("prints the same octets: rsa, %s bits", (bits) => {
    const [, pem = "", record] =
      /^(-----BEGIN[\s\S]*-----END PRIVATE KEY-----\n)([\s\S]*)$/.exec(
        run("rspamadm", ["dkim_keygen", "-s", "q1.sel", "-b", bits]),
      ) ?? [];
    const publicKey = publicKeyOf(pem);
    expect(createRecordFormat("rspamd").record(recordToPrint({ selector: "q1.sel", publicKey }))).toBe(record);
  });

  test("prints the same octets: ed25519", () => {
    const printed = run("rspamadm", ["dkim_keygen", "-s", "ed", "-t", "ed25519"]);
    const lineEnd = printed.indexOf("\n");
    const publicKey = publicKeyOf(printed.slice(0, lineEnd));
    const ours = createRecordFormat("rspamd").record(recordToPrint({ selector: "ed", publicKey }));
    expect(ours).toBe(printed.slice(lineEnd + 1));
  });
});

const genkey = requirePeer("opendkim-genkey", "openssl");
describe.skipIf(genkey.skip)(`opendkim-genkey ${genkey.reason}`, () => {
  test.each<[bits: string, options: string[], tags: RecordTags]>([
    ["1024", [], {}],
    ["2048", ["-t"], { flags: ["y"] }],
    ["2696", ["-S"], { flags: ["s"] }],
    [
      "4096",
      ["-t", "-S", "-r", "-h", "sha256:sha512"],
      { hashAlgorithms: ["sha256", "sha512"], serviceTypes: ["email"], flags: ["y", "s"] },
    ],
  ])("writes the same octets: %s bits %j", (bits, options, tags) => {
    run("opendkim-genkey", ["-D", folder, "-d", "example.com", "-s", "mail", "-b", bits, ...options]);
    const publicKey = publicKeyOf(readFileSync(join(folder, "mail.private"), "utf8"));
    const ours = createRecordFormat("opendkim").record(recordToPrint({ publicKey, tags }));
    expect(ours).toBe(readFileSync(join(folder, "mail.txt"), "utf8"));
  });
});

const bind = requirePeer("named-checkzone");
describe.skipIf(bind.skip)(`named-checkzone ${bind.reason}`, () => {
  const head = "@ 3600 IN SOA ns hostmaster 1 3600 900 86400 300\n@ 3600 IN NS ns\nns 3600 IN A 192.0.2.1\n";
  const everyTag: RecordTags = {
    hashAlgorithms: ["sha256"],
    serviceTypes: ["email", "*"],
    flags: ["y", "s"],
    note: `"quotes", back\\slash, ; = \\300 \\, naïve 鍵 \u0000\u007f\n${"long ".repeat(30)}`,
  };
  const evilFile = `/keys/a"b(c;d\ne 60 TXT "x"\r\nmail 60 TXT y\u2028${"x".repeat(3000)}.pem`;
  const shapes: Omit<Partial<RecordToPrint>, "name">[] = [
    ...[512, 1023, 1024, 2048, 2696, 2744, 4096, 8192].map((bits) => ({ publicKey: rsaKeyOfBits(bits) })),
    { publicKey: ed25519Key, tags: everyTag, location: evilFile },
    { publicKey: rsaKeyOfBits(2048), tags: everyTag, location: evilFile },
    { publicKey: rsaKeyOfBits(1024), tags: { note: "x".repeat(200) }, location: "\\" },
    { publicKey: rsaKeyOfBits(1024), tags: { note: "鍵".repeat(66) } },
  ];

  /** TXT records as BIND read them: owner -> joined text of each record. */
  function load(zone: string, text: string): Map<string, string[]> {
    const file = join(folder, "zone");
    writeFileSync(file, `$TTL 3600\n${head}${text}`);
    const dump = run("named-checkzone", ["-i", "none", "-D", "-s", "full", "-o", "-", zone, file]);
    const records = new Map<string, string[]>();
    for (const [, owner = "", data = ""] of dump.matchAll(/^(\S+)\s+\d+\s+IN\s+TXT\s+(.*)$/gm)) {
      records.set(owner, [...(records.get(owner) ?? []), quotedStringsOf(data).join("")]);
    }
    return records;
  }

  test.each(["bind", "amavis", "rspamd", "opendkim"] as const)("loads %s, and reads the record back", (name) => {
    const format = createRecordFormat(name);
    const domains = ["example.com", "sub.example.com", "bücher.example.com"];
    const selectors = ["mail", "q1.2026", "2026_a"];
    const records = shapes.map((shape, i) =>
      recordToPrint({
        ...shape,
        index: i + 1,
        // The first is the zone's own, as the formats with relative owners have it.
        domain: domains[i % 3] ?? "",
        selector: `${selectors[i % 3]}-${Math.floor(i / 3)}`,
      }),
    );
    const text = [format.begin?.(), ...records.map((record) => format.record(record)), format.end?.()].join("");
    const loaded = load("example.com", text);
    const expected = records.map((record) => {
      const defaults = name === "opendkim" ? { hashAlgorithms: ["sha256"] } : {};
      return [
        `${keyRecordName(record.name)}.`,
        keyRecordFor(record.publicKey, { ...defaults, ...record.tags }),
      ] as const;
    });
    expect([...loaded.keys()].sort()).toEqual(expected.map(([owner]) => owner).sort());
    for (const [owner, record] of expected) {
      const [found, ...others] = loaded.get(owner) ?? [];
      expect(others, owner).toEqual([]);
      expect(parseKeyRecord(found ?? ""), owner).toEqual(parseKeyRecord(formatKeyRecord(record)));
    }
  });
});
