import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { parseStoreAddress } from "../../src/keys/store-address.ts";
import { openVaultKeyStore } from "../../src/keys/vault/open-vault.ts";
import { type VaultAddress, vaultOrigin } from "../../src/keys/vault/vault-address.ts";
import { VaultClient } from "../../src/keys/vault/vault-client.ts";
import { type VaultCredentials, vaultCredentials } from "../../src/keys/vault/vault-credentials.ts";
import { NOT_YET } from "../../src/keys/vault/vault-document.ts";
import { VaultDocuments } from "../../src/keys/vault/vault-documents.ts";
import { VaultKeyStore } from "../../src/keys/vault/vault-key-store.ts";
import type { Journal, KeyState } from "../../src/rotation/rotation-key.ts";
import { VaultJournalStore } from "../../src/rotation/vault-journal-store.ts";
import { requirePeer } from "../helpers/peers.ts";
import { temporaryFolder, testKey } from "../helpers/store.ts";
import { startVault, type VaultFault, type VaultServer, type VaultServerOptions } from "../helpers/vault-server.ts";
import { describeKeyStore } from "./key-store-conformance.ts";

const MAIL = parseKeyName("example.com", "mail");
const DOCUMENT = "dkim/example.com";

function open(
  vault: VaultServer,
  credentials: VaultCredentials = { kind: "token", token: vault.token },
  namespace?: string,
) {
  const client = new VaultClient({ origin: vault.origin, credentials, namespace, timeoutMs: 500 });
  const documents = new VaultDocuments(client, `${vault.mount}/dkim`);
  return { store: new VaultKeyStore(documents), journals: new VaultJournalStore(documents), documents };
}

async function opened(options?: VaultServerOptions) {
  const vault = await startVault(options);
  return { vault, ...open(vault) };
}

describeKeyStore(
  "Vault, KV version 2",
  async () => {
    const vault = await startVault({ casRequired: true });
    return { ...open(vault), another: async () => open(vault) };
  },
  { leases: true, keepsLooks: false },
);

function journal(state: KeyState, at: number): Journal {
  const key = {
    selector: MAIL.selector,
    algorithm: "ed25519",
    staleSeconds: 0,
    ttlSeconds: 60,
    record: "v=DKIM1; p=A",
  } as const;
  return { domain: "example.com", keys: [{ ...key, state, entered: { new: 1, [state]: at } }] };
}

interface Selectors {
  readonly selectors: readonly Record<string, unknown>[];
}

describe("the document that rspamd reads", () => {
  test("a new key does not sign before somebody says so; other programs' members stay", async () => {
    const { vault, store } = await opened();
    vault.put(DOCUMENT, { owner: "mail team", selectors: [{ selector: "old", key: "AAAA", note: "by hand" }] });
    await store.create(MAIL, testKey(1, { flags: ["s"] }));
    const { selectors, owner } = vault.stored(DOCUMENT) as Selectors & { owner: string };
    expect(owner).toBe("mail team");
    expect(selectors[0]).toEqual({ selector: "old", key: "AAAA", note: "by hand" });
    expect(selectors[1]).toMatchObject({
      selector: "mail",
      domain: "example.com",
      alg: "ed25519",
      valid_start: NOT_YET,
    });
    expect(Buffer.from(String(selectors[1]?.key), "base64")).toHaveLength(64);
  });

  test.each<[KeyState, number | undefined, number | undefined]>([
    ["new", NOT_YET, undefined],
    ["ready", NOT_YET, undefined],
    ["active", 1_700_000_000, undefined],
    ["draining", 1_700_000_000, 1_700_000_000],
    ["tombstone", 1_700_000_000, 1_700_000_000],
  ])("a key that is %s signs from %s until %s", async (state, start, end) => {
    const { vault, store, journals } = await opened();
    await store.create(MAIL, testKey(1));
    const lease = await (await journals.begin()).lease(MAIL.domain);
    await lease?.writeJournal(journal(state, 1_700_000_000_999));
    const [entry] = (vault.stored(DOCUMENT) as Selectors).selectors;
    expect([entry?.valid_start, entry?.valid_end]).toEqual([start, end]);
  });

  test("what is no document of keys is a problem of its own, and is never changed", async () => {
    const { vault, store } = await opened();
    vault.put("dkim/a.example", { selectors: "none" });
    vault.put("dkim/b.example", { selectors: [{ selector: "s" }] });
    vault.put("dkim/c.example", {
      selectors: [
        { selector: "s1", key: "x" },
        { selector: "S1", key: "y" },
        { selector: "s2", key: "z", domain: "d.example" },
      ],
    });
    vault.put("dkim/no domain", { selectors: [] });
    vault.put("dkim/folder/x", { selectors: [] });
    const seen: string[] = [];
    for await (const entry of store.list())
      seen.push(entry.kind === "key" ? `key ${entry.name.domain} ${entry.name.selector}` : entry.reason);
    expect(seen).toEqual([
      expect.stringContaining('"selectors" is no list'),
      expect.stringContaining("entry 1 lacks selector or key"),
      "key c.example s1",
      "a second key of the same selector",
      "the document of c.example holds a key of d.example",
      expect.stringContaining("folder/"),
      expect.stringContaining("no domain"),
    ]);
    await expect(store.create(parseKeyName("a.example", "new"), testKey(1))).rejects.toMatchObject({
      code: "DKIM_KEY_FILE",
    });
    await expect(store.read(parseKeyName("c.example", "s1"))).rejects.toMatchObject({
      message: expect.stringContaining("2 keys"),
    });
    expect(vault.stored("dkim/a.example")).toEqual({ selectors: "none" });
  });

  test("no version of a document keeps a key that is gone", async () => {
    const { vault, store } = await opened();
    await store.create(MAIL, testKey(1));
    await store.create(parseKeyName("example.com", "other"), testKey(2));
    const secret = String((vault.stored(DOCUMENT) as Selectors).selectors[0]?.key);
    await store.remove(MAIL);
    expect(JSON.stringify(vault.versions(DOCUMENT))).not.toContain(secret);
    expect((vault.stored(DOCUMENT) as Selectors).selectors).toHaveLength(1);
    expect(vault.stored(DOCUMENT)).not.toHaveProperty("dkimctl.destroy");
  });

  test("a run that was cut off before it could destroy old versions is followed by one that does", async () => {
    const { vault, store } = await opened();
    await store.create(MAIL, testKey(1));
    const secret = String((vault.stored(DOCUMENT) as Selectors).selectors[0]?.key);
    vault.denied = ["POST secret/destroy"];
    await expect(store.remove(MAIL)).rejects.toMatchObject({
      message: expect.stringContaining("secret/destroy/dkim/example.com"),
    });
    expect(vault.stored(DOCUMENT)).toMatchObject({ selectors: [], dkimctl: { destroy: 1 } });
    vault.denied = [];
    await expect(store.remove(MAIL)).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
    expect(JSON.stringify(vault.versions(DOCUMENT))).not.toContain(secret);
  });
});

describe("KV version 1", () => {
  test("keys are kept and listed, with one warning", async () => {
    const { vault, store } = await opened({ kv: 1 });
    await store.create(MAIL, testKey(1));
    await store.create(parseKeyName("example.com", "s2"), testKey(2));
    expect((vault.stored(DOCUMENT) as Selectors).selectors).toHaveLength(2);
    expect((await store.read(MAIL)).warnings).toEqual([expect.stringContaining("version 1")]);
    expect((await store.read(MAIL)).warnings).toEqual([]);
    await store.remove(MAIL);
    await expect(store.read(MAIL)).rejects.toMatchObject({ code: "DKIM_KEY_NOT_FOUND" });
  });

  test("does not rotate: it cannot refuse a write that comes too late", async () => {
    const { journals } = await opened({ kv: 1 });
    await expect(journals.begin()).rejects.toMatchObject({
      message: expect.stringContaining("KV version 2"),
      hint: expect.stringContaining("enable-versioning"),
    });
  });
});

describe("faults", () => {
  test.each<[VaultFault, number]>([
    ["cut-before", 8],
    ["cut-after", 8],
    ["silent", 8],
    ["error", 8],
    ["sealed", 8],
    ["standby", 8],
  ])(
    "%s at any request: the key is made, or it is told that it is not",
    async (fault, requests) => {
      for (let at = 0; at < requests; at++) {
        const { vault, store } = await opened();
        await store.create(parseKeyName("example.com", "first"), testKey(9));
        const from = vault.requests.length;
        vault.fault = (_, index) => (index === from + at ? fault : undefined);
        const outcome = await store.create(MAIL, testKey(1)).then(
          () => "made",
          (error: { exitCode: number }) => error.exitCode,
        );
        vault.fault = () => undefined;
        const stored = (vault.stored(DOCUMENT) as Selectors).selectors.map(({ selector }) => selector);
        expect(stored, `${at}`).toEqual(outcome === "made" ? ["first", "mail"] : ["first"]);
        expect(["made", 4], `${at}`).toContain(outcome);
      }
    },
    30_000,
  );

  test("a fault at any request of a rotation's write: written, or told", async () => {
    for (const fault of ["cut-before", "cut-after"] as const) {
      for (let at = 0; at < 6; at++) {
        const { vault, store, journals } = await opened();
        const lease = await (await journals.begin()).lease(MAIL.domain);
        await lease?.writeJournal(journal("new", 1));
        const from = vault.requests.length;
        vault.fault = (_, index) => (index === from + at ? fault : undefined);
        const outcome = await lease?.createKey(MAIL, testKey(1), journal("published", 2)).then(
          () => "made",
          (error: { exitCode: number }) => error.exitCode,
        );
        vault.fault = () => undefined;
        const state = (await journals.read(MAIL.domain))?.keys[0]?.state;
        const isThere = await store.read(MAIL).then(
          () => true,
          () => false,
        );
        expect([state, isThere], `${fault} ${at}`).toEqual(outcome === "made" ? ["published", true] : ["new", false]);
      }
    }
  });

  test("a server that answers no write: later, and not for ever", async () => {
    const { vault, journals } = await opened();
    const lease = await (await journals.begin()).lease(MAIL.domain);
    vault.fault = (request) => (request.startsWith("POST") ? "cut-before" : undefined);
    await expect(lease?.writeJournal(journal("new", 1))).rejects.toMatchObject({ exitCode: 4 });
  });

  test("a full server", async () => {
    const { vault, store } = await opened();
    vault.fault = () => "full";
    await expect(store.create(MAIL, testKey(1))).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining("no space left"),
    });
  });

  test.each([
    ["GET secret/data", "read"],
    ["LIST secret/metadata", "list"],
    ["POST secret/data", "create"],
  ])("without the right to %s", async (rule, verb) => {
    const { vault, store } = await opened();
    vault.denied = [rule];
    const use = async () => {
      if (verb === "read") await store.read(MAIL);
      else if (verb === "create") await store.create(MAIL, testKey(1));
      else for await (const _ of store.list());
    };
    await expect(use()).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/does not allow (GET|POST) \/v1\/secret\//),
      hint: expect.stringContaining("vault token lookup"),
    });
  });

  test("a worker that was paused for longer than its lease changes nothing when it wakes", async () => {
    const { vault, journals } = await opened();
    const paused = await (await journals.begin()).lease(MAIL.domain);
    await paused?.writeJournal(journal("new", 1));
    vault.clockAheadMs = 6 * 60_000;
    const next = await (await open(vault).journals.begin()).lease(MAIL.domain);
    await next?.writeJournal(journal("published", 2));
    await expect(paused?.writeJournal(journal("ready", 3))).rejects.toMatchObject({
      code: "DKIM_LEASE_LOST",
      exitCode: 4,
    });
    await expect(paused?.createKey(MAIL, testKey(1), journal("ready", 3))).rejects.toMatchObject({
      code: "DKIM_LEASE_LOST",
    });
    expect((await journals.read(MAIL.domain))?.keys[0]?.state).toBe("published");
  });
});

describe("logging in", () => {
  test("with an AppRole, and again when its token has run out", async () => {
    const vault = await startVault();
    const { store } = open(vault, {
      kind: "approle",
      roleId: vault.roleId,
      secretId: vault.secretId,
      mount: "approle",
    });
    await store.create(MAIL, testKey(1));
    vault.expireTokens();
    expect((await store.read(MAIL)).name).toEqual(MAIL);
    expect(vault.requests.filter((line) => line === "POST auth/approle/login")).toHaveLength(2);
  });

  test.each([
    [
      "a wrong secret ID",
      { kind: "approle", roleId: "role-of-dkimctl", secretId: "guess-guess", mount: "approle" } as const,
    ],
    ["a wrong token", { kind: "token", token: "hvs.guess-guess" } as const],
  ])("with %s", async (_, credentials) => {
    const vault = await startVault();
    const { store } = open(vault, credentials);
    const error: Error & { hint?: string } = await store.read(MAIL).catch((reason) => reason);
    expect(error).toMatchObject({ exitCode: 3 });
    expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain("guess");
  });

  test("in a namespace", async () => {
    const vault = await startVault({ namespace: "team/mail" });
    await expect(open(vault).store.read(MAIL)).rejects.toMatchObject({ exitCode: 3 });
    const { store } = open(vault, { kind: "token", token: vault.token }, "team/mail");
    await store.create(MAIL, testKey(1));
    expect((await store.read(MAIL)).name.domain).toBe(parseDomainName("example.com"));
  });
});

test.each([
  ["https://vault.example", "https://vault.example:443"],
  ["https://vault.example:443/", "https://vault.example:443"],
  ["https://vault.example:8200", "https://vault.example:8200"],
  ["http://127.0.0.1", "http://127.0.0.1:80"],
  ["https://[2001:db8::1]:8200", "https://[2001:db8::1]:8200"],
])("VAULT_ADDR=%s is read as vault reads it", (text, origin) => expect(vaultOrigin(text)).toBe(origin));

describe("over TLS", () => {
  const { skip, reason } = requirePeer("openssl");

  test.skipIf(skip)(`with a certificate of one's own, and never with one that is not trusted ${reason}`, async () => {
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=vault", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", cert, ...subject],
      {
        stdio: "ignore",
      },
    );
    const vault = await startVault({ tls: { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") } });
    const text = `vault://${new URL(vault.origin).host}/secret/dkim`;
    const env = { VAULT_TOKEN: vault.token };
    const openAt = (address: string) =>
      openVaultKeyStore(parseStoreAddress(address) as VaultAddress, { env, readFile: (path) => readFileSync(path) });
    await openAt(`${text}?ca=${cert}`).create(MAIL, testKey(1));
    await expect(openAt(text).read(MAIL)).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/self.signed/),
    });
    expect(vault.requests).toHaveLength(3);
  });
});

/** DKIMCTL_TEST_VAULT_ADDR=http://127.0.0.1:8200/secret/dkimctl-test, with VAULT_TOKEN: the same promises of a real server. */
const real = process.env.DKIMCTL_TEST_VAULT_ADDR;
if (real !== undefined) {
  const { origin, pathname } = new URL(real);
  describeKeyStore(
    `Vault at ${origin}`,
    async () => {
      const path = `${pathname.slice(1)}/${randomUUID()}`;
      const openReal = () => {
        const credentials = vaultCredentials(process.env, (file) => readFileSync(file, "utf8"));
        const documents = new VaultDocuments(new VaultClient({ origin, credentials }), path);
        return { store: new VaultKeyStore(documents), journals: new VaultJournalStore(documents) };
      };
      return { ...openReal(), another: async () => openReal() };
    },
    { leases: true, keepsLooks: false },
  );
}
