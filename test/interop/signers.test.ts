import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { keyRecordName, parseKeyName } from "../../src/keys/key-name.ts";
import { encodePrivateKey, type PrivateKey } from "../../src/keys/private-key.ts";
import { readRspamd } from "../../src/signers/rspamd-import.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import { run } from "../helpers/daemon-process.ts";
import { verifyWithMailDkim } from "../helpers/mail-peers.ts";
import { signWithDkimpyMilter, signWithOpendkimMilter } from "../helpers/milter-daemons.ts";
import { startNamed } from "../helpers/named.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli } from "../helpers/run-cli.ts";
import {
  amavisConfiguration,
  handOver,
  signerFolder,
  signWithAmavis,
  signWithExim,
  signWithOpendkim,
  signWithRspamd,
  startRedis,
} from "../helpers/signer-daemons.ts";
import { makeEd25519Key, makeRsaKey, recordOf, zone } from "../helpers/signing-keys.ts";

const isRoot = process.getuid?.() === 0;

/** The real signers load what `dkimctl export` writes, and what they sign verifies. */

const KEYS = ["example.com r1", "example.com e1", "example.net r1", "mail.example.net r2"] as const;
type TestKey = (typeof KEYS)[number];
const keys = {} as Record<TestKey, PrivateKey>;
const published: Record<string, string> = {};

beforeAll(() => {
  for (const title of KEYS) {
    const [domain = "", selector = ""] = title.split(" ");
    keys[title] = selector === "e1" ? keyLikePath() : makeRsaKey(1024);
    published[keyRecordName(parseKeyName(domain, selector))] = recordOf(keys[title]);
  }
});

/** In base64 it begins with "/", as one in 64 does, and rspamd takes that for a path where it expects a key. */
function keyLikePath(): PrivateKey {
  for (;;) {
    const key = makeEd25519Key();
    if (key.type === "ed25519" && (key.seed[0] ?? 0) >= 0xfc) return key;
  }
}

function message(domain: string): Uint8Array {
  const fields = [`From: <jo@${domain}>`, "To: <b@example.org>", "Subject: a test", `Message-ID: <1@${domain}>`];
  const date = `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`;
  return Buffer.from([...fields, date, "", "hello", ""].join("\r\n"));
}

async function storeKeys(store: string, titles: readonly TestKey[], ed25519: "seed" | "pkcs8" = "seed"): Promise<void> {
  const keyStore = new DirectoryKeyStore({ path: store });
  for (const title of titles) {
    const [domain = "", selector = ""] = title.split(" ");
    const encoding = keys[title].type === "rsa" ? "pkcs8" : ed25519;
    await keyStore.create(parseKeyName(domain, selector), { privateKey: keys[title], tags: {}, encoding });
  }
}

async function exportTo(store: string, ...argv: string[]): Promise<void> {
  const { exitCode, stderr } = await runCli(["export", ...argv], { store });
  expect(exitCode, stderr).toBe(0);
}

/** `selector@domain result` for each signature, sorted. */
async function verdicts(messages: readonly Uint8Array[]): Promise<string[][]> {
  const table = Object.fromEntries(Object.entries(published).map(([name, record]) => [name, [record]]));
  return Promise.all(
    messages.map(async (signed) => {
      const { signatures } = await verifyMessage(signed, zone(table), { now: new Date() });
      return signatures
        .map(({ selector, domain, result, reason }) => `${selector}@${domain} ${reason ?? result}`)
        .sort();
    }),
  );
}

const MESSAGES = ["example.com", "example.net", "mail.example.net", "other.example"];

describe("rspamd", () => {
  const { skip, reason } = requirePeer("rspamd");

  test.skipIf(skip)(`signs twice from domain blocks, and for no other domain ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, KEYS);
    await exportTo(store, "rspamd", "--output", join(folder, "dkim_signing.conf"));
    const module = readFileSync(join(folder, "dkim_signing.conf"), "utf8");
    expect(await verdicts(await signWithRspamd(folder, MESSAGES.map(message), module))).toEqual([
      ["e1@example.com pass", "r1@example.com pass"],
      ["r1@example.net pass"],
      ["r2@mail.example.net pass"],
      [],
    ]);
  });

  test.skipIf(skip)(`import finds each key where rspamd does, whatever "$" stands in its path ${reason}`, async () => {
    const { folder } = signerFolder();
    const keyAt = (path: string, title: TestKey) =>
      writeFileSync(join(folder, path), encodePrivateKey(keys[title], "pkcs8"));
    keyAt("example.com.selectors", "example.com r1");
    keyAt("r1s.example.net-domain_", "example.net r1");
    keyAt("mail.example.net_DBDIR_r2", "mail.example.net r2");
    writeFileSync(join(folder, "selectors.map"), "example.net r1\nmail.example.net r2\n");
    const paths = [
      `example.net ${folder}/\${selector}s.$domain-\${domain_}`,
      `mail.example.net ${folder}/\${domain}_\${DBDIR}_$selector`,
    ];
    writeFileSync(join(folder, "paths.map"), paths.map((line) => `${line}\n`).join(""));
    const module = `use_esld = false; try_fallback = false;
selector_map = "${folder}/selectors.map"; path_map = "${folder}/paths.map";
domain { "example.com" { path = "${folder}/$domain.$selectors"; selector = "r1"; } }`;
    writeFileSync(join(folder, "key.table"), `x example.com:r1:${folder}/$domain.$selectors\n`);
    writeFileSync(join(folder, "signing.table"), "*@example.com x\n");
    const tables = `key_table = "${folder}/key.table"; signing_table = "${folder}/signing.table";`;
    for (const [text, expected] of [
      [module, [["r1@example.com pass"], ["r1@example.net pass"], ["r2@mail.example.net pass"], []]],
      [tables, [["r1@example.com pass"], [], [], []]],
    ] as const) {
      expect(await verdicts(await signWithRspamd(folder, MESSAGES.map(message), text))).toEqual(expected);
      const { entries } = readRspamd(text, "conf", (path) => readFileSync(path, "utf8"));
      const found = entries.filter(({ source }) => source.kind === "file" && existsSync(source.path));
      expect(found.map(({ name }) => `${name.selector}@${name.domain} pass`)).toEqual(expected.flat());
    }
  });

  for (const form of ["maps", "tables"]) {
    test.skipIf(skip)(`signs from ${form} ${reason}`, async () => {
      const { folder, store } = signerFolder();
      await storeKeys(store, ["example.com r1", "example.net r1", "mail.example.net r2"]);
      mkdirSync(join(folder, "maps"));
      await exportTo(store, "rspamd", "--form", form, "--output", join(folder, "maps"));
      const module = readFileSync(join(folder, "maps", "dkim_signing.conf"), "utf8");
      const signed = await signWithRspamd(folder, MESSAGES.map(message), module);
      expect(await verdicts(signed)).toEqual([
        ["r1@example.com pass"],
        ["r1@example.net pass"],
        ["r2@mail.example.net pass"],
        [],
      ]);
      expect(await verifyWithMailDkim(signed.slice(0, 3), published)).toEqual(["pass", "pass", "pass"]);
    });
  }

  const redis = requirePeer("rspamd", "redis-server", "redis-cli");
  test.skipIf(redis.skip)(`signs with keys in Redis ${redis.reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com r1", "example.com e1"]);
    const port = await startRedis(folder);
    await exportTo(store, "rspamd", "--form", "redis", "--output", join(folder, "redis.sh"));
    const script = readFileSync(join(folder, "redis.sh"), "utf8");
    await run("sh", ["-c", script.replaceAll("redis-cli ", `redis-cli -p ${port} `)]);
    const commented = script.slice(script.indexOf("# use_redis"), script.indexOf("set -e"));
    const top = `redis { servers = "127.0.0.1:${port}"; }`;
    const signed = await signWithRspamd(folder, [message("example.com")], commented.replaceAll(/^# /gm, ""), top);
    expect(await verdicts(signed)).toEqual([["e1@example.com pass", "r1@example.com pass"]]);
  });

  test.skipIf(skip)(`signs with keys in a Vault ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com r1", "example.com e1", "example.net r1"]);
    const documents = join(folder, "vault");
    mkdirSync(documents);
    await exportTo(store, "rspamd", "--form", "vault", "--reveal-private-key", "--output", documents);
    // What Vault's KV engine, version 1, answers with.
    const vault = createServer((request, response) => {
      const [, domain = ""] = /^\/v1\/dkim\/([a-z.]+)$/.exec(request.url ?? "") ?? [];
      const file = join(documents, `${domain}.json`);
      if (request.headers["x-vault-token"] !== "token" || !existsSync(file)) return void response.writeHead(404).end();
      response.end(JSON.stringify({ data: JSON.parse(readFileSync(file, "utf8")) }));
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void vault.close());
    await once(vault, "listening");
    const { port } = vault.address() as AddressInfo;
    const module = `use_vault = true; vault_url = "http://127.0.0.1:${port}"; vault_token = "token"; vault_path = "dkim"; use_esld = false;`;
    const signed = await signWithRspamd(folder, MESSAGES.slice(0, 2).map(message), module);
    expect(await verdicts(signed)).toEqual([["e1@example.com pass", "r1@example.com pass"], ["r1@example.net pass"]]);
  });
});

describe("opendkim", () => {
  const { skip, reason } = requirePeer("opendkim");

  test.skipIf(skip)(`signs from KeyTable and SigningTable, twice where there are two keys ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com r1", "example.net r1", "mail.example.net r2"]);
    const second = parseKeyName("example.net", "r3");
    const privateKey = keys["example.com r1"];
    await new DirectoryKeyStore({ path: store }).create(second, { privateKey, tags: {} });
    published[keyRecordName(second)] = recordOf(privateKey);
    mkdirSync(join(folder, "tables"));
    await exportTo(store, "opendkim", "--output", join(folder, "tables"));
    const signed = await signWithOpendkim(folder, MESSAGES.map(message), join(folder, "tables", "dkimctl.conf"));
    expect(await verdicts(signed)).toEqual([
      ["r1@example.com pass"],
      ["r1@example.net pass", "r3@example.net pass"],
      ["r2@mail.example.net pass"],
      [],
    ]);
  });

  const milter = requirePeer("opendkim", "miltertest");
  test.skipIf(milter.skip)(`signs as a milter, under its own user ${milter.reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com r1", "example.net r1", "mail.example.net r2"]);
    mkdirSync(join(folder, "tables"));
    await exportTo(store, "opendkim", "--output", join(folder, "tables"));
    const include = join(folder, "tables", "dkimctl.conf");
    // miltertest waits for an answer about the body of mail that opendkim has let pass at its header: no foreign domain here.
    const signed = await signWithOpendkimMilter(folder, MESSAGES.slice(0, 3).map(message), include);
    expect(await verdicts(signed)).toEqual([
      ["r1@example.com pass"],
      ["r1@example.net pass"],
      ["r2@mail.example.net pass"],
    ]);
    expect(await verifyWithMailDkim(signed, published)).toEqual(["pass", "pass", "pass"]);
  });

  test.skipIf(skip)(`signs other mail with the key of --catch-all ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com r1", "example.net r1"]);
    mkdirSync(join(folder, "tables"));
    await exportTo(store, "opendkim", "--output", join(folder, "tables"), "--catch-all", "example.com");
    const signed = await signWithOpendkim(folder, MESSAGES.map(message), join(folder, "tables", "dkimctl.conf"));
    expect(await verdicts(signed)).toEqual([
      ["r1@example.com pass"],
      ["r1@example.net pass"],
      ["r1@example.com pass"],
      ["r1@example.com pass"],
    ]);
  });

  test.skipIf(skip)(`signs with Ed25519 alone ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com e1"], "pkcs8");
    mkdirSync(join(folder, "tables"));
    await exportTo(store, "opendkim", "--output", join(folder, "tables"));
    const signed = await signWithOpendkim(folder, [message("example.com")], join(folder, "tables", "dkimctl.conf"));
    expect(await verdicts(signed)).toEqual([["e1@example.com pass"]]);
  });
});

describe("dkimpy-milter", () => {
  const { skip, reason: missing } = requirePeer("dkimpy-milter", "miltertest");
  const reason = isRoot ? missing : "(needs root, for the milter to become nobody)";
  test.skipIf(skip || !isRoot)(`signs with RSA and Ed25519 from its tables ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, ["example.com r1", "example.com e1"]);
    mkdirSync(join(folder, "tables"));
    await exportTo(store, "dkimpy-milter", "--output", join(folder, "tables"));
    const lines = readFileSync(join(folder, "tables", "dkimctl.conf"), "utf8");
    const signed = await signWithDkimpyMilter(folder, ["example.com", "other.example"].map(message), lines);
    expect(await verdicts(signed)).toEqual([["e1@example.com pass", "r1@example.com pass"], []]);
  });
});

describe("exim", () => {
  const { skip, reason: missing } = requirePeer("exim4");
  const reason = isRoot ? missing : "(needs root, who gives Exim its spool)";
  test.skipIf(skip || !isRoot)(`signs from the lsearch files, with RSA and Ed25519 ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, KEYS, "pkcs8");
    mkdirSync(join(folder, "dkim"));
    await exportTo(store, "exim", "--output", join(folder, "dkim"));
    const transport = readFileSync(join(folder, "dkim", "transport"), "utf8");
    expect(await verdicts(await signWithExim(folder, MESSAGES.map(message), transport))).toEqual([
      ["e1@example.com pass", "r1@example.com pass"],
      ["r1@example.net pass"],
      ["r2@mail.example.net pass"],
      [],
    ]);
  });
});

describe("amavisd", () => {
  const { skip, reason: missing } = requirePeer("amavisd");
  const reason = isRoot ? missing : "(needs root, who must own amavisd's configuration)";
  const titles = ["example.com r1", "example.net r1", "mail.example.net r2"] as const;

  test.skipIf(skip || !isRoot)(`signs, with expiry and catch-all ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, titles);
    handOver(store);
    const exported = join(folder, "52-dkim");
    await exportTo(store, "amavis", "--output", exported, "--ttl", "30d", "--catch-all", "example.com");
    const signed = await signWithAmavis(folder, MESSAGES.map(message), exported);
    const all = [
      ["r1@example.com pass"],
      ["r1@example.net pass"],
      ["r2@mail.example.net pass"],
      ["r1@example.com pass"],
    ];
    expect(await verdicts(signed)).toEqual(all);
    const [, t, x] = /\bt=(\d+);\s+x=(\d+)/.exec(signed[0]?.toString("latin1") ?? "") ?? [];
    // amavisd counts both from clocks of their own.
    expect(Math.abs(Number(x) - Number(t) - 30 * 86_400)).toBeLessThan(10);
    expect(await verifyWithMailDkim(signed, published)).toEqual(signed.map(() => "pass"));
  });

  const bind = requirePeer("amavisd", "named");
  test.skipIf(bind.skip || !isRoot)(`passes its own showkeys and testkeys ${reason}`, async () => {
    const { folder, store } = signerFolder();
    await storeKeys(store, titles);
    handOver(store);
    const exported = join(folder, "52-dkim");
    await exportTo(store, "amavis", "--output", exported);
    const conf = amavisConfiguration(folder, exported);
    const records = await run("amavisd", ["-c", conf, "showkeys"]);
    const root = `$TTL 60\n@ SOA ns. root. 1 60 60 60 60\n@ NS ns.\nns. A 127.0.0.1\n`;
    const named = await startNamed({ zones: { ".": root + records } });
    try {
      const resolver = `Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ['127.0.0.1'], port => ${named.port}));\n1;\n`;
      writeFileSync(conf, `${readFileSync(conf, "utf8")}use Net::DNS; use Mail::DKIM::DNS;\n${resolver}`);
      const output = await run("amavisd", ["-c", conf, "testkeys"]);
      expect(output.trim().split("\n").sort()).toEqual([
        "TESTING#1 example.com: r1._domainkey.example.com => pass",
        "TESTING#2 example.net: r1._domainkey.example.net => pass",
        "TESTING#3 mail.example.net: r2._domainkey.mail.example.net => pass",
      ]);
    } finally {
      await named.stop();
    }
  });
});
