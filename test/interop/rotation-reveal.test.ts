import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { type KillableSource, killableSource } from "../helpers/killable-source.ts";
import { requirePeer } from "../helpers/peers.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";
import { journalStates } from "../helpers/stored-journal.ts";

const peer = requirePeer("named", "nsupdate", "dig");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DOMAIN = "reveal.example.test";

/** Everything that a life needs outside the tested process. */
interface Life {
  readonly store: string;
  readonly revealed: string;
}

describe.skipIf(peer.skip)(`rotate --reveal against BIND ${peer.reason}`, () => {
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

  async function run({ store, revealed }: Life, offset: number, killAt: number, ...options: string[]) {
    const folder = temporaryFolder();
    const config = join(folder, "dkimctl.toml");
    const server = `127.0.0.1#${zone.named.port}`;
    writeFileSync(
      config,
      `[dns]\nservers = ["${server}"]\nauthoritative-port = ${zone.named.port}\n[records]\nttl = 1
[publish]\nmethod = "nsupdate"\nserver = "${server}"\nkey-file = "${zone.keyFile}"
[signer]\nactivate = ["true"]\n[rotation]\nalgorithms = ["ed25519"]\nselector = "k{n}"\nreveal = ${JSON.stringify(revealed)}\n`,
    );
    const ended = await source.run({ store, config, offset, killAt, argv: ["rotate", DOMAIN, ...options] });
    return { ...ended, killed: ended.signal === "SIGKILL" };
  }

  const journalOf = ({ store }: Life) => journalStates(store, DOMAIN);
  const keyFiles = (folder: string) =>
    (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".pem"));
  const holds = ({ store }: Life, selector: string) => keyFiles(store).includes(`${DOMAIN}.${selector}.pem`);

  test("a key whose record is gone is made public, and killed at whatever call, the next run carries on", {
    timeout: 300_000,
  }, async () => {
    const life = { store: temporaryFolder(), revealed: join(temporaryFolder(), "www") };
    let offset = 0;
    for (const [later, ...options] of [[0], [2 * HOUR], [2 * HOUR, "--now"], [2 * HOUR], [8 * DAY]] as const) {
      offset += later;
      const result = await run(life, offset, 0, ...options);
      expect(result, result.output).toMatchObject({ exitCode: 0 });
    }
    expect(journalOf(life)).toEqual({ k1: "tombstone", k2: "active" });
    const secret = readFileSync(join(life.store, `${DOMAIN}.k1.pem`), "utf8");
    // All of it but the last step is proven killed elsewhere: the record goes now.
    execFileSync("nsupdate", ["-k", zone.keyFile], {
      input: `server 127.0.0.1 ${zone.named.port}\nzone ${zone.zone}.\nupdate delete k1._domainkey.${DOMAIN}. TXT\nsend\n`,
    });
    offset += 31 * DAY;
    const early = await run(life, offset - 10 * DAY, 0);
    expect([early.output, journalOf(life).k1, keyFiles(join(life.revealed, ".."))]).toEqual(["", "tombstone", []]);

    let boundaries = 0;
    for (let killAt = 1; ; killAt++) {
      const copy = { store: temporaryFolder(), revealed: join(temporaryFolder(), "www") };
      cpSync(life.store, copy.store, { recursive: true });
      const first = await run(copy, offset, killAt);
      const published = () => (keyFiles(join(copy.revealed, "..")).length > 0 ? keyFiles(copy.revealed) : []);
      // Never neither in the store nor public, and never told of before it is so.
      expect(holds(copy, "k1") || published().length === 1, `killed at ${killAt}`).toBe(true);
      if (journalOf(copy).k1 === "revealed") expect([holds(copy, "k1"), published().length]).toEqual([false, 1]);
      const second = await run(copy, offset + 1000, 0);
      expect(second, second.output).toMatchObject({ exitCode: 0 });
      expect(journalOf(copy)).toEqual({ k1: "revealed", k2: "active" });
      expect([holds(copy, "k1"), holds(copy, "k2")]).toEqual([false, true]);
      const [file = "", ...others] = published();
      expect(others).toEqual([]);
      expect(readFileSync(join(copy.revealed, file), "utf8")).toBe(secret);
      for (const path of [file, file.slice(0, 2)]) {
        expect(statSync(join(copy.revealed, path)).mtimeMs).toBe(1_000_000_000_000);
      }
      const left = (readdirSync(copy.revealed, { recursive: true }) as string[]).filter((name) => name.includes("tmp"));
      expect(left, `killed at ${killAt}`).toEqual([]);
      if (!first.killed) {
        expect(first.output).toBe(`${DOMAIN}: k1 is gone, and its private key public\n`);
        break;
      }
      boundaries++;
    }
    expect(boundaries).toBeGreaterThan(15);
  });
});
