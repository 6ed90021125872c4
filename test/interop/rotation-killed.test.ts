import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { type KillableSource, killableSource } from "../helpers/killable-source.ts";
import { requirePeer } from "../helpers/peers.ts";
import { seededRandom } from "../helpers/rotation-simulation.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";
import { journalKeys } from "../helpers/stored-journal.ts";

const peer = requirePeer("named", "nsupdate", "dig");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** DKIMCTL_KILLED_LIVES=40 kills at about every boundary there is. */
const lives = Number(process.env.DKIMCTL_KILLED_LIVES ?? 3);

/** What a life of two keys takes: how much later, and with which options. */
const STEPS: readonly (readonly [laterMs: number, ...options: string[]])[] = [
  [0],
  [2 * HOUR],
  [2 * HOUR, "--now"],
  [2 * HOUR],
  [8 * DAY],
  [31 * DAY],
];

describe.skipIf(peer.skip)(`a real process, killed by SIGKILL ${peer.reason}`, () => {
  let zone: DynamicZone;
  let source: KillableSource;
  beforeAll(async () => {
    source = killableSource();
    zone = await startDynamicZone();
  }, 60_000);
  afterAll(async () => {
    await zone?.stop();
    source?.remove();
  });

  test.each(Array.from({ length: lives }, (_, index) => index + 1))(
    "life %i: the next run carries on, and at no moment signs a key that the DNS does not have",
    { timeout: 120_000 },
    async (life) => {
      const domain = `k${life}.example.test`;
      const random = seededRandom(life);
      const store = temporaryFolder();
      const folder = temporaryFolder();
      const used = join(folder, "used");
      writeFileSync(used, "");
      const config = join(folder, "dkimctl.toml");
      const signer = `fs.writeFileSync(process.argv[1], process.env.DKIMCTL_SELECTORS)`;
      writeFileSync(
        config,
        `[dns]\nservers = ["127.0.0.1#${zone.named.port}"]\nauthoritative-port = ${zone.named.port}\n[records]\nttl = 1
[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${zone.keyFile}"
[signer]\nactivate = ${JSON.stringify([process.execPath, "-e", signer, used])}
[rotation]\nalgorithms = ["ed25519"]\nselector = "k{n}"\n`,
      );
      const run = async (offset: number, killAt: number, options: readonly string[]) => {
        const ended = await source.run({ store, config, offset, killAt, argv: ["rotate", domain, ...options] });
        return { ...ended, killed: ended.signal === "SIGKILL" };
      };
      const keys = () => journalKeys(store, domain);
      let offset = 0;
      let kills = 0;
      for (const [later, ...options] of STEPS) {
        offset += later;
        const first = await run(offset, 1 + Math.floor(random() * 60), options);
        if (first.killed) kills++;
        const selector = readFileSync(used, "utf8");
        if (selector !== "") {
          expect(zone.txt(`${selector}._domainkey.${domain}`)).toEqual([expect.stringMatching(/p=.{44}$/)]);
          expect(readdirSync(store)).toContain(`${domain}.${selector}.pem`);
        }
        // The request of a run that was killed before it was written down is made again, as a person would.
        const asked = options.length > 0 && first.killed && keys().length === 1 ? options : [];
        const second = await run(offset + 1000, 0, asked);
        expect(second, second.output).toMatchObject({ exitCode: 0 });
      }
      expect(kills).toBeGreaterThan(1);
      expect(keys().map(({ selector, state }) => [selector, state])).toEqual([
        ["k1", "gone"],
        ["k2", "active"],
      ]);
      expect(readFileSync(used, "utf8")).toBe("k2");
      expect(readdirSync(store).filter((name) => !name.startsWith("."))).toEqual([`${domain}.k2.pem`]);
      expect(zone.txt(`k1._domainkey.${domain}`)).toEqual([]);
      expect(zone.txt(`k2._domainkey.${domain}`)).toHaveLength(1);
    },
  );

  test("two runs at once: one works, the other exits 4", async () => {
    const store = temporaryFolder();
    const config = join(temporaryFolder(), "dkimctl.toml");
    writeFileSync(config, "");
    const lock = join(source.path, "lock.js");
    writeFileSync(lock, HOLD_LOCK);
    const holder = spawn(process.execPath, [lock, store], { stdio: ["pipe", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    const run = async () => (await source.run({ store, config, offset: 0, killAt: 0, argv: ["rotate"] })).exitCode;
    expect(await run()).toBe(4);
    holder.kill("SIGKILL");
    await once(holder, "close");
    expect(await run()).toBe(0);
  });
});

const HOLD_LOCK = `
import { DirectoryKeyStore } from "./keys/directory-key-store.js";
await new DirectoryKeyStore({ path: process.argv[2] }).lock();
console.log("held");
process.stdin.resume();
`;
