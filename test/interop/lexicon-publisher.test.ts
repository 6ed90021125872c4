import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLexiconPublisher } from "../../src/dns/publish/lexicon-publisher.ts";
import { PublishAgainError, PublishError, type RecordChange } from "../../src/dns/publish/publisher.ts";
import { freePort } from "../helpers/free-port.ts";
import { requirePeer } from "../helpers/peers.ts";
import { POWERDNS_PEERS, type PowerDns, startPowerDns } from "../helpers/powerdns.ts";
import { onlyIn, type RotationFleet, rotationFleet } from "../helpers/rotation-fleet.ts";
import { temporaryFolder } from "../helpers/store.ts";

/** With a "/": some of lexicon's providers take their own identifiers apart at it. */
const LONG = `v=DKIM1; k=rsa; p=${"A/".repeat(196)}`;
const LONG_STRINGS = [[LONG.slice(0, 255), LONG.slice(255)]];
const REVOKED = "v=DKIM1; p=";
const ZONE = "example.org";

function change(name: string, before: RecordChange["before"], after: string | undefined): RecordChange {
  return { name: `${name}._domainkey.${ZONE}`, zone: ZONE, ttlSeconds: 2, before, after };
}

const peer = requirePeer("lexicon", ...POWERDNS_PEERS);

describe.skipIf(peer.skip)(`lexicon and PowerDNS ${peer.reason}`, () => {
  let pdns: PowerDns;
  beforeAll(async () => {
    pdns = await startPowerDns([ZONE]);
  });
  afterAll(() => pdns?.stop());

  function configuration(apiKey = pdns.apiKey, api = pdns.api): string {
    const folder = join(temporaryFolder(), "lexicon");
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, "lexicon_powerdns.yml"), `auth_token: ${apiKey}\npdns_server: "${api}"\n`, {
      mode: 0o600,
    });
    return folder;
  }
  /** lexicon keeps its list of public suffixes at home. */
  const env = () => ({ PATH: process.env.PATH, HOME: temporaryFolder() });
  const publisher = (more: Partial<Parameters<typeof createLexiconPublisher>[0]> = {}) =>
    createLexiconPublisher({
      provider: "powerdns",
      configDir: configuration(),
      env: env(),
      timeLimitMs: 20_000,
      ...more,
    });
  const txt = (name: string) => pdns.txt(`${name}._domainkey.${ZONE}`);

  test("the whole life of a record, each step asked for twice", async () => {
    for (let turn = 0; turn < 2; turn++) {
      await publisher().change(change("life", [], LONG));
      expect(txt("life")).toEqual([LONG]);
    }
    for (let turn = 0; turn < 2; turn++) {
      await publisher().change(change("life", LONG_STRINGS, REVOKED));
      expect(txt("life")).toEqual([REVOKED]);
    }
    for (let turn = 0; turn < 2; turn++) {
      await publisher().change(change("life", [[REVOKED]], undefined));
      expect(txt("life")).toEqual([]);
    }
  });

  test("strings of its own, for providers that do not divide", async () => {
    await publisher({ splitStrings: true }).change(change("split", [], LONG));
    expect(txt("split")).toEqual([LONG]);
    await publisher({ splitStrings: true }).change(change("split", LONG_STRINGS, REVOKED));
    expect(txt("split")).toEqual([REVOKED]);
  });

  test("what somebody else has put there is not replaced", async () => {
    await pdns.replace(ZONE, `foreign._domainkey.${ZONE}`, "TXT", '"v=spf1 -all"');
    const failing = publisher().change(change("foreign", [], LONG));
    await expect(failing).rejects.toThrow(PublishAgainError);
    await expect(failing).rejects.toThrow("the provider has another record at foreign._domainkey.example.org");
    expect(txt("foreign")).toEqual(["v=spf1 -all"]);
    await publisher().change(change("foreign", [["v=spf1 -all"]], LONG));
    expect(txt("foreign")).toEqual([LONG]);
  });

  test("a run that was killed between removing and making, or that left two records, is repaired", async () => {
    await publisher().change(change("killed", LONG_STRINGS, REVOKED));
    expect(txt("killed")).toEqual([REVOKED]);
    await publisher().change(change("killed", [[REVOKED]], undefined));
    const api = `${pdns.api}/api/v1/servers/localhost/zones/${ZONE}.`;
    const records = [REVOKED, "v=DKIM1; p=AAAA"].map((text) => ({ content: `"${text}"`, disabled: false }));
    const name = `killed._domainkey.${ZONE}.`;
    await fetch(api, {
      method: "PATCH",
      headers: { "X-API-Key": pdns.apiKey },
      body: JSON.stringify({ rrsets: [{ name, type: "TXT", ttl: 1, changetype: "REPLACE", records }] }),
    });
    await publisher().change(change("killed", [["v=DKIM1; p=AAAA"]], REVOKED));
    expect(txt("killed")).toEqual([REVOKED]);
  });

  test("the credentials are no argument", async () => {
    const log = join(temporaryFolder(), "log");
    const program = join(temporaryFolder(), "lexicon");
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${log}\nexec lexicon "$@"\n`, { mode: 0o755 });
    await publisher({ program }).change(change("argv", [], REVOKED));
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("create example.org TXT --name argv._domainkey.example.org");
    expect(lines.join("")).not.toContain(pdns.apiKey);
  });

  test("another API key is told as what it is", async () => {
    const failing = publisher({ configDir: configuration("wrong-key") }).change(change("denied", [], LONG));
    await expect(failing).rejects.toThrow(PublishError);
    await expect(failing).rejects.toThrow(/^powerdns does not accept the credentials: .*401.* for url: http:\/\/127/);
  });

  test("a server that is down: later", async () => {
    const configDir = configuration(undefined, `http://127.0.0.1:${await freePort()}`);
    const failing = publisher({ configDir }).change(change("down", [], LONG));
    await expect(failing).rejects.toThrow(PublishAgainError);
    await expect(failing).rejects.toThrow("powerdns does not answer: ");
  });

  test("a zone that the account does not have, and a provider that lexicon does not know", async () => {
    const elsewhere = { ...change("x", [], LONG), name: "x._domainkey.example.net", zone: "example.net" };
    await expect(publisher().change(elsewhere)).rejects.toThrow(/^powerdns does not have the zone example\.net: /);
    await expect(publisher({ provider: "nobody" }).change(change("x", [], LONG))).rejects.toThrow(
      "this lexicon cannot speak to the provider nobody",
    );
  });

  test.each<[string, (folder: string) => void, RegExp]>([
    [
      "a file that others read",
      (folder) => chmodSync(join(folder, "lexicon_powerdns.yml"), 0o640),
      /can be read by others \(mode 0640\)/,
    ],
    ["a folder that others change", (folder) => chmodSync(folder, 0o770), /can be changed by others \(mode 0770\)/],
  ])("%s is refused", async (_, open, message) => {
    const configDir = configuration();
    open(configDir);
    await expect(publisher({ configDir }).change(change("open", [], LONG))).rejects.toThrow(message);
    expect(txt("open")).toEqual([]);
  });
});

describe.skipIf(peer.skip)(`rotate with lexicon and PowerDNS ${peer.reason}`, () => {
  const HOUR = 3_600_000;
  const DAY = 24 * HOUR;
  const domain = "mail.example.org";
  let pdns: PowerDns;
  beforeAll(async () => {
    pdns = await startPowerDns([ZONE, "provider.org"]);
    for (const selector of ["s1", "s2", "s3"]) {
      await pdns.replace(ZONE, `${selector}._domainkey.${domain}`, "CNAME", `${selector}.customer.provider.org.`);
    }
  });
  afterAll(() => pdns?.stop());

  function fleet(settings = ""): RotationFleet {
    const configDir = temporaryFolder();
    writeFileSync(join(configDir, "lexicon_powerdns.yml"), `auth_token: ${pdns.apiKey}\npdns_server: ${pdns.api}\n`, {
      mode: 0o600,
    });
    const publish = `[publish]\nmethod = "lexicon"\nprovider = "powerdns"\nconfig-dir = "${configDir}"\n`;
    return rotationFleet(pdns.port, { publish, settings });
  }

  test("from the first key to one that is gone, proven at the authoritative server", { timeout: 60_000 }, async () => {
    const one = fleet();
    expect(await one.run("rotate", ZONE)).toMatchObject({ exitCode: 0, stderr: "" });
    one.now += 2 * HOUR;
    await one.run("rotate");
    const [old = ""] = onlyIn(one.states(ZONE), "active");
    expect(await one.run("testkeys", "--authoritative")).toMatchObject({ exitCode: 0 });
    expect(await one.run("rotate", "--now")).toMatchObject({ exitCode: 0, stderr: "" });
    one.now += 2 * HOUR;
    await one.run("rotate");
    one.now += 7 * DAY;
    expect(await one.run("rotate")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(pdns.txt(`${old}._domainkey.${ZONE}`)).toEqual([REVOKED]);
    one.now += 30 * DAY;
    expect(await one.run("rotate")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(one.states(ZONE)[old]).toBe("gone");
    expect(pdns.txt(`${old}._domainkey.${ZONE}`)).toEqual([]);
  });

  test("names that are CNAMEs into another zone of the provider", async () => {
    const ring = fleet('selector-ring = ["s1", "s2", "s3"]\n');
    expect(await ring.run("rotate", domain)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ring.states(domain)).toEqual({ s1: "published" });
    expect(pdns.txt("s1.customer.provider.org")).toEqual([expect.stringContaining("k=ed25519")]);
    expect(await ring.run("testkeys", domain, "--authoritative")).toMatchObject({ exitCode: 0 });
  });
});

describe("a lexicon that says too much, or nonsense", () => {
  /** No provider that can run here puts its secrets in URLs. */
  function publisherThatSays(words: string, exitCode: number) {
    const folder = temporaryFolder();
    const program = join(folder, "program");
    writeFileSync(program, `#!/bin/sh\ncat <<'END'\n${words}\nEND\nexit ${exitCode}\n`, { mode: 0o755 });
    writeFileSync(join(folder, "lexicon_fake.yml"), `auth_token: "tell-nobody" # really\nauth_username: someone\n`, {
      mode: 0o600,
    });
    const env = { PATH: process.env.PATH, LEXICON_FAKE_TOKEN: "nor-this" };
    return createLexiconPublisher({ provider: "fake", configDir: folder, env, timeLimitMs: 5000, program });
  }

  test("secrets are not repeated", async () => {
    const said = "requests.HTTPError: 401 for url: https://me:pw@api.example/x?key=abc&d=1 (tell-nobody, nor-this)";
    await expect(publisherThatSays(said, 1).change(change("a", [], LONG))).rejects.toThrow(
      /: requests\.HTTPError: 401 for url: https:\/\/api\.example\/x\?\*\*\* \(\*\*\*, \*\*\*\)$/,
    );
  });

  test("a list that is none", async () => {
    const failing = (said: string) => publisherThatSays(said, 0).change(change("a", [], LONG));
    const told = "lexicon's list of what is at a._domainkey.example.org cannot be read";
    await expect(failing("true")).rejects.toThrow(`${told}: true`);
    await expect(failing("[tell-nobody]")).rejects.toThrow(`${told}: [***]`);
    expect(await failing("[nor-this]").catch(({ cause }: Error) => cause)).toBeUndefined();
  });

  test("names within the zone, dots at the end, quotes and records at other names", async () => {
    const rows = [
      { type: "TXT", name: "a._domainkey", content: '"v=DKIM1;" " p="' },
      { type: "TXT", name: "b._domainkey.example.org.", content: "something" },
      { type: "CNAME", name: "a._domainkey.example.org.", content: "x" },
    ];
    const said = `a warning\n${JSON.stringify(rows)}`;
    await publisherThatSays(said, 0).change(change("a", [], REVOKED));
    await expect(publisherThatSays(said, 0).change(change("b", [], REVOKED))).rejects.toThrow(PublishAgainError);
  });

  test("a record that providers read differently is refused", async () => {
    const note = change("a", [], 'v=DKIM1; n="x"; p=');
    await expect(publisherThatSays("[]", 0).change(note)).rejects.toThrow("cannot be trusted with a record");
  });
});
