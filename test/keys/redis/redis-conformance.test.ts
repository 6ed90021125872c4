import { afterAll, beforeAll, describe } from "vitest";
import { openKeyStore } from "../../../src/keys/open-key-store.ts";
import { parseStoreAddress } from "../../../src/keys/store-address.ts";
import { openJournalStore } from "../../../src/rotation/open-journal-store.ts";
import { requirePeer } from "../../helpers/peers.ts";
import { RedisServer } from "../../helpers/redis-server.ts";
import { describeKeyStore, type OpenedStore } from "../key-store-conformance.ts";

const { skip, reason } = requirePeer("redis-server", "redis-cli");

describe.skipIf(skip)(`a real redis-server ${reason}`, () => {
  let server: RedisServer;
  const opened: OpenedStore[] = [];
  beforeAll(async () => {
    server = await RedisServer.start({ endsWithTest: false });
  });
  afterAll(async () => {
    for (const { store } of opened) await store.close?.();
    await server.end();
  });

  for (const layout of ["rspamd", "mailcow"]) {
    describeKeyStore(
      `Redis, layout ${layout}`,
      async () => {
        server.cli("FLUSHALL");
        const another = async (): Promise<OpenedStore> => {
          const address = parseStoreAddress(server.url(`layout=${layout}`));
          const surroundings = { env: {}, readFile: unexpected, signal: new AbortController().signal };
          const store = await openKeyStore({ address }, surroundings);
          const both = { store, journals: await openJournalStore({ address }, store) };
          opened.push(both);
          return both;
        };
        return { ...(await another()), another };
      },
      { leases: true, keepsLooks: true },
    );
  }
});

function unexpected(): never {
  throw new Error("no file is to be read");
}
