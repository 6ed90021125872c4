import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { onlyIn, type RotationFleet, rotationFleet } from "../helpers/rotation-fleet.ts";

const peer = requirePeer("named", "nsupdate", "dig");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** No publisher mends anything here, so that a fault lasts until somebody does. */
const IDLE = `[publish]\nmethod = "exec"\ncommand = ["true"]\n`;

describe.skipIf(peer.skip)(`which domains a run of rotate looks at ${peer.reason}`, () => {
  let zone: DynamicZone;
  beforeAll(async () => {
    zone = await startDynamicZone();
  });
  afterAll(() => zone?.stop());

  function change(name: string, record: string | undefined): void {
    const add = record === undefined ? "" : `update add ${name}. 1 IN TXT "${record}"\n`;
    execFileSync("nsupdate", ["-k", zone.keyFile], {
      input: `server 127.0.0.1 ${zone.named.port}\nzone ${zone.zone}.\nupdate delete ${name}. TXT\n${add}send\n`,
    });
  }

  /** One domain whose key signs, and which a run has found as it should be. */
  async function settled(domain: string, settings = ""): Promise<RotationFleet & { name: string; record: string }> {
    const fleet = rotationFleet(zone.named.port, { publish: IDLE, settings });
    await fleet.run("rotate", domain);
    const [selector = ""] = Object.keys(fleet.states(domain));
    const name = `${selector}._domainkey.${domain}`;
    const record = (await fleet.run("showkeys", domain, "--format", "value")).stdout.trim();
    change(name, record);
    fleet.now += HOUR;
    await fleet.run("rotate");
    fleet.now += 2 * HOUR;
    await fleet.run("rotate");
    expect(onlyIn(fleet.states(domain), "active")).toEqual([selector]);
    fleet.questions = 0;
    return Object.assign(fleet, { name, record });
  }

  test("with nothing due the DNS is asked nothing until look-again has passed", async () => {
    const calm = await settled("calm.example.test");
    for (const minutes of [0, 10, 19]) {
      calm.now += minutes * MINUTE;
      expect(await calm.run("rotate")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
      expect(calm.questions).toBe(0);
    }
    const { stdout } = await calm.run("rotate", "--json");
    expect(JSON.parse(stdout).domains).toEqual([
      {
        domain: "calm.example.test",
        steps: [],
        waits: [{ selector: null, what: "the next look", until: "2026-11-21T15:30:00.000Z" }],
        findings: [],
      },
    ]);
    calm.now += MINUTE;
    await calm.run("rotate");
    expect(calm.questions).toBeGreaterThan(0);
    // And so it goes on from there.
    calm.questions = 0;
    calm.now += 29 * MINUTE;
    await calm.run("rotate");
    expect(calm.questions).toBe(0);
  });

  test("what has gone wrong is found after that, and then shouted about at every run until it is mended", async () => {
    const broken = await settled("broken.example.test");
    change(broken.name, undefined);
    broken.now += 29 * MINUTE;
    expect(await broken.run("rotate")).toMatchObject({ exitCode: 0, stderr: "" });
    for (let run = 0; run < 3; run++) {
      broken.now += MINUTE;
      const { exitCode, stderr } = await broken.run("rotate");
      expect(stderr).toContain("no server has the record, and mail that was signed with this key fails");
      expect(exitCode).toBe(1);
    }
    change(broken.name, broken.record);
    broken.now += MINUTE;
    expect(await broken.run("rotate")).toMatchObject({ exitCode: 0, stderr: "" });
    broken.questions = 0;
    await broken.run("rotate");
    expect(broken.questions).toBe(0);
  });

  test.each([
    ["a domain that is named", ["rotate", "asked.example.test"]],
    ["a dry run", ["rotate", "--dry-run"]],
    ["--wait", ["rotate", "--wait", "1s"]],
    ["other settings", ["rotate", "--margin", "2h"]],
  ])("%s always looks", async (_, argv) => {
    const asked = await settled("asked.example.test");
    await asked.run(...argv);
    expect(asked.questions).toBeGreaterThan(0);
    asked.questions = 0;
    await asked.run("rotate");
    // Other settings have left their own look.
    if (argv.includes("--margin")) expect(asked.questions).toBeGreaterThan(0);
    else expect(asked.questions).toBe(0);
  });

  test("--now is done at once, and what follows from it is looked at in every run", async () => {
    const hurry = await settled("hurry.example.test");
    expect((await hurry.run("rotate", "--now")).stdout).toMatch(/made the ed25519 key/);
    for (let run = 0; run < 2; run++) {
      hurry.questions = 0;
      await hurry.run("rotate");
      expect(hurry.questions).toBeGreaterThan(0);
    }
  });

  test("a key that is being proven is looked at in every run: the proof must not break", async () => {
    const domain = "proof.example.test";
    const proof = rotationFleet(zone.named.port, { publish: IDLE });
    await proof.run("rotate", domain);
    const [selector = ""] = Object.keys(proof.states(domain));
    const record = (await proof.run("showkeys", domain, "--format", "value")).stdout.trim();
    change(`${selector}._domainkey.${domain}`, record);
    proof.now += MINUTE;
    expect((await proof.run("rotate")).stdout).toContain(`${selector} is published`);
    for (let run = 0; run < 2; run++) {
      proof.questions = 0;
      proof.now += MINUTE;
      expect(await proof.run("rotate")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
      expect(proof.questions).toBeGreaterThan(0);
    }
  });

  test("a clock that was set back is shouted about, however well all was", async () => {
    const back = await settled("back.example.test");
    back.now += 20 * MINUTE;
    await back.run("rotate");
    back.now -= 10 * MINUTE;
    for (let run = 0; run < 2; run++) {
      const { exitCode, stderr } = await back.run("rotate");
      expect(stderr).toContain("the clock was or is wrong, and nothing is done");
      expect(exitCode).toBe(1);
    }
  });

  test("what is due before look-again has passed is done at its time", async () => {
    const due = await settled("due.example.test", `period = "50m"\nlook-again = "7d"\n`);
    due.now += 49 * MINUTE;
    expect(await due.run("rotate")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(due.questions).toBe(0);
    due.now += MINUTE;
    expect((await due.run("rotate")).stdout).toMatch(/made the ed25519 key/);
  });

  test("a journal that is gone is told of at once; looks that are lost or damaged only cost a look", async () => {
    const lost = await settled("lost.example.test");
    const folder = join(lost.store, ".dkimctl/journal");
    writeFileSync(join(folder, "looks"), "{");
    expect(await lost.run("rotate")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    expect(lost.questions).toBeGreaterThan(0);
    rmSync(join(folder, "lost.example.test.json"));
    const { exitCode, stderr } = await lost.run("rotate");
    expect(stderr).toContain("no journal tells what they are");
    expect(exitCode).toBe(1);
  });
});
