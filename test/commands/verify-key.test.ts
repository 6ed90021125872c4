import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRecord } from "../../src/checks/check-record.ts";
import { recogniseRecordInput } from "../../src/dns/record-input.ts";
import { PUBLISH_FORMAT_NAMES } from "../../src/report/key-report/published-record.ts";
import { fakeResolver } from "../helpers/fake-resolver.ts";
import { type RunCliOptions, runCli, temporaryFolder } from "../helpers/run-cli.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PRIVATE_PEM = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const PRIVATE_DER = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
const PUBLIC_PEM = publicKey.export({ type: "spki", format: "pem" }).toString();
const P = publicKey.export({ type: "spki", format: "der" }).toString("base64");
const GOOD = `v=DKIM1; k=rsa; p=${P}`;
const NAME = "s1._domainkey.example.com";
const ZONE_LINE = `${NAME}. 3600 IN TXT ( "${GOOD.slice(0, 200)}" "${GOOD.slice(200)}" )`;
const MESSAGE = `From: a@example.com\r\nDKIM-Signature: v=1; a=rsa-sha256; d=example.com;\r\n s=s1; h=from; bh=AA==; b=AA==\r\n\r\nHi\r\n`;

/** What no terminal may see, but for line feeds. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

interface JsonReport {
  readonly kind: string;
  readonly source: string;
  readonly name: string | null;
  readonly aliases: string[];
  readonly state: string;
  readonly severity: string;
  readonly input: { form: string; notes: string[] } | null;
  readonly findings: { code: string; position: object | null; record: number | null }[];
  readonly records: string[];
  readonly publish: { name: string | null; value: string; text: string; changes: string[] } | null;
  readonly verifiers: { about: string; verdicts: { verifier: string; verdict: string }[] }[] | null;
}

async function verify(argv: readonly string[], options: RunCliOptions = {}) {
  const result = await runCli(["verify-key", "--json", ...argv], options);
  const reports: JsonReport[] = result.stdout === "" ? [] : JSON.parse(result.stdout).reports;
  return { ...result, reports, codes: reports.map(({ findings }) => findings.map(({ code }) => code)) };
}

/** A file in a folder that goes with the test. */
function file(name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content, { mode });
  return path;
}

describe("whatever people paste", () => {
  test.each<[string, string, string, string | null]>([
    ["the value", GOOD, "value", null],
    ["a quoted value", `"${GOOD.slice(0, 200)}" "${GOOD.slice(200)}"`, "strings", null],
    ["curly quotes", `\u201c${GOOD.slice(0, 200)}\u201d \u201c${GOOD.slice(200)}\u201d`, "strings", null],
    ["zone text", ZONE_LINE, "zone", NAME],
    ["host", `${NAME} descriptive text "${GOOD.slice(0, 200)}" "${GOOD.slice(200)}"\n`, "lookup", NAME],
    ["tinydns", `'${NAME}:${GOOD.replaceAll(";", "\\073")}:3600\n`, "tinydns", NAME],
    ["a panel", `TXT\ts1._domainkey\t${GOOD}`, "panel", "s1._domainkey"],
  ])("%s, from each source", async (_title, text, form, name) => {
    const path = file("pasted.txt", text);
    const fromFile = await verify([path]);
    const fromOption = await verify(["--record", text]);
    const fromStdin = await verify(["--stdin"], { stdin: text });
    for (const { reports, exitCode } of [fromFile, fromOption, fromStdin]) {
      expect(reports).toMatchObject([{ kind: "record", state: "usable", name, input: { form }, records: [GOOD] }]);
      expect(exitCode).toBe(0);
    }
    expect([fromFile, fromOption, fromStdin].map(({ reports }) => reports[0]?.source)).toEqual([
      path,
      "--record",
      "standard input",
    ]);
  });

  test("what it was taken for is said", async () => {
    const { stdout } = await runCli(["verify-key", "--record", `&quot;${GOOD}&quot;`]);
    expect(stdout).toContain("  read as      quoted strings, as dig +short prints them; HTML entities were undone;");
    expect((await runCli(["verify-key", "--record", GOOD])).stdout).not.toContain("read as");
  });

  test("UTF-16, as some editors write it", async () => {
    const path = file("record.txt", Buffer.from(`\ufeff${GOOD}\r\n`, "utf16le"));
    expect(await verify([path])).toMatchObject({ exitCode: 0, reports: [{ records: [GOOD] }] });
  });

  test("several names: a report each", async () => {
    const text = `$ORIGIN example.com.\ns1._domainkey TXT "v=DKIM1; p="\ns_2._domainkey TXT "v=DKIM1"\n`;
    const { reports, codes, exitCode } = await verify(["--stdin"], { stdin: text });
    expect(reports.map(({ name, state }) => `${name} ${state}`)).toEqual([
      `${NAME} revoked`,
      "s_2._domainkey.example.com unusable",
    ]);
    expect(codes).toEqual([["P-EMPTY"], ["P-MISSING", "NAME-UNDERSCORE"]]);
    expect(exitCode).toBe(1);
  });

  test("--origin completes names", async () => {
    const { reports } = await verify(["--record", `s1._domainkey TXT "v=DKIM1; p="`, "--origin", "example.com"]);
    expect(reports).toMatchObject([{ name: NAME }]);
  });

  test("a message: the DNS is asked for the key that each signature names", async () => {
    const resolver = fakeResolver({ [NAME]: { texts: [GOOD], cnames: ["s1.dkim.example.net"] } });
    const { reports, stderr, exitCode } = await verify([file("mail.eml", MESSAGE)], { resolver });
    expect(resolver.asked).toEqual([`TXT ${NAME}`]);
    expect(resolver.isClosed()).toBe(true);
    expect(reports).toMatchObject([
      { kind: "record", name: NAME, state: "usable", aliases: ["s1.dkim.example.net"], records: [GOOD], publish: null },
    ]);
    expect(stderr).toContain("is a signed message; looking up s1._domainkey.example.com");
    expect(exitCode).toBe(0);
  });

  test("a message: two signatures, one key cannot be looked up now", async () => {
    const second = MESSAGE.replace("s=s1", "s=s2").slice(MESSAGE.indexOf("DKIM"));
    const text = MESSAGE.slice(0, MESSAGE.indexOf("DKIM")) + MESSAGE.slice(MESSAGE.indexOf("DKIM"), -6) + second;
    const temporary = { "s2._domainkey.example.com": { status: "servfail" } } as const;
    const good = await verify(["--stdin"], {
      stdin: text,
      resolver: fakeResolver({ ...temporary, [NAME]: [GOOD] }),
    });
    expect(good).toMatchObject({ exitCode: 4, reports: [{ name: NAME }] });
    expect(good.stderr).toContain("SERVFAIL");
    const bad = await verify(["--stdin"], { stdin: text, resolver: fakeResolver(temporary) });
    expect(bad).toMatchObject({ exitCode: 1, codes: [["DNS-NO-RECORD"]] });
  });

  test("a message that names nothing, or nonsense", async () => {
    for (const signature of ["v=1;; x", "v=1; d=exa mple.com; s=\u001b[2J"]) {
      const text = `DKIM-Signature: ${signature}\r\n\r\n`;
      expect(await verify(["--stdin"], { stdin: text })).toMatchObject({ exitCode: 1, codes: [["NAME-SYNTAX"]] });
    }
  });

  test("a CNAME: what it points to is looked up", async () => {
    const text = `${NAME}. 60 IN CNAME s1.dkim_1.example.net.`;
    const resolver = fakeResolver({ "s1.dkim_1.example.net": [GOOD] });
    const found = await verify(["--record", text], { resolver });
    expect(found).toMatchObject({ exitCode: 0, reports: [{ name: NAME, state: "usable" }] });
    expect(found.reports[0]?.aliases).toEqual(["s1.dkim_1.example.net"]);
    const missing = await verify(["--record", text], { resolver: fakeResolver({}) });
    expect(missing).toMatchObject({ exitCode: 1, codes: [["DNS-NO-RECORD"]] });
    const hostile = await verify(["--record", `${NAME}. CNAME a/b;c.`], { resolver: fakeResolver({}) });
    expect(hostile.exitCode).toBe(1);
  });
});

test("of many aliases only the first are followed", async () => {
  const text = Array.from({ length: 100 }, (_, i) => `s${i}._domainkey.example.com. CNAME t${i}.example.net.\n`).join(
    "",
  );
  const resolver = fakeResolver({});
  const { reports } = await verify(["--stdin"], { stdin: text, resolver });
  expect(resolver.asked).toHaveLength(20);
  expect(reports.map(({ kind }) => kind)).toEqual([...Array(20).fill("nothing"), ...Array(80).fill("alias")]);
});

describe("files", () => {
  test("a private key: what it is, and its record", async () => {
    const path = file("example.com.s1.pem", PRIVATE_PEM);
    const { reports, exitCode, stdout } = await verify([path]);
    expect(reports).toMatchObject([
      { kind: "private-key", state: "usable", name: NAME, severity: "ok", publish: { name: NAME, value: GOOD } },
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain(PRIVATE_DER.slice(40, 80));
  });

  test("a private key from standard input", async () => {
    expect(await verify(["--stdin"], { stdin: PRIVATE_PEM })).toMatchObject({
      reports: [{ kind: "private-key", source: "standard input" }],
      exitCode: 0,
    });
  });

  test("loose permissions", async () => {
    const path = file("key.pem", PRIVATE_PEM);
    chmodSync(path, 0o644);
    expect(await verify([path])).toMatchObject({ exitCode: 0, codes: [["KEY-PERMISSIONS"]] });
  });

  test("a passphrase, from a file or not at all", async () => {
    const pem = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "quiet" });
    const path = file("key.pem", pem);
    const passphrase = file("passphrase", "quiet\n");
    expect(await verify([path, "--passphrase-file", passphrase])).toMatchObject({
      exitCode: 0,
      reports: [{ kind: "private-key" }],
    });
    expect(await verify([path])).toMatchObject({ exitCode: 1, codes: [["KEY-ENCRYPTED"]] });
    expect((await verify([path, "--passphrase-file", file("wrong", "loud\n")])).exitCode).toBe(3);
  });

  test("a public key", async () => {
    expect(await verify([file("key.pub", PUBLIC_PEM)])).toMatchObject({
      exitCode: 0,
      reports: [{ kind: "public-key", publish: { value: GOOD, changes: [] } }],
    });
  });

  test("a certificate, random octets, nothing, another text", async () => {
    const certificate = readFileSync(new URL("../vectors/keys/cert.pem", import.meta.url));
    expect(await verify([file("cert.pem", certificate)])).toMatchObject({ exitCode: 1, codes: [["KEY-CERTIFICATE"]] });
    for (const content of [randomBytes(1000), randomBytes(1_000_000), "", "Hello, world\n"]) {
      const { reports, exitCode } = await verify([file("some.bin", content)]);
      expect(reports).toMatchObject([{ kind: "nothing", state: "unusable" }]);
      expect(exitCode).toBe(1);
    }
  });

  test("what cannot be read", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "key.pem"));
    for (const path of [join(folder, "key.pem"), join(folder, "none.pem"), join(folder, "none", "key.pem")]) {
      const { exitCode, stdout, stderr } = await runCli(["verify-key", path]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
      expect(stderr).toMatch(/^dkimctl: error: /);
    }
  });

  test("a key and a record: do they belong together?", async () => {
    const path = file("example.com.s1.pem", PRIVATE_PEM);
    expect(await verify([path, "--record", GOOD])).toMatchObject({ exitCode: 0, codes: [[], []] });
    const other = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "";
    const record = `v=DKIM1; k=ed25519; p=${Buffer.from(other, "base64url").toString("base64")}`;
    const { reports, codes, exitCode } = await verify([path, "--stdin"], { stdin: record });
    expect(codes).toEqual([[], ["KEY-MISMATCH"]]);
    expect(reports[1]?.publish).toMatchObject({ name: NAME, value: GOOD });
    expect(exitCode).toBe(1);
  });
});

describe("the DNS", () => {
  test("what stands at a selector", async () => {
    const resolver = fakeResolver({ [NAME]: [GOOD.replace("rsa", "RSA")] });
    const { reports, exitCode } = await verify(["example.com", "s1"], { resolver });
    expect(reports).toMatchObject([
      { name: NAME, source: NAME, input: null, state: "unusable", publish: { name: NAME, value: GOOD } },
    ]);
    expect(exitCode).toBe(1);
  });

  test("the key in the store is the truth", async () => {
    const store = temporaryFolder();
    writeFileSync(join(store, "example.com.s1.pem"), PRIVATE_PEM, { mode: 0o600 });
    const resolver = fakeResolver({});
    const { reports, codes } = await verify(["example.com", "s1"], { store, resolver });
    expect(codes).toEqual([["DNS-NO-RECORD"]]);
    expect(reports[0]?.publish).toMatchObject({ value: GOOD });
  });

  test("two records", async () => {
    const resolver = fakeResolver({ [NAME]: [GOOD.slice(0, 255), GOOD.slice(255)] });
    const { reports, codes } = await verify(["example.com", "s1"], { resolver });
    expect(codes[0]?.[0]).toBe("DNS-MULTI");
    expect(reports[0]?.findings.some(({ record }) => record === 1)).toBe(true);
    expect(reports[0]?.publish).toMatchObject({ value: GOOD });
    const text = await runCli(["verify-key", "example.com", "s1"], { resolver });
    expect(text.stdout).toContain("record 2: ");
  });

  test("temporary trouble", async () => {
    const resolver = fakeResolver({ [NAME]: { status: "timeout" } });
    const { exitCode, stderr, stdout } = await runCli(["verify-key", "example.com", "s1"], { resolver });
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(stderr).toContain(`cannot look ${NAME} up`);
    expect(resolver.isClosed()).toBe(true);
  });

  test("a CNAME to nothing", async () => {
    const resolver = fakeResolver({ [NAME]: { status: "cname-to-nothing", target: "gone.example", missing: "name" } });
    const { stdout, exitCode } = await runCli(["verify-key", "example.com", "s1"], { resolver });
    expect(stdout).toContain(`${NAME} is an alias of gone.example, and there is no record (NXDOMAIN)`);
    expect(exitCode).toBe(1);
  });
});

describe("--zone", () => {
  const zone = [
    "$TTL 3600",
    "@ IN SOA ns hostmaster 1 2 3 4 5",
    `@ TXT "v=spf1 -all"`,
    `s1._domainkey TXT "${GOOD.slice(0, 200)}" "${GOOD.slice(200)}"`,
    `_adsp._domainkey TXT "dkim=all"`,
    `_domainkey TXT "o=~"`,
    `s2._domainkey CNAME s2.example.net.`,
    `s3._domainkey.example.com TXT "v=DKIM1; p="`,
    `s4 TXT "v=DKIM1; p="`,
    `*._domainkey.sub TXT "v=DKIM1; p="`,
    `s5._domainkey TXT "v=DKIM1; p="`,
    `s5._domainkey CNAME x.example.net.`,
    `s6._domainkey TXT "v=DKIM1; n=unclosed`,
    `s7._domainkey.sub TXT "v=DKIM1; k=ed25519; p=pP+YUyRjAvKha4Oc49KAY703oLUS1NLMEuGD3IHMKww="`,
    "",
  ].join("\n");

  test("each name of a key is checked", async () => {
    const path = file("db.example.com", zone);
    const { reports, exitCode } = await verify(["--zone", path, "--origin", "example.com"]);
    const told = reports.map(({ kind, source, name, findings }) => [
      kind,
      source.replace(path, "F"),
      name,
      findings.map(({ code }) => code).join(),
    ]);
    expect(told).toEqual([
      ["zone", "F", null, "ZONE-SYNTAX,ED25519-ONLY"],
      ["record", "F:4", NAME, ""],
      ["alias", "F:7", "s2._domainkey.example.com", "DNS-CNAME"],
      ["record", "F:8", "s3._domainkey.example.com.example.com", "NAME-DOUBLED,P-EMPTY"],
      ["record", "F:9", "s4.example.com", "NAME-SYNTAX,P-EMPTY"],
      ["record", "F:10", "*._domainkey.sub.example.com", "DNS-WILDCARD,P-EMPTY"],
      ["record", "F:11", "s5._domainkey.example.com", "DNS-CNAME-TXT,P-EMPTY"],
      ["record", "F:14", "s7._domainkey.sub.example.com", ""],
    ]);
    expect(reports[3]?.publish).toMatchObject({ name: "s3._domainkey.example.com", value: "v=DKIM1; p=" });
    expect(exitCode).toBe(1);
  });

  test("a good zone, from standard input", async () => {
    const stdin = zone.split("\n").slice(0, 5).join("\n");
    const { reports, exitCode } = await verify(["--zone", "-", "--origin", "example.com."], { stdin });
    expect(reports.map(({ source }) => source)).toEqual(["standard input", "standard input:4"]);
    expect(exitCode).toBe(0);
  });

  test("what stands in its way", async () => {
    expect((await runCli(["verify-key", "--zone", "x"])).stderr).toContain("--origin DOMAIN");
    expect((await runCli(["verify-key", "--zone", "/nowhere/x", "--origin", "example.com"])).exitCode).toBe(3);
    expect((await runCli(["verify-key", "--zone", temporaryFolder(), "--origin", "example.com"])).exitCode).toBe(3);
  });
});

describe("the record to publish", () => {
  const broken = `${NAME}. IN TXT "k=RSA; p=${P.slice(0, 200)}" "${P.slice(200)}"`;

  test.each(PUBLISH_FORMAT_NAMES)("as %s reads back as a record without error", async (format) => {
    for (const text of [broken, `k=RSA; p=${P}`, `"v=DKIM1\\; t=s:\\; x=mine\\; p=${P}"`, "p=; v=DKIM1"]) {
      const { reports } = await verify(["--record", text, "--publish-as", format]);
      const published = reports[0]?.publish?.text ?? "";
      const pasted = format === "plain" ? published.replace(/^.*\t/, "") : published;
      const { records, name } = recogniseRecordInput(pasted, { origin: "example.com" });
      const [record = "", ...others] = records;
      expect(others).toEqual([]);
      expect(checkRecord(record).severity).not.toBe("error");
      if (text === broken && format !== "value") expect(name ?? published.split("\t")[0]).toBe(NAME);
    }
  });

  test("in the report, with what was changed", async () => {
    const { stdout } = await runCli(["verify-key", "--record", broken, "--publish-as", "plain"]);
    expect(stdout.split("\n").slice(-5)).toEqual([
      "the record to publish:",
      "  # k= is rsa, as the key is",
      "  # v=DKIM1 is put in front",
      `${NAME}\t${GOOD}`,
      "",
    ]);
  });

  test("is not printed for a good record, nor when nothing gets better", async () => {
    for (const text of [GOOD, `v=DKIM1;k=rsa;p=${P}`, `v=DKIM1; p=${P.slice(0, 99)}`, `v=DKIM1; p=${PRIVATE_DER}`]) {
      expect((await verify(["--record", text])).reports[0]?.publish).toBeNull();
    }
  });

  test("never holds an error, whatever the text was", async () => {
    const part = fc.constantFrom(
      "v=DKIM1",
      "k=RSA",
      `p=${P}`,
      "; ",
      '"',
      "\\;",
      "t=y",
      "h=sha1",
      "\n",
      "TXT ",
      `${NAME}. `,
      "(",
      ")",
      "é",
      "\u0000",
      "n=x",
      "&quot;",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const { reports, exitCode, stderr } = await verify(["--record", parts.join("")], {
          resolver: fakeResolver({}),
        });
        expect([0, 1], stderr).toContain(exitCode);
        for (const { publish } of reports) {
          if (publish !== null) expect(checkRecord(publish.value).severity).not.toBe("error");
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the report", () => {
  test("a caret stands under the fault, within the width", async () => {
    const text = `v=DKIM1; k=rsa; p=${P.slice(0, 150)}!${P.slice(151)}`;
    const { stdout } = await runCli(["verify-key", "--record", text], {
      isTTY: true,
      columns: 50,
      env: { NO_COLOR: "1" },
    });
    const lines = stdout.split("\n");
    const marker = lines.findIndex((line) => /^ +\^$/.test(line));
    expect(lines[marker - 1]?.[lines[marker]?.indexOf("^") ?? 0]).toBe("!");
    expect(lines[marker - 1]?.length).toBeLessThanOrEqual(50);
  });

  test("colour only where it is wanted", async () => {
    const argv = ["verify-key", "--record", "v=DKIM2; p="];
    expect((await runCli(argv)).stdout).not.toContain("\u001b");
    expect((await runCli([...argv, "--color", "always"])).stdout).toContain("\u001b[31m^~~~~\u001b[39m");
  });

  test.each(["text", "json"])("hostile text never reaches a terminal as it is: %s", async (format) => {
    const evil = "\u001b]0;x\u0007\u001b[2J\u0000\u009b31m\u202e\u2066\u200b\u061c\r";
    const texts = [
      evil,
      `v=DKIM1; n=${evil}; p=`,
      `"${evil}"`,
      `${evil}.example.com. TXT "v=DKIM1; ${evil}=1"`,
      `v=${evil}`,
    ];
    for (const text of texts) {
      for (const argv of [["--record", text], ["--stdin"]]) {
        const { stdout, stderr } = await runCli(["verify-key", ...argv, "--format", format, "--verifiers"], {
          stdin: text,
        });
        expect((stdout + stderr).replaceAll("\n", "")).not.toMatch(UNSEEN);
      }
    }
    const latin1 = Buffer.from(evil).toString("latin1");
    const resolver = fakeResolver({ [NAME]: { texts: [latin1, `v=DKIM1; p=${latin1}`], cnames: [latin1] } });
    const { stdout } = await runCli(["verify-key", "example.com", "s1", "--format", format], { resolver });
    expect(stdout.replaceAll("\n", "")).not.toMatch(UNSEEN);
  });

  test.each([`v=DKIM1; k=rsa; p=${PRIVATE_DER}`, PRIVATE_DER, `x=${PRIVATE_PEM.replace(/\n/g, "")}`])(
    "a published private key is told, and not shown again",
    async (text) => {
      for (const format of ["text", "json"]) {
        const { stdout, stderr, exitCode } = await runCli(["verify-key", "--record", text, "--format", format]);
        expect(stdout).toContain("P-PRIVATE");
        for (let at = 0; at + 20 < PRIVATE_DER.length; at += 10) {
          expect(stdout + stderr).not.toContain(PRIVATE_DER.slice(at, at + 20));
        }
        expect(exitCode).toBe(1);
      }
    },
  );

  test("every member of the JSON is there, however much is known", async () => {
    const shape = (report: object | undefined) => Object.keys(report ?? {});
    const bad = await verify(["--record", "x"]);
    const good = await verify([file("example.com.s1.pem", PRIVATE_PEM), "--verifiers"]);
    expect(shape(bad.reports[0])).toEqual(shape(good.reports[0]));
    expect(JSON.parse(good.stdout).schema).toBe("dkimctl/verify-key/1");
    expect(shape(bad.reports[0])).toEqual([
      ...["kind", "source", "description", "input", "name", "aliases", "state", "severity", "findings", "algorithm"],
      ...["bits", "fingerprint", "records", "publish", "publication", "verifiers"],
    ]);
    expect(shape(bad.reports[0]?.findings[0])).toEqual([
      ...["code", "severity", "message", "fix", "tag", "position", "critical", "record"],
    ]);
  });

  test("--verifiers", async () => {
    const { reports } = await verify(["--record", `v=DKIM1; k=RSA;; p=${P}`, "--verifiers"]);
    const all = reports[0]?.verifiers?.find(({ about }) => about === "all");
    const refusing = all?.verdicts.filter(({ verdict }) => verdict === "refuses").map(({ verifier }) => verifier);
    expect(refusing).toEqual(["Mail::DKIM", "dkimpy", "OpenDKIM"]);
    const { stdout } = await runCli(["verify-key", "--record", GOOD, "--verifiers"]);
    expect(stdout).toMatch(/^all +yes +yes +yes +yes +yes +yes +yes$/m);
  });

  test("--text prints the numbers", async () => {
    const { stdout } = await runCli(["verify-key", "--record", GOOD, "--text"]);
    expect(stdout).toContain("  exponent: 65537 (0x10001)");
    expect(stdout).toMatch(/modulus:\n(?: {4}(?:[0-9a-f]{2}:){14}[0-9a-f]{2}\n){17} {4}[0-9a-f]{2}\n/);
  });

  test("--explain", async () => {
    const { stdout, exitCode } = await runCli(["verify-key", "--explain", "p-pkcs1"]);
    expect(stdout).toContain("P-PKCS1 (warning): p= is a bare RSAPublicKey");
    expect(stdout.replaceAll("\n", " ")).toContain(
      "accepted by dkimpy, Go, Rust; refused by Mail::DKIM, OpenDKIM, rspamd, mailauth.",
    );
    expect(exitCode).toBe(0);
    const json = await runCli(["verify-key", "--explain", "TL-DUP", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "dkimctl/finding/1", code: "TL-DUP", severity: "error" });
    const unknown = await runCli(["verify-key", "--explain", "P-PKC1"]);
    expect(unknown).toMatchObject({ exitCode: 2, stdout: "" });
    expect(unknown.stderr).toContain("did you mean P-PKCS1?");
  });
});

describe("--blocklist", () => {
  const modulus = Buffer.from(P, "base64").subarray(33, 33 + 256);
  const entry = Buffer.concat([createHash("sha256").update(modulus).digest().subarray(0, 15), Buffer.of(7)]);

  test("a key that is listed is an error from every source, and its record is not printed", async () => {
    const argv = ["--blocklist", file("blocklist.dat", entry)];
    const key = file("example.com.s1.pem", PRIVATE_PEM);
    const resolver = fakeResolver({ [NAME]: [`p=${P}`] });
    const zone = file("zone", `s1._domainkey TXT "v=DKIM1; p=${P.slice(0, 200)}" "${P.slice(200)}"\n`);
    for (const source of [
      ...[[key], [file("key.pub", PUBLIC_PEM)], ["--record", `p=${P}`], ["example.com", "s1"]],
      ["--zone", zone, "--origin", "example.com"],
    ]) {
      const { reports, codes, exitCode } = await verify([...source, ...argv], { resolver });
      expect(codes.at(-1)).toContain("KEY-BLOCKLISTED");
      expect(reports.at(-1)?.publish).toBeNull();
      expect(exitCode).toBe(1);
    }
    const stream = ["verify-key", "--stdin", "--format", "ndjson", ...argv];
    const { stdout } = await runCli(stream, { stdin: JSON.stringify({ record: GOOD }) });
    expect(stdout).toContain("(collection 7)");
  });

  test("another key is not; a file that is no list is told", async () => {
    const other = file("blocklist.dat", Buffer.alloc(16));
    expect((await verify(["--record", GOOD, "--blocklist", other])).exitCode).toBe(0);
    expect((await verify(["--record", GOOD, "--blocklist", file("text", "no list")])).exitCode).toBe(3);
    expect((await verify(["--record", GOOD, "--blocklist", "/nowhere"])).exitCode).toBe(3);
  });
});

describe("--all", () => {
  /** A store with these files; of each, content and mode. */
  function storeOf(files: Readonly<Record<string, readonly [content: string, mode?: number]>>): string {
    const store = temporaryFolder();
    for (const [name, [content, mode = 0o600]] of Object.entries(files)) {
      writeFileSync(join(store, name), content);
      chmodSync(join(store, name), mode);
      utimesSync(join(store, name), new Date("2026-11-20"), new Date("2026-11-20"));
    }
    return store;
  }

  test("each key by itself and beside the others", async () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    const store = storeOf({
      "a.example.s1.pem": [PRIVATE_PEM],
      "b.example.s1.pem": [PRIVATE_PEM, 0o644],
      "c.example.20250101.pem": [other.export({ type: "pkcs8", format: "pem" }).toString()],
      "c.example.s2.pem": ["no key"],
      "notes.pem": [PUBLIC_PEM],
      "readme.txt": ["no key"],
    });
    const { reports, codes, exitCode, stdout } = await verify(["--all"], { store });
    expect(reports.map(({ source, name }) => `${source.replace(store, "S")} ${name}`)).toEqual([
      "S/a.example.s1.pem s1._domainkey.a.example",
      "S/b.example.s1.pem s1._domainkey.b.example",
      "S/c.example.20250101.pem 20250101._domainkey.c.example",
      "S null",
      "s2._domainkey.c.example s2._domainkey.c.example",
    ]);
    expect(codes).toEqual([
      ["KEY-SHARED"],
      ["KEY-PERMISSIONS", "KEY-SHARED"],
      ["RSA-1024", "SELECTOR-REUSED"],
      ["STORE-FILE"],
      ["STORE-FILE"],
    ]);
    expect(exitCode).toBe(1);
    expect(stdout).not.toContain(PRIVATE_DER.slice(40, 80));
  });

  test("a store without fault, an old one, an empty one", async () => {
    const store = storeOf({ "a.example.s1.pem": [PRIVATE_PEM] });
    const good = await runCli(["verify-key", "--all", "--max-age", "180d"], { store });
    expect(good).toMatchObject({ exitCode: 0, stdout: "" });
    expect(good.stderr).toBe("dkimctl: there is nothing to be said about any key\n");
    const old = await verify(["--all", "--max-age", "180"], { store, now: new Date("2027-11-21") });
    expect(old).toMatchObject({ exitCode: 0, codes: [["KEY-OLD"]] });
    expect((await runCli(["verify-key", "--all"])).exitCode).toBe(3);
  });
});

describe("the command line", () => {
  test.each<[string, string[]]>([
    ["nothing", []],
    ["two records", ["--record", "x", "--stdin"]],
    ["a selector and a record", ["example.com", "s1", "--record", "x"]],
    ["ndjson without a stream", ["--format", "ndjson", "--record", "x"]],
    ["no arithmetic for one record", ["--record", "x", "--no-arithmetic"]],
    ["an age for one record", ["--record", "x", "--max-age", "180d"]],
    ["an age that is none", ["--all", "--max-age", "old"]],
    ["all and a record", ["--all", "--record", "x"]],
    ["no domain", ["not a domain", "s1"]],
    ["a zone and a file", ["x", "--zone", "y", "--origin", "example.com"]],
    ["an explanation and a record", ["--explain", "P-DER", "--record", "x"]],
    ["a format to publish in that is none", ["--record", "x", "--publish-as", "xml"]],
  ])("%s is a usage error", async (_title, argv) => {
    const { exitCode, stdout, stderr } = await runCli(["verify-key", ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });

  test("--no-arithmetic looks at no factors", async () => {
    // 3 divides the modulus.
    const octets = Buffer.from(P, "base64");
    const modulus = octets.subarray(33, 33 + 256);
    let number = BigInt(`0x${modulus.toString("hex")}`);
    number -= number % 6n;
    Buffer.from((number + 3n).toString(16).padStart(512, "0"), "hex").copy(modulus);
    const stdin = JSON.stringify({ id: 1, record: `v=DKIM1; k=rsa; p=${octets.toString("base64")}` });
    const argv = ["verify-key", "--stdin", "--format", "ndjson"];
    expect((await runCli(argv, { stdin })).stdout).toContain("RSA-FACTOR");
    expect((await runCli([...argv, "--no-arithmetic"], { stdin })).stdout).not.toContain("RSA-FACTOR");
  });

  test("a stream of records: one answer a line, in order", async () => {
    const stdin = [`{"id":1,"record":"v=DKIM1; p="}`, "", "{", `{"id":"c","rrset":["x","y"]}`, ""].join("\n");
    const { stdout, exitCode } = await runCli(["verify-key", "--stdin", "--format", "ndjson"], { stdin });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { id: 1, state: "revoked" },
      { id: null, error: "line 3: not JSON" },
      { id: "c", state: "undefined" },
    ]);
    expect(exitCode).toBe(1);
  });
});
