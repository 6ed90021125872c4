import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { openKeyStore } from "../../src/keys/open-key-store.ts";
import { parseStoreAddress } from "../../src/keys/store-address.ts";
import { openJournalStore } from "../../src/rotation/open-journal-store.ts";
import { builtCli, ended } from "../helpers/built-cli.ts";
import { requirePeer } from "../helpers/peers.ts";
import { RedisServer } from "../helpers/redis-server.ts";
import { temporaryFolder } from "../helpers/run-cli.ts";
import { startVault } from "../helpers/vault-server.ts";
import { fleetConfig, fleetDomains, seedStore, startWorld } from "../helpers/worker-fleet.ts";

const peer = requirePeer("redis-server", "redis-cli", "bash");

describe.skipIf(peer.skip)(`a worker that is ended in an orderly way ${peer.reason}`, () => {
  let cli: ReturnType<typeof builtCli>;
  beforeAll(() => {
    cli = builtCli();
  }, 60_000);
  afterAll(() => cli?.remove());

  const stores: Record<string, () => Promise<{ url: string; env: Record<string, string> }>> = {
    Redis: async () => ({ url: (await RedisServer.start()).url("lease=3600"), env: {} }),
    Vault: async () => {
      const { origin, token } = await startVault();
      return { url: `vault+http://${new URL(origin).host}/secret/dkim`, env: { VAULT_TOKEN: token } };
    },
  };

  test.each(Object.keys(stores))("%s: its domains are free for the next at once", { timeout: 60_000 }, async (kind) => {
    const { url, env } = (await stores[kind]?.()) ?? { url: "", env: {} };
    const address = parseStoreAddress(url);
    const { signal } = new AbortController();
    const store = await openKeyStore({ address }, { env, readFile: (path) => readFileSync(path), signal });
    onTestFinished(() => store.close?.());
    const journals = await openJournalStore({ address }, store);
    const folder = temporaryFolder();
    const domains = fleetDomains(3);
    const world = await startWorld(await seedStore(domains, journals, folder));
    onTestFinished(() => world.stop());
    const config = fleetConfig(folder, url, world);
    const hanging = JSON.stringify(["bash", "-c", `touch ${folder}/begun; sleep 60`]);
    writeFileSync(config, readFileSync(config, "utf8").replace(/(?<=method = "exec"\ncommand = ).*/, hanging));

    const child = cli.start(["rotate", "--config", config], env);
    const end = ended(child);
    await vi.waitFor(() => expect(existsSync(join(folder, "begun"))).toBe(true), { timeout: 30_000 });
    const next = await journals.begin();
    onTestFinished(() => next.release());
    const free = async () => {
      const leases = await Promise.all(domains.map((domain) => next.lease(domain)));
      return domains.filter((_, index) => leases[index] !== undefined);
    };
    expect(await free()).not.toEqual(domains);
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ signal: "SIGTERM", stderr: "" });
    expect(await free()).toEqual(domains);
  });
});
