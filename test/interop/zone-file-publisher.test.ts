import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PublishError, type RecordChange } from "../../src/dns/publish/publisher.ts";
import { createZoneFilePublisher } from "../../src/dns/publish/zone-file-publisher.ts";
import { requirePeer } from "../helpers/peers.ts";
import { RELOADING_SERVERS, type ReloadingZone } from "../helpers/reloading-zone.ts";
import { rotationFleet } from "../helpers/rotation-fleet.ts";

const LONG = `v=DKIM1; k=rsa; p=${"A".repeat(392)}`;
const LONG_STRINGS = [[LONG.slice(0, 255), LONG.slice(255)]];
const REVOKED = "v=DKIM1; p=";

for (const { server, peers, start } of RELOADING_SERVERS) {
  const peer = requirePeer(...peers);
  describe.skipIf(peer.skip)(`zone-file and ${server} ${peer.reason}`, () => {
    let zone: ReloadingZone;
    beforeAll(async () => {
      zone = await start();
    });
    afterAll(() => zone?.stop());

    const settings = () => ({
      file: zone.include.replace(zone.zone, "{zone}"),
      serialFile: zone.master.replace(zone.zone, "{zone}"),
      check: zone.check,
      reload: zone.reload,
      env: { PATH: process.env.PATH },
      timeLimitMs: 10_000,
      now: Date.now,
    });
    const publisher = (more = {}) => createZoneFilePublisher({ ...settings(), ...more });
    const change = (name: string, before: RecordChange["before"], after: string | undefined) => ({
      ...{ name: `${name}._domainkey.${zone.zone}`, zone: zone.zone },
      ...{ ttlSeconds: 1, before, after },
    });
    const served = (name: string) => expect.poll(() => zone.txt(`${name}._domainkey.${zone.zone}`), { timeout: 5000 });

    test("published, revoked, withdrawn: each is served after the reload, under a serial of its own", async () => {
      const master = readFileSync(zone.master, "utf8");
      const first = zone.serial();
      await publisher().change(change("life", [], LONG));
      await served("life").toEqual([LONG]);
      await publisher().change(change("life", LONG_STRINGS, REVOKED));
      await served("life").toEqual([REVOKED]);
      await publisher().change(change("life", [[REVOKED]], undefined));
      await served("life").toEqual([]);
      await expect.poll(() => zone.serial()).toBe(first + 3);
      expect(readFileSync(zone.master, "utf8")).toBe(master.replace(` ${first} `, ` ${first + 3} `));
    });

    test("a zone that the check refuses: the file is put back, and the server is not asked", async () => {
      await publisher().change(change("good", [], REVOKED));
      await served("good").toEqual([REVOKED]);
      const before = readFileSync(zone.include, "utf8");
      const failing = publisher().change(change("alias", [], LONG));
      await expect(failing).rejects.toThrow(PublishError);
      await expect(failing).rejects.toThrow(
        /checkzone" refuses the zone example\.test: .*CNAME.*; .*was put back as it was$/,
      );
      await expect(failing).rejects.toHaveProperty("hint", expect.stringContaining(`checkzone ${zone.zone} `));
      expect(readFileSync(zone.include, "utf8")).toBe(before);
      await publisher().change(change("other", [], REVOKED));
      await served("other").toEqual([REVOKED]);
      await served("good").toEqual([REVOKED]);
    });

    test("a server that cannot be reached: the file is put back, and its serial is not lowered", async () => {
      await publisher().change(change("kept", [], REVOKED));
      await served("kept").toEqual([REVOKED]);
      const before = readFileSync(zone.include, "utf8");
      const serial = zone.serial();
      const failing = publisher({ reload: zone.failingReload }).change(change("down", [], LONG));
      await expect(failing).rejects.toThrow(/failed with exit status \d+.*; .* was put back as it was$/);
      expect(readFileSync(zone.include, "utf8")).toBe(before);
      expect(readFileSync(zone.master, "utf8")).toContain(` ${serial + 2} `);
    });

    test("what a killed run left in the file is put back to what the DNS has", async () => {
      await publisher().change(change("killed", [], REVOKED));
      await served("killed").toEqual([REVOKED]);
      await publisher({ reload: undefined }).change(change("killed", [[REVOKED]], LONG));
      const failing = publisher({ reload: zone.failingReload }).change(change("killed", [[REVOKED]], LONG));
      await expect(failing).rejects.toThrow("was put back as it was");
      expect(readFileSync(zone.include, "utf8")).toMatch(/^killed\._domainkey\..*"v=DKIM1; p="$/m);
    });

    test("rotate, proven at the authoritative server", { timeout: 60_000 }, async () => {
      const { file, serialFile, check, reload } = settings();
      const list = (words: readonly string[]) => JSON.stringify(words);
      const publish = `[publish]\nmethod = "zone-file"\nfile = "${file}"\nserial-file = "${serialFile}"
check = ${list(check)}\nreload = ${list(reload)}\n`;
      const fleet = rotationFleet(zone.port, { publish });
      expect(await fleet.run("rotate", zone.zone, "mail.example.test")).toMatchObject({ exitCode: 0, stderr: "" });
      await expect
        .poll(async () => (await fleet.run("testkeys", "--authoritative")).exitCode, { timeout: 10_000 })
        .toBe(0);
      await fleet.run("rotate");
      expect(Object.values(fleet.states(zone.zone))).toEqual(["published"]);
      expect(Object.values(fleet.states("mail.example.test"))).toEqual(["published"]);
    });
  });
}
