import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createExecPublisher } from "../../src/dns/publish/exec-publisher.ts";
import { createNsupdatePublisher } from "../../src/dns/publish/nsupdate-publisher.ts";
import { PublishAgainError, PublishError, type RecordChange } from "../../src/dns/publish/publisher.ts";
import { ProgramError } from "../../src/dns/publish/run-program.ts";
import { createZoneFilePublisher } from "../../src/dns/publish/zone-file-publisher.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { freePort } from "../helpers/free-port.ts";
import { findBinary, requirePeer } from "../helpers/peers.ts";
import { temporaryFolder } from "../helpers/store.ts";

const LONG = `v=DKIM1; k=rsa; p=${"A".repeat(392)}`;
const REVOKED = "v=DKIM1; p=";
const env = { PATH: process.env.PATH };

function change(name: string, before: RecordChange["before"], after: string | undefined): RecordChange {
  return { name: `${name}._domainkey.example.test`, zone: "example.test", ttlSeconds: 1, before, after };
}

/** Passes on what clients say, and cuts the connection, or keeps silent, when the server has answered. */
async function startDeafProxy(port: number, { hangs = false } = {}) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) sockets.add(socket.on("error", () => {}));
    client.pipe(upstream);
    upstream.on("data", () => {
      if (!hangs) client.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const nsupdatePeer = requirePeer("named", "nsupdate", "dig");

describe.skipIf(nsupdatePeer.skip)(`nsupdate and BIND ${nsupdatePeer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());
  const publisher = (keyFile: string | undefined = zone.keyFile, port = zone.named.port) =>
    createNsupdatePublisher({ server: { host: "127.0.0.1", port }, keyFile, env, timeLimitMs: 2000 });

  test("the whole life of a record", async () => {
    await publisher().change(change("life", [], LONG));
    expect(zone.txt("life._domainkey.example.test")).toEqual([LONG]);
    const strings = [[LONG.slice(0, 255), LONG.slice(255)]];
    await publisher().change(change("life", strings, REVOKED));
    expect(zone.txt("life._domainkey.example.test")).toEqual([REVOKED]);
    await publisher().change(change("life", [[REVOKED]], undefined));
    expect(zone.txt("life._domainkey.example.test")).toEqual([]);
  });

  test("a change whose answer was lost is asked for again, and is no error", async () => {
    for (let turn = 0; turn < 2; turn++) await publisher().change(change("lost", [], LONG));
    for (let turn = 0; turn < 2; turn++) {
      await publisher().change(change("lost", [[LONG.slice(0, 255), LONG.slice(255)]], REVOKED));
    }
    for (let turn = 0; turn < 2; turn++) await publisher().change(change("lost", [[REVOKED]], undefined));
    expect(zone.txt("lost._domainkey.example.test")).toEqual([]);
  });

  test("what somebody else has put there is not replaced (RFC 2136 §2.4)", async () => {
    const failing = publisher().change(change("foreign", [], LONG));
    await expect(failing).rejects.toThrow(PublishAgainError);
    await expect(failing).rejects.toThrow("is not what it was a moment ago (YXRRSET)");
    await expect(publisher().change(change("foreign", [["something else"]], LONG))).rejects.toThrow("(NXRRSET)");
    expect(zone.txt("foreign._domainkey.example.test")).toEqual(["v=spf1 -all"]);
  });

  test.each<[string, () => string | undefined, string]>([
    ["another secret", () => zone.wrongKeyFile, "does not accept the TSIG key"],
    ["a key without rights", () => zone.powerlessKeyFile, "refused the update (REFUSED)"],
    [
      "a key file that is not there",
      () => "/nonexistent.key",
      "the TSIG key /nonexistent.key cannot be read: no such file or directory",
    ],
  ])("%s is told as what it is", async (_, keyFile, message) => {
    const failing = publisher(keyFile()).change(change("refused", [], LONG));
    await expect(failing).rejects.toThrow(PublishError);
    await expect(failing).rejects.toThrow(message);
    expect(zone.txt("refused._domainkey.example.test")).toEqual([]);
  });

  test("a zone that the server does not have", async () => {
    const elsewhere = { ...change("x", [], LONG), name: "x._domainkey.example.net", zone: "example.net" };
    await expect(publisher().change(elsewhere)).rejects.toThrow("is not the primary of the zone");
  });

  test("a server that is down: later", async () => {
    const failing = publisher(zone.keyFile, await freePort()).change(change("down", [], LONG));
    await expect(failing).rejects.toThrow(PublishAgainError);
  });

  test("an answer that is lost after the update took effect: asked again, and no error", async () => {
    const proxy = await startDeafProxy(zone.named.port);
    const throughProxy = () => publisher(zone.keyFile, proxy.port);
    const failing = throughProxy().change(change("cut", [], LONG));
    await expect(failing).rejects.toThrow(PublishAgainError);
    await expect(failing).rejects.toThrow("does not answer updates");
    expect(zone.txt("cut._domainkey.example.test")).toEqual([LONG]);
    await publisher().change(change("cut", [], LONG));
    await expect(throughProxy().change(change("cut", undefined, undefined))).rejects.toThrow(PublishAgainError);
    await publisher().change(change("cut", [[LONG.slice(0, 255), LONG.slice(255)]], undefined));
    expect(zone.txt("cut._domainkey.example.test")).toEqual([]);
    await proxy.stop();
  });

  test("a server that takes the update and says nothing: the time limit holds", async () => {
    const proxy = await startDeafProxy(zone.named.port, { hangs: true });
    await expect(publisher(zone.keyFile, proxy.port).change(change("hang", [], REVOKED))).rejects.toThrow(
      PublishAgainError,
    );
    await proxy.stop();
    expect(zone.txt("hang._domainkey.example.test")).toEqual([REVOKED]);
  });

  test("a name from the DNS that is a command of nsupdate is refused", async () => {
    const evil = { ...change("x", [], LONG), name: "x\nupdate add evil.example.test 1 IN TXT evil" };
    await expect(publisher().change(evil)).rejects.toThrow("is no name that could be published");
  });
});

const zonePeer = requirePeer("named-checkzone");

describe("zone-file", () => {
  const file = () => join(temporaryFolder(), "{zone}.inc");
  const publisher = (path: string, reload?: readonly string[]) =>
    createZoneFilePublisher({ file: path, reload, env, timeLimitMs: 5000, now: Date.now });

  test.skipIf(zonePeer.skip)(`what it writes is what BIND reads ${zonePeer.reason}`, async () => {
    const path = file();
    const include = path.replace("{zone}", "example.test");
    await publisher(path).change(change("a", [], LONG));
    await publisher(path).change(change("b", [], LONG));
    await publisher(path).change(change("a", [[LONG]], REVOKED));
    const zone = join(temporaryFolder(), "zone");
    writeFileSync(zone, `$TTL 1\n@ SOA ns1 hostmaster 1 60 60 60 1\n@ NS ns1\nns1 A 127.0.0.1\n$INCLUDE ${include}\n`);
    const read = execFileSync(findBinary("named-checkzone") ?? "", ["-D", "-o", "-", "example.test", zone]).toString();
    expect(read).toMatch(/^a\._domainkey\.example\.test\.\s+1\s+IN\s+TXT\s+"v=DKIM1; p="$/m);
    expect(read.replaceAll('" "', "")).toContain(`"${LONG}"`);
    await publisher(path).change(change("a", [[REVOKED]], undefined));
    await publisher(path).change(change("b", [[LONG]], undefined));
    expect(readFileSync(include, "utf8")).toMatch(/^; written by dkimctl[^\n]*\n$/);
    expect(statSync(include).mode & 0o777).toBe(0o644);
  });

  test("the reload runs after each change, and again when nothing is left to change", async () => {
    const log = join(temporaryFolder(), "log");
    const reload = [
      process.execPath,
      "-e",
      "fs.appendFileSync(process.argv[1], process.argv[2] + '\\n')",
      log,
      "{zone}",
    ];
    const path = file();
    for (let turn = 0; turn < 2; turn++) await publisher(path, reload).change(change("a", [], LONG));
    expect(readFileSync(log, "utf8")).toBe("example.test\nexample.test\n");
  });

  test("a reload that fails is an error with its last words", async () => {
    const reload = [
      process.execPath,
      "-e",
      "console.error('first'); console.error('rndc: \\u001b[31mno'); process.exit(3)",
    ];
    await expect(publisher(file(), reload).change(change("a", [], LONG))).rejects.toThrow(
      /failed with exit status 3: rndc: \\027\[31mno; .* was put back as it was$/,
    );
  });

  test("the master file keeps its mode, and a link to it stays one; what is not understood is refused untouched", async () => {
    const folder = temporaryFolder();
    const [real, link, path] = [join(folder, "real"), join(folder, "link"), join(folder, "inc")];
    writeFileSync(real, "@ SOA ns1 root 4 1 1 1 1\n", { mode: 0o640 });
    symlinkSync(real, link);
    const raising = createZoneFilePublisher({ file: path, serialFile: link, env, timeLimitMs: 5000, now: Date.now });
    await raising.change(change("a", [], REVOKED));
    expect(readFileSync(real, "utf8")).toBe("@ SOA ns1 root 5 1 1 1 1\n");
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    const before = readFileSync(path, "utf8");
    writeFileSync(real, "@ SOA ns1 root @@SERIAL@@ 1 1 1 1\n");
    await expect(raising.change(change("b", [], REVOKED))).rejects.toThrow(
      /^the serial in .*link cannot be raised: line 1: its SOA record is not understood; .*inc was put back as it was$/,
    );
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("a file of somebody else is left alone", async () => {
    const path = join(temporaryFolder(), "zone");
    writeFileSync(path, "@ SOA ns1 hostmaster 1 60 60 60 1\n");
    await expect(publisher(path).change(change("a", [], LONG))).rejects.toThrow(
      "holds something that dkimctl did not write",
    );
    expect(readFileSync(path, "utf8")).toBe("@ SOA ns1 hostmaster 1 60 60 60 1\n");
  });
});

describe("exec", () => {
  const node = (script: string, timeLimitMs = 5000, ...more: string[]) =>
    createExecPublisher({ command: [process.execPath, "-e", script, ...more], env, timeLimitMs });

  test("is told everything twice, and no shell sees it", async () => {
    const log = join(temporaryFolder(), "log");
    const script = `
      const { DKIMCTL_ACTION, DKIMCTL_NAME, DKIMCTL_ZONE, DKIMCTL_TTL, DKIMCTL_RECORD } = process.env;
      const input = JSON.parse(fs.readFileSync(0, "utf8"));
      fs.writeFileSync(process.argv[1], JSON.stringify([[DKIMCTL_ACTION, DKIMCTL_NAME, DKIMCTL_ZONE, DKIMCTL_TTL, DKIMCTL_RECORD], input]));`;
    await node(script, 5000, log).change(change("a", [], "$(touch x); p=`id`"));
    const name = "a._domainkey.example.test";
    expect(JSON.parse(readFileSync(log, "utf8"))).toEqual([
      ["publish", name, "example.test", "1", "$(touch x); p=`id`"],
      { action: "publish", name, zone: "example.test", ttl: 1, record: "$(touch x); p=`id`" },
    ]);
  });

  test.each<[string, string, string]>([
    ["fails", "process.exit(7)", "failed with exit status 7"],
    ["hangs, and its children with it", "require('child_process').spawnSync('sleep', ['60'])", "was ended after 0.5 s"],
    ["is killed", "process.kill(process.pid, 'SIGKILL')", "was killed"],
  ])("one that %s", async (_, script, message) => {
    const failing = node(script, 500).change(change("a", [], LONG));
    await expect(failing).rejects.toThrow(ProgramError);
    await expect(failing).rejects.toThrow(message);
  });

  test("one that is not there", async () => {
    const missing = createExecPublisher({ command: ["/nonexistent/program"], env, timeLimitMs: 500 });
    await expect(missing.change(change("a", [], LONG))).rejects.toThrow("there is no such program");
  });
});
