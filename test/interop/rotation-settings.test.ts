import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { rotationFleet } from "../helpers/rotation-fleet.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";

const peer = requirePeer("named", "nsupdate", "dig");
const HOUR = 3_600_000;

describe.skipIf(peer.skip)(`settings of one run and of one domain ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  const server = () => `127.0.0.1#${zone.named.port}`;
  const nsupdate = () => `method = "nsupdate"\nserver = "${server()}"\nkey-file = "${zone.keyFile}"\n`;
  const options = () => [
    "--publish-method",
    "nsupdate",
    "--publish-server",
    server(),
    "--publish-key-file",
    zone.keyFile,
  ];

  test("rotate with everything as options", async () => {
    const domain = "options.example.test";
    const fleet = rotationFleet(zone.named.port, { publish: "", signer: false });
    const log = join(temporaryFolder(), "log");
    const append = (word: string) =>
      JSON.stringify([process.execPath, "-e", `fs.appendFileSync("${log}", "${word} ")`]);
    const argv = [
      ...["rotate", domain, ...options(), "--algorithms", "rsa,ed25519", "--bits", "1024", "--margin", "5s"],
      ...[
        "--selector-template",
        "{algorithm}x{n}",
        "--signer-activate",
        append("signer"),
        "--on-activate",
        append("hook"),
      ],
    ];
    expect(await fleet.run(...argv)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(fleet.states(domain)).toEqual({ rsax1: "published", ed25519x1: "published" });
    fleet.now += 7000;
    expect(await fleet.run(...argv)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(fleet.states(domain)).toEqual({ rsax1: "active", ed25519x1: "active" });
    expect(readFileSync(log, "utf8")).toBe("signer hook ");
  });

  test("publish and withdraw with the publisher as options", async () => {
    const domain = "hand3.example.test";
    const fleet = rotationFleet(zone.named.port, { publish: "", signer: false });
    await fleet.run("keygen", "-d", domain, "-s", "mail", "-t", "ed25519", "-q");
    expect(await fleet.run("publish", domain)).toMatchObject({ exitCode: 2 });
    expect(await fleet.run("publish", domain, ...options())).toMatchObject({ exitCode: 0 });
    expect(zone.txt(`mail._domainkey.${domain}`)).toHaveLength(1);
    expect(await fleet.run("withdraw", domain, "mail", ...options())).toMatchObject({ exitCode: 0 });
    expect(zone.txt(`mail._domainkey.${domain}`)).toEqual([]);
  });

  test("a domain with a publisher and a signer of its own, and one whose own are wrong, which stops nobody else", async () => {
    const log = join(temporaryFolder(), "log");
    const told = JSON.stringify([
      process.execPath,
      "-e",
      `fs.appendFileSync("${log}", (process.env.DKIMCTL_ACTION ?? "sign " + process.env.DKIMCTL_DOMAIN) + "\\n")`,
    ]);
    const fleet = rotationFleet(zone.named.port, {
      publish: `[publish]\n${nsupdate()}`,
      settings: `
[domain."own.example.test".publish]
method = "exec"
command = ${told}
[domain."wrong.example.test".publish]
method = "lexicon"
[domain."signer.example.test".signer]
activate = ${told}`,
    });
    const domains = ["own", "wrong", "signer", "plain"].map((name) => `${name}.example.test`);
    const first = await fleet.run("rotate", ...domains);
    expect(first).toMatchObject({ exitCode: 1 });
    expect(first.stderr.match(/^dkimctl: warning: .*$/gm)).toEqual([
      "dkimctl: warning: wrong.example.test: the method lexicon needs the setting publish.provider",
    ]);
    expect(readFileSync(log, "utf8")).toBe("publish\n");
    expect(Object.values(fleet.states("own.example.test"))).toEqual(["new"]);
    expect(Object.values(fleet.states("plain.example.test"))).toEqual(["published"]);
    fleet.now += 2 * HOUR;
    await fleet.run("rotate");
    expect(readFileSync(log, "utf8")).toMatch(/^(publish\n)+sign signer\.example\.test\n$/);
    expect(fleet.signs()).toMatch(/^plain\.example\.test k/);
    const publishing = await fleet.run("publish", "wrong.example.test");
    expect(publishing).toMatchObject({ exitCode: 2 });
    expect(publishing.stderr).toContain("[publish] provider = …; or give --publish-provider");
  });

  test("a publisher that all domains share and that is wrong ends the run before anything is made", async () => {
    const fleet = rotationFleet(zone.named.port, { publish: '[publish]\nmethod = "nsupdate"\n' });
    const run = await fleet.run("rotate", "never.example.test");
    expect(run).toMatchObject({ exitCode: 2, files: [] });
    expect(run.stderr).toContain("the method nsupdate needs the setting publish.server");
  });
});
