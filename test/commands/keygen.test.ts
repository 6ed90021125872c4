import { lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parsePrivateKey } from "../../src/keys/private-key.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";

const ed = ["-t", "ed25519"];
const records = (stdout: string) => stdout.split("\n").filter((line) => line !== "");
const owners = (stdout: string) => records(stdout).map((line) => line.split("\t")[0]);

describe("names", () => {
  test("{algorithm}-{yyyymmdd} in UTC, then -2, -3", async () => {
    const store = temporaryFolder();
    const now = new Date("2026-01-01T00:30:00+01:00");
    for (let i = 0; i < 3; i++) await runCli(["keygen", "-d", "example.com", ...ed], { store, now });
    const { files } = await runCli(["completion", "bash"], { store });
    expect(files).toEqual([
      "example.com.ed25519-20251231-2.pem",
      "example.com.ed25519-20251231-3.pem",
      "example.com.ed25519-20251231.pem",
    ]);
  });

  test("-t both -s x is x-rsa and x-ed25519", async () => {
    const { files, stdout, exitCode } = await runCli([
      "keygen",
      "-d",
      "example.com",
      "-t",
      "both",
      "-s",
      "X",
      "-b",
      "1024",
      "-o",
      "plain",
    ]);
    expect(exitCode).toBe(0);
    expect(files).toEqual(["example.com.x-ed25519.pem", "example.com.x-rsa.pem"]);
    expect(owners(stdout)).toEqual(["x-rsa._domainkey.example.com", "x-ed25519._domainkey.example.com"]);
  });

  test("U-labels, case and trailing dots; the same domain twice is one key", async () => {
    const { files } = await runCli([
      "keygen",
      "-d",
      "BÜCHER.example.",
      "-d",
      "xn--bcher-kva.example",
      ...ed,
      "-s",
      "q1.2026",
    ]);
    expect(files).toEqual(["xn--bcher-kva.example.q1%2E2026.pem"]);
  });

  test.each([
    ["-d", "../../etc/x"],
    ["-d", "-x.example"],
    ["-d", "a b"],
    ["-d", "a..b"],
    ["-d", ""],
    ["-d", "x;rm -rf.example"],
    ["-d", "192.0.2.1"],
    ["-d", "a\u0000b.example"],
    ["-d", `${"a".repeat(64)}.example`],
    ["-s", "../x"],
    ["-s", "_domainkey"],
    ["-s", ""],
    ["-s", "-x"],
    ["-s", "a/b"],
  ])("%s %j is refused before anything is made", async (option, value) => {
    const argv = option === "-d" ? ["-d", value] : ["-d", "example.com", `-s${value}`];
    const { exitCode, files, stdout } = await runCli([
      "keygen",
      ...ed,
      ...(value === "" ? ["-d", "example.com", option, ""] : argv),
    ]);
    expect([exitCode, files, stdout]).toEqual([2, [], ""]);
  });

  test("without a domain and without a terminal it is a usage error, not a hang", async () => {
    const { exitCode, stderr } = await runCli(["keygen"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("no domain is given");
  });
});

describe("many domains", () => {
  test("--domains-from -: comments, empty lines, CRLF and doubles; results in the order given", async () => {
    const { exitCode, stdout, stderr } = await runCli(
      ["keygen", "-d", "z.example", "--domains-from", "-", ...ed, "-s", "m", "-o", "plain"],
      {
        stdin: "# mine\nb.example\r\n\n  a.example # the first\nB.example.\nz.example\n",
      },
    );
    expect(exitCode).toBe(0);
    expect(owners(stdout)).toEqual(["z", "b", "a"].map((name) => `m._domainkey.${name}.example`));
    expect(stderr.match(/^dkimctl: wrote /gm)).toHaveLength(3);
  });

  test("results keep the order although a long key takes longer than the next", async () => {
    const { stdout } = await runCli([
      "keygen",
      "-d",
      "a.example",
      "-d",
      "b.example",
      "-t",
      "both",
      "-b",
      "2048",
      "-s",
      "m",
      "-o",
      "plain",
    ]);
    expect(owners(stdout)).toEqual([
      "m-rsa._domainkey.a.example",
      "m-ed25519._domainkey.a.example",
      "m-rsa._domainkey.b.example",
      "m-ed25519._domainkey.b.example",
    ]);
  });

  test("a wrong line is told by file and line, and nothing is made", async () => {
    const file = join(temporaryFolder(), "list");
    writeFileSync(file, "a.example\n\nb ad\n");
    const { exitCode, stderr, files } = await runCli(["keygen", "--domains-from", file, ...ed]);
    expect(stderr).toContain(`error: ${file}:3: "b ad" is not a domain name`);
    expect([exitCode, files]).toEqual([2, []]);
  });

  test("one failure does not stop the others; what was made is listed", async () => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "b.example", ...ed, "-s", "m"], { store });
    const before = readFileSync(join(store, "b.example.m.pem"));
    const { exitCode, stdout, stderr } = await runCli(
      ["keygen", "-d", "a.example", "-d", "b.example", "-d", "c.example", ...ed, "-s", "m", "-o", "plain"],
      { store },
    );
    expect(exitCode).toBe(3);
    expect(owners(stdout)).toEqual(["m._domainkey.a.example", "m._domainkey.c.example"]);
    expect(stderr).toContain(`error: there is already a key for m._domainkey.b.example in ${store}\n`);
    expect(stderr).toContain("warning: 1 of 3 keys were not made, see above; the others were\n");
    expect(stderr).not.toContain("next:");
    expect(readFileSync(join(store, "b.example.m.pem"))).toEqual(before);
  });

  test("when none was made, nothing says that others were", async () => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "b.example", ...ed, "-s", "m"], { store });
    const { exitCode, stderr } = await runCli(["keygen", "-d", "b.example", ...ed, "-s", "m"], { store });
    expect(exitCode).toBe(3);
    expect(stderr).not.toContain("others");
  });

  test("more than twenty are summed up in one line", async () => {
    const stdin = Array.from({ length: 21 }, (_, i) => `d${i}.example\n`).join("");
    const argv = ["keygen", "--domains-from", "-", ...ed, "-s", "m", "-o", "value"];
    const { stderr, store } = await runCli(argv, { stdin });
    expect(stderr).toContain(`dkimctl: made 21 keys in ${store}\n`);
    expect(stderr).not.toContain("wrote");
    expect((await runCli([...argv, "-v"], { stdin })).stderr.match(/wrote/g)).toHaveLength(21);
  });
});

describe("--share", () => {
  const share = (...domains: string[]) => [
    "keygen",
    ...domains.flatMap((domain) => ["-d", domain]),
    "--share",
    ...ed,
    "-s",
    "m",
    "-o",
    "plain",
  ];
  const values = (stdout: string) => new Set(records(stdout).map((line) => line.split("\t")[1]));

  test("is one key, a file and links to it", async () => {
    const { exitCode, stdout, store } = await runCli(share("a.example", "b.example", "c.example"));
    expect(exitCode).toBe(0);
    expect(values(stdout).size).toBe(1);
    expect(owners(stdout)).toHaveLength(3);
    expect(lstatSync(join(store, "a.example.m.pem")).isFile()).toBe(true);
    expect(readlinkSync(join(store, "c.example.m.pem"))).toBe("a.example.m.pem");
  });

  test.each([
    ["first", "a.example"],
    ["last", "c.example"],
  ])("the %s domain's name is taken: the others share a key all the same", async (_, taken) => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", taken, ...ed, "-s", "m"], { store });
    const { exitCode, stdout, stderr } = await runCli(share("a.example", "b.example", "c.example"), { store });
    expect(exitCode).toBe(3);
    expect(owners(stdout)).toEqual(
      ["a.example", "b.example", "c.example"].filter((d) => d !== taken).map((d) => `m._domainkey.${d}`),
    );
    expect(values(stdout).size).toBe(1);
    expect(stderr.match(/error: /g)).toHaveLength(1);
  });

  test("--force replaces every name and keeps what was there", async () => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "b.example", ...ed, "-s", "m"], { store });
    const old = readFileSync(join(store, "b.example.m.pem"));
    const { exitCode, files, stdout } = await runCli([...share("a.example", "b.example"), "--force"], { store });
    expect(exitCode).toBe(0);
    expect(values(stdout).size).toBe(1);
    expect(readlinkSync(join(store, "b.example.m.pem"))).toBe("a.example.m.pem");
    expect(files).toEqual(["a.example.m.pem", "b.example.m.pem", "b.example.m.pem.20261121T120000Z.bak"]);
    expect(readFileSync(join(store, files[2] ?? ""))).toEqual(old);
    // Once more: the link leads to the right file already, and a backup of it would be the new key under another name.
    const again = await runCli([...share("a.example", "b.example"), "--force"], {
      store,
      now: new Date("2026-11-22T00:00:00Z"),
    });
    expect(again.exitCode).toBe(0);
    expect(again.files).toEqual([
      "a.example.m.pem",
      "a.example.m.pem.20261122T000000Z.bak",
      "b.example.m.pem",
      "b.example.m.pem.20261121T120000Z.bak",
    ]);
    const shown = await runCli(["showkeys", "--format", "plain"], { store });
    expect(shown.stdout).toBe(again.stdout);
  });
});

describe("--force", () => {
  test("keeps the old key as .bak, and says where", async () => {
    const store = temporaryFolder();
    const argv = ["keygen", "-d", "a.example", ...ed, "-s", "m"];
    await runCli(argv, { store });
    const old = readFileSync(join(store, "a.example.m.pem"));
    const { exitCode, files, stderr } = await runCli([...argv, "-f"], { store });
    expect(exitCode).toBe(0);
    expect(files).toEqual(["a.example.m.pem", "a.example.m.pem.20261121T120000Z.bak"]);
    expect(readFileSync(join(store, files[1] ?? ""))).toEqual(old);
    expect(readFileSync(join(store, files[0] ?? ""))).not.toEqual(old);
    expect(stderr).toContain(`; the old key is kept as ${join(store, files[1] ?? "")}\n`);
  });
});

describe("a key that others share", () => {
  const store = temporaryFolder;
  const share = (...domains: string[]) => ["keygen", ...domains.flatMap((d) => ["-d", d]), ...ed, "-s", "m"];

  test("is replaced for all of them, and they are named", async () => {
    const path = store();
    await runCli([...share("a.example", "b.example", "c.example"), "--share"], { store: path });
    await runCli([...share("d.example")], { store: path });
    const { exitCode, stderr } = await runCli([...share("a.example", "d.example"), "--force"], { store: path });
    expect(exitCode).toBe(0);
    expect(stderr.match(/warning: .*|hint: .*/g)).toEqual([
      "warning: the key of m._domainkey.a.example is shared: the new one is now also that of m._domainkey.b.example, m._domainkey.c.example",
      "hint: publish its record there too before they sign with it, or put the .bak file back",
    ]);
    // A link by way of a link, from a store that is reached by another path, and more than can be named.
    for (let i = 0; i < 6; i++) symlinkSync(join(path, "b.example.m.pem"), join(path, `x${i}.example.m.pem`));
    const again = await runCli([...share("a.example"), "--force"], {
      store: path,
      now: new Date("2026-11-22T00:00:00Z"),
    });
    expect(again.stderr).toContain("m._domainkey.x2.example and 3 more\n");
  });

  test("is not spoken of when all its names are asked for, or none is left", async () => {
    const path = store();
    await runCli([...share("a.example", "b.example"), "--share"], { store: path });
    const both = await runCli([...share("a.example", "b.example"), "--share", "--force"], { store: path });
    const link = await runCli([...share("b.example"), "--force"], {
      store: path,
      now: new Date("2026-11-22T00:00:00Z"),
    });
    const last = await runCli([...share("a.example"), "--force"], {
      store: path,
      now: new Date("2026-11-23T00:00:00Z"),
    });
    for (const { exitCode, stderr } of [both, link, last]) {
      expect({ exitCode, warned: stderr.includes("shared") }).toEqual({ exitCode: 0, warned: false });
    }
  });
});

describe("--fast", () => {
  test("makes an RSA key, here and with -k", async () => {
    const path = temporaryFolder();
    const { exitCode, stdout } = await runCli(["keygen", "-d", "a.example", "-b", "1024", "--fast"], { store: path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("; key#1 1024 bits,");
    const file = join(path, "key.pem");
    expect((await runCli(["keygen", "-d", "a.example", "-b", "1026", "--fast", "-k", file])).exitCode).toBe(0);
    expect(parsePrivateKey(readFileSync(file)).privateKey.publicKey).toMatchObject({ modulusBits: 1026 });
  });

  test.each([
    [["-t", "ed25519"], "--fast is for RSA keys"],
    [["-b", "2049"], "an RSA key of 2049 bits cannot be made fast"],
  ])("%j: refused", async (options, message) => {
    const { exitCode, stderr, files } = await runCli(["keygen", "-d", "a.example", "--fast", ...options], {
      store: temporaryFolder(),
    });
    expect({ exitCode, files }).toEqual({ exitCode: 2, files: [] });
    expect(stderr).toContain(message);
  });
});

describe("record tags", () => {
  const tags = ["--hash", "sha256", "--service", "email", "--flags", "s", "--flags", "y", "--note", "hé; ok = 1"];

  test("are encoded as RFC 6376 §3.6.1 asks, kept with the key, and printed again by showkeys", async () => {
    const store = temporaryFolder();
    const { stdout } = await runCli(["keygen", "-d", "a.example", ...ed, "-s", "m", ...tags, "-o", "value"], { store });
    expect(stdout).toMatch(
      /^v=DKIM1; h=sha256; k=ed25519; s=email; t=s:y; n=h=C3=A9=3B ok =3D 1; p=[A-Za-z0-9+/]{43}=\n$/,
    );
    expect((await runCli(["showkeys", "--format", "value"], { store })).stdout).toBe(stdout);
  });

  test.each([
    [["--hash", "md5"]],
    [["--hash", "sha1"]],
    [["--flags", "x"]],
    [["--service", "a b"]],
    [["--service", "p=evil;"]],
  ])("%j is refused", async (argv) => {
    const { exitCode, files } = await runCli(["keygen", "-d", "a.example", ...ed, ...argv]);
    expect([exitCode, files]).toEqual([2, []]);
  });

  test("a note cannot end the record, nor the line of the zone", async () => {
    const { stdout } = await runCli(["keygen", "-d", "a.example", ...ed, "--note", 'a"\n; p=evil\\', "-o", "value"]);
    expect(records(stdout)).toHaveLength(1);
    expect(stdout.match(/; p=/g)).toHaveLength(1);
  });
});

describe("formats", () => {
  test("-o dns and -o dnskey are rspamd's and the bare text", async () => {
    const dns = await runCli(["keygen", "-d", "a.example", ...ed, "-s", "m", "-o", "dns"]);
    expect(dns.stdout).toMatch(/^m\._domainkey IN TXT \( "v=DKIM1; k=ed25519; "\n\t"p=[^"]+" \) ;\n$/);
    expect((await runCli(["showkeys", "--format", "rspamd"], { store: dns.store })).stdout).toBe(dns.stdout);
    const dnskey = await runCli(["keygen", "-d", "a.example", ...ed, "-o", "dnskey"]);
    expect(dnskey.stdout).toMatch(/^v=DKIM1; k=ed25519; p=\S+\n$/);
  });

  test("--json has one shape for none, one and many, and for a run that fails wholly", async () => {
    const store = temporaryFolder();
    const run = async (...domains: string[]) => {
      const argv = ["keygen", ...domains.flatMap((domain) => ["-d", domain]), ...ed, "-s", "m", "--json"];
      const { exitCode, stdout } = await runCli(argv, { store });
      return { exitCode, document: JSON.parse(stdout) };
    };
    const one = await run("a.example");
    const mixed = await run("b.example", "a.example", "c.example");
    const none = await run("a.example");
    expect([one.exitCode, mixed.exitCode, none.exitCode]).toEqual([0, 3, 3]);
    for (const { document } of [one, mixed, none]) {
      expect(Object.keys(document)).toEqual(["schema", "keys", "failures"]);
      expect(document.schema).toBe("dkimctl/keygen/1");
    }
    expect(one.document.keys[0]).toMatchObject({
      index: 1,
      domain: "a.example",
      selector: "m",
      name: "m._domainkey.a.example",
      type: "TXT",
      ttlSeconds: 3600,
      algorithm: "ed25519",
      bits: 256,
      location: join(store, "a.example.m.pem"),
      backup: null,
    });
    expect(one.document.failures).toEqual([]);
    expect(mixed.document.keys.map(({ domain }: { domain: string }) => domain)).toEqual(["b.example", "c.example"]);
    expect(none.document.keys).toEqual([]);
    expect(none.document.failures).toEqual([
      {
        domain: "a.example",
        selector: "m",
        code: "DKIM_KEY_EXISTS",
        message: expect.any(String),
        hint: expect.any(String),
      },
    ]);
  });
});

describe("-k: beside the store", () => {
  test("-k FILE writes there, with the record on stdout, and nothing into the store", async () => {
    const file = join(temporaryFolder(), "k.pem");
    const { exitCode, stdout, stderr, files } = await runCli([
      "keygen",
      "-d",
      "a.example",
      ...ed,
      "-s",
      "m",
      "-k",
      file,
    ]);
    expect([exitCode, files]).toEqual([0, []]);
    expect(stdout).toContain(`; key#1 256 bits, s=m, d=a.example, ${file}\n`);
    expect(readFileSync(file, "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stderr).toMatch(/^dkimctl: wrote /);
    const again = await runCli(["keygen", "-d", "a.example", ...ed, "-k", file]);
    expect(again.exitCode).toBe(3);
    expect(again.stderr).toContain("hint: give another FILE, or --force");
    const forced = await runCli(["keygen", "-d", "a.example", ...ed, "-k", file, "-f"]);
    expect(forced.stderr).toContain(`the old key is kept as ${file}.20261121T120000Z.bak`);
  });

  test("-k - prints the key before the record, and names no file in it", async () => {
    const { exitCode, stdout, stderr, files } = await runCli([
      "keygen",
      "-d",
      "a.example",
      ...ed,
      "-s",
      "m",
      "-k",
      "-",
    ]);
    expect(stdout).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n; key#1 256 bits, s=m, d=a\.example\nm\._domainkey/,
    );
    expect([exitCode, stderr, files]).toEqual([0, "", []]);
  });

  test.each<[string[], RegExp]>([
    [["--priv-output", "seed"], /^[A-Za-z0-9+/]{43}=\n?$/],
    [["--priv-output", "pem"], /^-----BEGIN PRIVATE KEY-----/],
  ])("%j", async (options, text) => {
    const file = join(temporaryFolder(), "k");
    await runCli(["keygen", "-d", "a.example", ...ed, "-k", file, ...options]);
    expect(readFileSync(file, "utf8")).toMatch(text);
  });

  test("--priv-output der is the RSA key of rspamd: PKCS#1", async () => {
    const file = join(temporaryFolder(), "k");
    await runCli(["keygen", "-d", "a.example", "-b", "1024", "-k", file, "--priv-output", "der"]);
    // SEQUENCE (long length), INTEGER 0, INTEGER n: no AlgorithmIdentifier in between.
    expect(readFileSync(file).subarray(0, 8).toString("hex")).toMatch(/^3082....02010002/);
  });

  test.each<[string[], RegExp]>([
    [["-d", "a.example", "-k", "-x"], /the file name "-x" starts with "-"/],
    [["-d", "a.example", "-k", ""], /the name of the file to make is empty/],
    [["-d", "a.example", "-k", "folder/"], /names a folder/],
    [["-d", "a.example", "-d", "b.example", "-k", "f"], /-k takes one key/],
    [["-d", "a.example", "-t", "both", "-k", "f"], /-k takes one key/],
    [["-d", "a.example", "-k", "-", "--json"], /that is no JSON/],
    [["-d", "a.example", "-k", "-", "--priv-output", "der"], /DER is not text/],
    [["-d", "a.example", "-k", "f", "--priv-output", "seed"], /only an Ed25519 key has a seed/],
    [["-d", "a.example", "--priv-output", "seed"], /only an Ed25519 key has a seed/],
    [["-d", "a.example", "--priv-output", "der"], /a key of the store is a PEM file/],
    [["-d", "a.example", "-t", "ed25519", "-b", "2048"], /--bits is for RSA keys/],
    [["-d", "a.example", "-k", "f", "--share"], /--share is for keys in the store/],
    [["-d", "a.example", "-b", "1000"], /must not be accepted by any verifier/],
  ])("%j is a usage error, and nothing is made", async (argv, message) => {
    const { exitCode, stderr, stdout, files } = await runCli(["keygen", ...argv]);
    expect([exitCode, stdout, files]).toEqual([2, "", []]);
    expect(stderr).toMatch(message);
  });
});

describe("what it says", () => {
  test("the next step works as typed: with the store of this run when it was named", async () => {
    const store = join(temporaryFolder(), "my keys");
    const { stderr, exitCode } = await runCli(["keygen", "--store", store, "-d", "a.example", ...ed]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`prove them with: dkimctl testkeys --store '${store}'\n`);
    const plain = await runCli(["keygen", "-d", "a.example", ...ed]);
    expect(plain.stderr).toMatch(/prove them with: dkimctl testkeys\n$/);
  });

  test("-q leaves warnings only; the store is made when it is not there, for its owner alone", async () => {
    const store = join(temporaryFolder(), "new", "store");
    const { stderr } = await runCli(["keygen", "-q", "--store", store, "-d", "a.example", "-b", "1024"]);
    expect(stderr).toBe("dkimctl: warning: 1024 bits: signers should use at least 2048 (RFC 8301 §3.2)\n");
    expect(statSync(store).mode & 0o777).toBe(0o700);
  });

  test("a store that is a file is named as such", async () => {
    const file = join(temporaryFolder(), "f");
    writeFileSync(file, "");
    const { exitCode, stderr } = await runCli(["keygen", "--store", file, "-d", "a.example", ...ed]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`the key store ${file} is not a folder`);
  });

  test("progress is drawn on a terminal only, and not with -q", async () => {
    const argv = ["keygen", "-d", "a.example", "-d", "b.example", ...ed];
    expect((await runCli(argv, { isTTY: true })).stderr).toContain("/2 keys made");
    expect((await runCli([...argv, "-q"], { isTTY: true })).stderr).toBe("");
    expect((await runCli(argv)).stderr).not.toContain("\r");
  });

  test("private keys reach neither stdout nor stderr", async () => {
    const { stdout, stderr, store } = await runCli(["keygen", "-d", "a.example", ...ed, "-s", "m", "-v", "--json"]);
    const secret = readFileSync(join(store, "a.example.m.pem"), "utf8").split("\n")[1] ?? "";
    expect(secret.length).toBeGreaterThan(40);
    for (const text of [stdout, stderr]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain("PRIVATE");
    }
  });

  test("a dangling link, a folder and a loose mode under the name are not overwritten", async () => {
    const store = temporaryFolder();
    symlinkSync("nowhere", join(store, "a.example.m.pem"));
    mkdirSync(join(store, "b.example.m.pem"));
    const { exitCode, stdout } = await runCli(["keygen", "-d", "a.example", "-d", "b.example", ...ed, "-s", "m"], {
      store,
    });
    expect([exitCode, stdout]).toEqual([3, ""]);
    expect(readlinkSync(join(store, "a.example.m.pem"))).toBe("nowhere");
  });
});
