import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createResolver, createServerPool } from "../../src/dns/dns2-resolver.ts";
import { asTxtResolver, type Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { parseKeyFileName, parseKeyName } from "../../src/keys/key-name.ts";
import { parsePrivateKey } from "../../src/keys/private-key.ts";
import { buildProbeMessage, probeSignOptions } from "../../src/signing/probe-message.ts";
import { signMessage } from "../../src/signing/sign.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import { type DynamicZone, startDynamicZone } from "../helpers/dynamic-zone.ts";
import { requirePeer } from "../helpers/peers.ts";
import { runCli, temporaryFolder } from "../helpers/run-cli.ts";
import { journalKeys } from "../helpers/stored-journal.ts";
import { startUnbound, type Unbound } from "../helpers/unbound.ts";

const peer = requirePeer("named", "nsupdate", "dig", "unbound");
const TLS = join(import.meta.dirname, "../vectors/tls");
/** Mail is on its way for so long at most; the overlap is a second more. */
const LONGEST_WAY_MS = 3000;

describe.skipIf(peer.skip)(
  `lives of keys in real time, with a receiver behind a caching unbound ${peer.reason}`,
  () => {
    let zone: DynamicZone;
    let unbound: Unbound;
    let receiver: Resolver;
    beforeAll(async () => {
      zone = await startDynamicZone();
      unbound = await startUnbound({
        stubs: { [zone.zone]: zone.named.port },
        trustAnchors: [],
        certificate: join(TLS, "server.pem"),
        key: join(TLS, "server.key"),
      });
      receiver = createResolver({ servers: [parseServerAddress(unbound.server)], timeoutMs: 2000 });
    }, 30_000);
    afterAll(async () => {
      await receiver?.close();
      await unbound?.stop();
      await zone?.stop();
    });

    test("every message verifies when it arrives, from the first key to the end of the second", {
      timeout: 120_000,
    }, async () => {
      const domain = "life.example.test";
      const store = temporaryFolder();
      const folder = temporaryFolder();
      const used = join(folder, "used");
      const config = join(folder, "dkimctl.toml");
      const signer = `fs.writeFileSync(process.argv[1], process.env.DKIMCTL_SELECTORS)`;
      writeFileSync(used, "");
      writeFileSync(
        config,
        `[dns]\nservers = ["127.0.0.1#${zone.named.port}"]\nauthoritative-port = ${zone.named.port}\n[records]\nttl = 2
[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${zone.keyFile}"
[signer]\nactivate = ${JSON.stringify([process.execPath, "-e", signer, used])}
[rotation]\nalgorithms = ["ed25519"]\nselector = "k{n}"\nperiod = "6s"\noverlap = "${LONGEST_WAY_MS / 1000 + 1}s"\ntombstone = "2s"\nmargin = "1s"\n`,
      );
      const rotate = async (...argv: string[]) => {
        const pool = createServerPool({ timeoutMs: 2000 });
        const server = parseServerAddress(zone.named.server);
        const env = { DKIMCTL_CONFIG: config, ...(process.env.PATH && { PATH: process.env.PATH }) };
        const createZoneResolver = () => createResolver({ servers: [server], timeoutMs: 2000 });
        const result = await runCli(["rotate", ...argv], {
          store,
          env,
          now: new Date(),
          createResolver: createZoneResolver,
          pool,
        });
        await pool.close();
        expect(result, result.stderr).toMatchObject({ exitCode: 0, stderr: "" });
      };
      const gone = () => journalKeys(store, domain).filter(({ state }) => state === "gone").length;
      const results = new Map<string, number>();
      const onTheWay: Promise<void>[] = [];
      const send = async (): Promise<void> => {
        const selector = readFileSync(used, "utf8");
        if (selector === "") return;
        const name = parseKeyName(domain, selector);
        const { privateKey } = parsePrivateKey(readFileSync(join(store, `${domain}.${selector}.pem`)));
        const now = new Date();
        const { message } = await signMessage(buildProbeMessage(name, now), {
          privateKey,
          ...probeSignOptions(name, now),
        });
        await delay(Math.random() * LONGEST_WAY_MS);
        const { signatures } = await verifyMessage(message, asTxtResolver(receiver), { now: new Date() });
        const outcome = `${selector} ${signatures[0]?.result}`;
        results.set(outcome, (results.get(outcome) ?? 0) + 1);
      };
      const deadline = Date.now() + 90_000;
      await rotate(domain);
      for (let done = 0; done < 2 && Date.now() < deadline; done = gone()) {
        onTheWay.push(send(), send());
        // Somebody curious fills the cache with whatever there is at the names of all keys.
        for (const file of readdirSync(store).filter((name) => name.endsWith(".pem"))) {
          const { selector } = parseKeyFileName(file);
          onTheWay.push(receiver.lookupTxt(`${selector}._domainkey.${domain}`).then(() => undefined));
        }
        await rotate();
        await delay(300);
      }
      await Promise.all(onTheWay);
      expect(gone()).toBeGreaterThanOrEqual(2);
      expect([...results.keys()].filter((outcome) => !outcome.endsWith(" pass"))).toEqual([]);
      expect([...results.keys()]).toEqual(expect.arrayContaining(["k1 pass", "k2 pass", "k3 pass"]));
    });
  },
);
