import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { keyRecordName } from "../../src/keys/key-name.ts";
import { registeredDomain } from "../../src/keys/public-suffix.ts";
import { createRecordFormat, type RecordFormatName } from "../../src/report/record-formats/index.ts";
import type { RecordFormatOptions, RecordToPrint } from "../../src/report/record-formats/record-format.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";
import { ed25519Key, recordToPrint, rsaKeyOfBits } from "../helpers/printed-records.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dkimctl-tools-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the tools take for their own: comments, escapes, templates, quotes. */
const EVIL = { flags: ["s", "y"], note: `\${x} $\${y} %{if} %%{z} 'a' "b" \\c\\ ; : # \` é` };

const textOf = ({ publicKey, tags }: RecordToPrint) => formatKeyRecord(keyRecordFor(publicKey, tags));
const textsOf = (records: readonly RecordToPrint[]) =>
  Object.fromEntries(records.map((record) => [keyRecordName(record.name), textOf(record)]));

function print(name: RecordFormatName, records: readonly RecordToPrint[], options: RecordFormatOptions = {}): string {
  const format = createRecordFormat(name, { zoneOf: registeredDomain, ...options });
  return [format.begin?.(), ...records.map((record) => format.record(record)), format.end?.()].join("");
}

function fleet(...domains: string[]): RecordToPrint[] {
  const shapes = [
    { selector: "s10", publicKey: rsaKeyOfBits(4096), tags: EVIL },
    { selector: "s9", publicKey: ed25519Key },
    { selector: "2026_a.b", publicKey: rsaKeyOfBits(2048), tags: { note: "n".repeat(300) } },
  ];
  return domains.flatMap((domain) => shapes.map((shape) => recordToPrint({ ...shape, domain, ttlSeconds: 77 })));
}

const bind = requirePeer("named", "nsupdate", "dig");
describe.skipIf(bind.skip)(`nsupdate ${bind.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  const send = async (script: string) => {
    const input = `server 127.0.0.1 ${zone.named.port}\n${script}`;
    const child = promisify(execFile)("nsupdate", ["-k", zone.keyFile]);
    child.child.stdin?.end(input);
    return child.then(
      () => ({ code: 0, stderr: "" }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    );
  };

  test("a listing is loaded by BIND, twice, and one refusal stops no other record", async () => {
    const records = fleet("example.test", "sub.example.test");
    const options = { relativeTo: parseDomainName("example.test") };
    const script = print("nsupdate", records, options);
    expect(await send(script)).toEqual({ code: 0, stderr: "" });
    expect(await send(script)).toEqual({ code: 0, stderr: "" });
    for (const record of records) expect(zone.txt(keyRecordName(record.name))).toEqual([textOf(record)]);

    const alias = recordToPrint({ domain: "ring.example.test", selector: "s1", publicKey: ed25519Key });
    const later = recordToPrint({ domain: "example.test", selector: "later", publicKey: ed25519Key });
    const result = await send(print("nsupdate", [alias, later], options));
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("YXRRSET");
    expect(zone.txt("later._domainkey.example.test")).toEqual([textOf(later)]);
  });
});

/** Debian's, whose modules those of Debian's packages are. */
const PYTHON = "/usr/bin/python3";
const hasModules = spawnSync(PYTHON, ["-c", "import natsort, yaml"]).status === 0;
const skipYaml = !hasModules && process.env.DKIMCTL_REQUIRE_PEERS !== "1";
const absent = hasModules ? "" : "not installed: python3-natsort, python3-yaml";
describe.skipIf(skipYaml)(`octodns, as its YamlProvider reads a file ${absent}`, () => {
  /** octodns/yaml.py and octodns/record/chunked.py: the order of names, and what may stand in a value. */
  const READER = `
import json, re, sys, yaml
from natsort import natsorted
for document in yaml.safe_load_all(sys.stdin):
    names = list(document)
    assert names == natsorted(names), names
    for name, data in document.items():
        assert list(data) == natsorted(data)
        assert not re.search(r"\\w;", data["value"]) and "\\\\\\\\;" not in data["value"]
        data["value"].encode("ascii")
    print(json.dumps(document))
`;

  test("one document for each zone, and the values are the records", () => {
    const records = fleet("b.example.com", "example.org", "example.com");
    const documents = execFileSync(PYTHON, ["-c", READER], {
      encoding: "utf8",
      input: print("octodns", records),
    });
    const zones = ["example.com", "example.org"];
    const found = documents
      .trimEnd()
      .split("\n")
      .flatMap((line, index) =>
        Object.entries<{ value: string; ttl: number; type: string }>(JSON.parse(line)).map(
          ([host, { value, ttl, type }]) => {
            expect([ttl, type]).toEqual([77, "TXT"]);
            return [`${host}.${zones[index]}`, value.replaceAll("\\;", ";")];
          },
        ),
      );
    expect(Object.fromEntries(found)).toEqual(textsOf(records));
  });
});

const aws = requirePeer("aws");
describe.skipIf(aws.skip)(`aws route53 change-resource-record-sets ${aws.reason}`, () => {
  test("takes each batch and sends what it says", async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        bodies.push(body);
        response.setHeader("content-type", "text/xml");
        response.end(
          '<?xml version="1.0"?><ChangeResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">' +
            "<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>" +
            "</ChangeInfo></ChangeResourceRecordSetsResponse>",
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const records = fleet("b.example.com", "example.org", "example.com");
      const batches = print("route53", records).trimEnd().split("\n");
      for (const [index, batch] of batches.entries()) {
        const file = join(folder, `batch-${index}.json`);
        writeFileSync(file, batch);
        const argv = ["route53", "change-resource-record-sets", "--hosted-zone-id", "Z1", "--change-batch"];
        await promisify(execFile)("aws", [...argv, `file://${file}`, "--endpoint-url", `http://127.0.0.1:${port}`], {
          env: {
            PATH: process.env.PATH,
            HOME: folder,
            AWS_ACCESS_KEY_ID: "a",
            AWS_SECRET_ACCESS_KEY: "b",
            AWS_DEFAULT_REGION: "us-east-1",
          },
        });
      }
      expect(bodies).toHaveLength(2);
      const sent = bodies.flatMap((body) =>
        [...body.matchAll(/<Name>(.*?)\.<\/Name>.*?<Value>(.*?)<\/Value>/gs)].map(([, name = "", value = ""]) => {
          const text = value.replaceAll("&quot;", '"').replaceAll("&amp;", "&");
          return [name, text.slice(1, -1).replaceAll('" "', "")];
        }),
      );
      expect(Object.fromEntries(sent)).toEqual(textsOf(records));
      expect(bodies.join("").match(/<Action>UPSERT<\/Action>/g)).toHaveLength(records.length);
    } finally {
      server.close();
    }
  }, 60_000);
});

// Not in Debian, so that no CI can be asked to have it.
const terraform = findBinary("terraform");
describe.skipIf(terraform === undefined)("terraform, where it is installed", () => {
  const run = (argv: readonly string[], input: string) =>
    execFileSync("terraform", argv, {
      cwd: folder,
      encoding: "utf8",
      input,
      env: { PATH: process.env.PATH, HOME: folder, TF_CLI_CONFIG_FILE: "/dev/null", CHECKPOINT_DISABLE: "1" },
    });

  test.each([undefined, "route53"] as const)("has nothing to format: provider %s", (provider) => {
    const text = print("terraform", fleet("b.example.com", "example.org", "example.com"), { provider });
    expect(run(["fmt", "-"], text)).toBe(text);
  });

  test("evaluates every string to the record's text", () => {
    const records = fleet("b.example.com", "example.org");
    const text = print("terraform", records);
    // Without its provider, which is not here, a resource is not evaluated; the same attributes in an object are.
    const objects = text.replace(/resource "\w+" "([\w-]+)" \{/g, "$1 = {");
    writeFileSync(
      join(folder, "main.tf"),
      `locals {\n${objects}\nall = [${[...objects.matchAll(/^(dkim[\w-]+) =/gm)].map(([, name]) => `local.${name}`).join(", ")}]\n}\n`,
    );
    const printed: { zone: string; name: string; txt: string[]; ttl: number }[] = JSON.parse(
      JSON.parse(run(["console"], "jsonencode(local.all)")),
    );
    const found = printed.map(({ zone, name, txt }) => [`${name}.${zone.slice(0, -1)}`, txt[0]]);
    expect(Object.fromEntries(found)).toEqual(textsOf(records));
    expect(printed.every(({ txt, ttl }) => txt.length === 1 && ttl === 77)).toBe(true);
  });
});
