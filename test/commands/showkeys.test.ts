import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { testKey } from "../helpers/store.ts";

/** A store of Ed25519 keys under these names, `domain/selector`. */
async function storeOf(...names: string[]): Promise<string> {
  const path = temporaryFolder();
  const store = new DirectoryKeyStore({ path });
  for (const [i, name] of names.entries()) {
    const [domain = "", selector = ""] = name.split("/");
    await store.create(parseKeyName(domain, selector), testKey(i + 1));
  }
  return path;
}

const names = (stdout: string) => stdout.split("\n").flatMap((line) => line.split("\t")[0] || []);

describe("which keys (amavisd's filters)", () => {
  const all = ["a.example/m", "b.a.example/m", "ba.example/m", "xn--bcher-kva.example/m"];
  test.each<[filters: string[], domains: string[]]>([
    [[], ["a.example", "b.a.example", "ba.example", "xn--bcher-kva.example"]],
    [["."], ["a.example", "b.a.example", "ba.example", "xn--bcher-kva.example"]],
    [["a.example"], ["a.example"]],
    [[".a.example"], ["a.example", "b.a.example"]],
    [["A.Example."], ["a.example"]],
    [
      ["bücher.example", "a.example"],
      ["a.example", "xn--bcher-kva.example"],
    ],
    [["a.example", "a.example", "none.example"], ["a.example"]],
  ])("%j", async (filters, domains) => {
    const { exitCode, stdout } = await runCli(["showkeys", ...filters, "--format", "plain"], {
      store: await storeOf(...all),
    });
    expect(names(stdout)).toEqual(domains.map((domain) => `m._domainkey.${domain}`));
    expect(exitCode).toBe(0);
  });

  test("an empty selection exits 3, and the hint works as typed", async () => {
    const store = await storeOf("a.example/m");
    const { exitCode, stdout, stderr } = await runCli(["showkeys", "b.example"], { store });
    expect([exitCode, stdout]).toEqual([3, ""]);
    expect(stderr).toBe(
      `dkimctl: error: no key in ${store} is of b.example\n` +
        `dkimctl: hint: see which there are: dkimctl showkeys --format plain --store ${store}\n`,
    );
  });

  test("an empty store exits 3 with the command that makes a key; --json is a document all the same", async () => {
    const { exitCode, stdout, stderr } = await runCli(["showkeys", "--json"]);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/hint: make one: dkimctl keygen -d DOMAIN --store /);
    expect(JSON.parse(stdout)).toEqual({ schema: "dkimctl/showkeys/1", records: [] });
  });

  test("files of domains that were not asked for are not even opened", async () => {
    const store = await storeOf("a.example/m");
    writeFileSync(join(store, "b.example.m.pem"), "junk", { mode: 0o600 });
    const { exitCode, stderr } = await runCli(["showkeys", "a.example"], { store });
    expect([exitCode, stderr]).toEqual([0, ""]);
  });
});

describe("what cannot be shown is named, hides no other, and exits 3", () => {
  test("junk, a folder, a dangling link, a name that is none, two keys in one file", async () => {
    const store = await storeOf("a.example/m", "z.example/m");
    const pem = readFileSync(join(store, "a.example.m.pem"), "utf8");
    writeFileSync(join(store, "b.example.m.pem"), "junk", { mode: 0o600 });
    mkdirSync(join(store, "c.example.m.pem"));
    symlinkSync("nowhere", join(store, "d.example.m.pem"));
    writeFileSync(join(store, "evil\u001b[31m\n.pem"), "x");
    writeFileSync(join(store, "e.example.m.pem"), pem + pem, { mode: 0o600 });
    for (const ignored of ["a.txt", "a.example.m.pem.bak", "a.example.m.pem~"])
      writeFileSync(join(store, ignored), "x");
    const { exitCode, stdout, stderr } = await runCli(["showkeys", "--format", "plain"], { store });
    expect(exitCode).toBe(3);
    expect(names(stdout)).toEqual(["m._domainkey.a.example", "m._domainkey.z.example"]);
    const errors = stderr.split("\n").filter((line) => line.startsWith("dkimctl: error: "));
    const said = (name: string) => errors.find((line) => line.includes(name));
    expect(said("b.example")).toMatch(/is text without a private key/);
    expect(said("c.example")).toMatch(/it is a folder/);
    expect(said("d.example")).toMatch(/a symbolic link to a file that is not there/);
    expect(said("e.example")).toMatch(/several|two|2/);
    expect(said("evil\\u{1b}[31m\\u{a}.pem")).toMatch(/the file name is not/);
    expect(errors).toHaveLength(5);
    expect(stderr).not.toContain("PRIVATE KEY");
  });

  test("a file that the system does not give", async () => {
    const store = await storeOf("a.example/m", "b.example/m");
    unlinkSync(join(store, "a.example.m.pem"));
    symlinkSync("a.example.m.pem", join(store, "a.example.m.pem")); // a link to itself, which not even root can read
    const { exitCode, stdout, stderr } = await runCli(["showkeys", "--format", "plain"], { store });
    expect([exitCode, names(stdout)]).toEqual([3, ["m._domainkey.b.example"]]);
    expect(stderr).toMatch(/a\.example\.m\.pem:? .*too many symbolic links/);
  });

  test("a store that is not there, and one that is a file", async () => {
    const file = join(temporaryFolder(), "f");
    writeFileSync(file, "");
    for (const [store, message] of [
      ["/nonexistent/s", /there is no key store at/],
      [file, /is not a folder/],
    ] as const) {
      const { exitCode, stderr } = await runCli(["showkeys", "--store", store]);
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(message);
    }
  });
});

describe("loose permissions", () => {
  test("are told by name with the chmod that mends them, and the key is shown", async () => {
    const store = await storeOf("a.example/m");
    const file = join(store, "a.example.m.pem");
    chmodSync(file, 0o644);
    const { exitCode, stdout, stderr } = await runCli(["showkeys"], { store });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("d=a.example");
    const [, command = ""] =
      /^dkimctl: warning: .*a\.example\.m\.pem can be read by others \(mode 0644\); run: (.*)$/m.exec(stderr) ?? [];
    expect(command).toBe(`chmod 0640 ${file}`);
    execFileSync("sh", ["-c", command]);
    expect((await runCli(["showkeys"], { store })).stderr).toBe("");
  });

  test("of the folder are told once, not with each key", async () => {
    const store = await storeOf("a.example/m", "b.example/m");
    chmodSync(store, 0o770);
    const { stderr } = await runCli(["showkeys"], { store });
    expect(stderr.match(/run: chmod g-w/g)).toHaveLength(1);
  });
});

describe("formats", () => {
  test("--relative-to: hosts as a provider wants them; what is not in the zone is named, and exits 3", async () => {
    const store = await storeOf("a.example/m", "b.a.example/m", "other.test/m");
    const argv = ["showkeys", "--format", "plain", "--relative-to", "A.example."];
    const within = await runCli([...argv, ".a.example"], { store });
    expect([within.exitCode, names(within.stdout)]).toEqual([0, ["m._domainkey", "m._domainkey.b"]]);
    const { exitCode, stdout, stderr } = await runCli(argv, { store });
    expect([exitCode, names(stdout)]).toEqual([3, ["m._domainkey", "m._domainkey.b"]]);
    expect(stderr).toContain(`m._domainkey.other.test cannot stand in the zone "a.example"`);
  });

  test("--json is --format json, whichever came first: the last one holds", async () => {
    const store = await storeOf("a.example/m");
    const shown = async (...options: string[]) => (await runCli(["showkeys", ...options], { store })).stdout;
    const json = await shown("--format", "json");
    expect(await shown("--json")).toBe(json);
    expect(await shown("--format", "value", "--json")).toBe(json);
    expect(await shown("--json", "--format", "value")).toMatch(/^v=DKIM1; k=ed25519; p=\S+\n$/);
  });

  test("the document has one shape for one key and for many", async () => {
    const document = async (store: string) => JSON.parse((await runCli(["showkeys", "--json"], { store })).stdout);
    const one = await document(await storeOf("a.example/m"));
    const two = await document(await storeOf("a.example/m", "b.example/m"));
    expect(Object.keys(one)).toEqual(["schema", "records"]);
    expect(two.schema).toBe("dkimctl/showkeys/1");
    expect(two.records.map(({ index }: { index: number }) => index)).toEqual([1, 2]);
    expect(Object.keys(two.records[1])).toEqual(Object.keys(one.records[0]));
  });

  test("--ttl over records.ttl over 3600", async () => {
    const store = await storeOf("a.example/m");
    const config = join(temporaryFolder(), "c.toml");
    writeFileSync(config, "[records]\nttl = 60\n");
    const ttl = async (...options: string[]) =>
      /\t(\d+) TXT/.exec((await runCli(["showkeys", ...options], { store })).stdout)?.[1];
    expect([await ttl(), await ttl("--config", config), await ttl("--config", config, "--ttl", "7")]).toEqual([
      "3600",
      "60",
      "7",
    ]);
  });

  test("zones are told apart by the Public Suffix List, or given", async () => {
    const store = await storeOf("a.b.example.co.uk/m", "example.com/m", "example.co.uk/m");
    const shown = async (...options: string[]) => runCli(["showkeys", "--format", ...options], { store });
    const { stdout, stderr, exitCode } = await shown("route53");
    const comments = stdout.match(/"Comment":"[^"]*"/g);
    expect(comments).toEqual(['"Comment":"DKIM records of example.co.uk"', '"Comment":"DKIM records of example.com"']);
    expect([stderr, exitCode]).toEqual([
      "dkimctl: 2 change batches, one a line: each is a call of its own for aws\n",
      0,
    ]);
    const within = await shown("terraform", "--relative-to", "b.example.co.uk");
    expect(within.stdout.match(/zone = .*/g)).toEqual([`zone = "b.example.co.uk."`]);
    expect(within.exitCode).toBe(3);
    expect((await shown("terraform", "--provider", "route53")).stdout).toContain('resource "aws_route53_record"');
  });

  const checkzone = requirePeer("named-checkzone");
  test.skipIf(checkzone.skip)(
    `zone text of RSA and Ed25519 keys with tags loads in named-checkzone ${checkzone.reason}`,
    async () => {
      const store = temporaryFolder();
      const tags = ["--note", `it's "so"; é\\`, "--flags", "s:y", "--service", "email", "--hash", "sha256"];
      await runCli(["keygen", "-d", "example.com", "-d", "sub.example.com", "-t", "both", "-b", "4096", ...tags], {
        store,
      });
      for (const format of ["bind", "amavis", "rspamd", "opendkim"]) {
        // The formats that name owners relative to their domain are for one domain's zone.
        const { stdout } = await runCli(["showkeys", "example.com", "--format", format], { store });
        const zone = join(store, "zone");
        writeFileSync(zone, `$TTL 60\n@ IN SOA ns hostmaster 1 2 3 4 5\n@ IN NS ns\nns IN A 192.0.2.1\n${stdout}`);
        const dump = execFileSync("named-checkzone", ["-D", "-s", "full", "-o", "-", "example.com", zone], {
          encoding: "utf8",
          env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
          stdio: ["ignore", "pipe", "ignore"],
        });
        const owners = [...dump.matchAll(/^(\S+_domainkey\S+)\s+\d+\s+IN\s+TXT/gm)].map(([, owner]) => owner);
        expect(owners, format).toHaveLength(2);
        unlinkSync(zone);
      }
    },
  );
});

describe("encrypted keys", () => {
  const openssl = requirePeer("openssl");
  describe.skipIf(openssl.skip)(`made by openssl ${openssl.reason}`, () => {
    let pem: string;
    beforeAll(() => {
      pem = execFileSync("openssl", ["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:let me in"], {
        encoding: "utf8",
      });
    });
    const encryptedStore = () => {
      const store = temporaryFolder();
      for (const domain of ["a.example", "b.example"])
        writeFileSync(join(store, `${domain}.m.pem`), pem, { mode: 0o600 });
      return store;
    };

    test("are opened with --passphrase-file, which is read once: it may be a pipe", async () => {
      const read: string[] = [];
      const { exitCode, stdout, stderr } = await runCli(
        ["showkeys", "--format", "plain", "--passphrase-file", "pipe"],
        {
          store: encryptedStore(),
          readFile(path) {
            if (path === "pipe") read.push(path);
            return path === "pipe" ? Buffer.from("let me in\n") : readFileSync(path);
          },
        },
      );
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(names(stdout)).toEqual(["m._domainkey.a.example", "m._domainkey.b.example"]);
      expect(read).toEqual(["pipe"]);
    });

    test("are named without a passphrase, and with a wrong one", async () => {
      const store = encryptedStore();
      const without = await runCli(["showkeys"], { store });
      expect(without.exitCode).toBe(3);
      expect(without.stderr).toMatch(/a\.example\.m\.pem is an encrypted private key\n/);
      const file = join(temporaryFolder(), "pass");
      writeFileSync(file, "let me out");
      const wrong = await runCli(["showkeys", "--passphrase-file", file], { store });
      expect(wrong.exitCode).toBe(3);
      expect(wrong.stderr).toContain("that this passphrase does not open");
      expect(wrong.stderr).not.toContain("let me out");
    });
  });
});

test("each record is printed when its key is read, not when all are", async () => {
  const store = await storeOf("a.example/m", "b.example/m", "c.example/m");
  const read: string[] = [];
  const stop = new AbortController();
  const { stdout } = await runCli(["showkeys", "--format", "plain"], {
    store,
    signal: stop.signal,
    keyStore(inner) {
      const readKey = inner.read.bind(inner);
      inner.read = async (name) => {
        read.push(name.domain);
        if (name.domain === "b.example") stop.abort(new Error("enough"));
        return readKey(name);
      };
      return inner;
    },
  });
  expect(names(stdout)).toEqual(["m._domainkey.a.example"]);
  expect(read).toEqual(["a.example", "b.example"]);
});

describe("--provider", () => {
  const rsaStore = async () => {
    const store = temporaryFolder();
    await runCli(["keygen", "-d", "a.example", "-s", "m", "-b", "2048"], { store });
    return store;
  };

  test("warns of each record that it cannot hold, on standard error, and prints it all the same", async () => {
    const store = await rsaStore();
    const plain = await runCli(["showkeys"], { store });
    const { exitCode, stdout, stderr } = await runCli(["showkeys", "--provider", "UniFi"], { store });
    expect([exitCode, stdout]).toEqual([0, plain.stdout]);
    expect(stderr).toMatch(
      /^dkimctl: warning: m\._domainkey\.a\.example: the record has \d+ octets, and UniFi holds 255 at most\ndkimctl: hint: let a CNAME .*\n$/,
    );
    expect((await runCli(["showkeys", "--provider", "loopia"], { store })).stderr).toBe("");
  });

  test("JSON has the faults, an empty list for none, and null when no provider was named", async () => {
    const store = await rsaStore();
    const faults = async (...options: string[]) =>
      JSON.parse((await runCli(["showkeys", "--json", ...options], { store })).stdout).records[0].providerFaults;
    expect(await faults()).toBeNull();
    expect(await faults("--provider", "cloudflare")).toEqual([]);
    expect(await faults("--provider", "unifi")).toEqual([
      { message: expect.stringContaining("255"), hint: expect.stringContaining("CNAME") },
    ]);
  });

  test("a name that is not known is told, with those that are", async () => {
    const { exitCode, stderr } = await runCli(["showkeys", "--provider", "unify"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/called "unify"\ndkimctl: hint: known are akamai, alibaba, .*, unifi, vultr\n$/);
  });
});
