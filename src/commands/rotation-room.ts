import type { CliContext } from "../context.ts";
import type { SurveyOptions } from "../dns/authoritative.ts";
import type { Publisher } from "../dns/publish/publisher.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { DomainLease, JournalStore } from "../rotation/journal-store.ts";
import type { RotationWorld } from "../rotation/rotation-world.ts";
import { createStoreWorld, type SignerSwitch } from "../rotation/store-world.ts";
import { type DnsOptions, openResolver, openServerPool } from "./dns-options.ts";
import { randomHex } from "./key-maker.ts";
import { DEFAULT_TTL_SECONDS, type GlobalOptions, type PassphraseOptions } from "./options.ts";
import { openPublisher, openSigner, rotationPolicy } from "./rotation-settings.ts";
import { loadSettings, openJournals, openStore, type Settings } from "./settings.ts";

export interface RotationRoomOptions extends GlobalOptions, PassphraseOptions, DnsOptions {}

/** Everything a run works with, opened once for all domains. The caller closes it. */
export interface RotationRoom {
  readonly settings: Settings;
  readonly store: KeyStore;
  readonly journals: JournalStore;
  readonly survey: SurveyOptions;
  readonly publisher: Publisher | undefined;
  readonly signer: SignerSwitch | undefined;
  readonly ttlSeconds: number;
  /** @param lease absent: nothing will be changed, only looked at */
  worldOf(domain: DomainName, lastRunAt: number | undefined, lease?: DomainLease): RotationWorld;
  close(): Promise<void>;
}

export async function openRotationRoom(options: RotationRoomOptions, cli: CliContext): Promise<RotationRoom> {
  const settings = loadSettings(cli, options);
  const publisher = await openPublisher(settings, cli.env);
  const signer = await openSigner(settings, cli.env, cli.signal);
  const store = await openStore(cli, options, settings);
  const journals = await openJournals(cli, store, settings);
  const resolver = await openResolver(cli, options, settings);
  const pool = await openServerPool(cli, options, settings);
  const port = settings.dns["authoritative-port"];
  const survey: SurveyOptions = {
    resolver,
    connect: (server) => pool.connect(server),
    signal: cli.signal,
    ...(port !== undefined && { port }),
  };
  const ttlSeconds = settings.records.ttl ?? DEFAULT_TTL_SECONDS;
  return {
    settings,
    store,
    journals,
    survey,
    publisher,
    signer,
    ttlSeconds,
    worldOf: (domain, lastRunAt, lease) =>
      createStoreWorld({
        domain,
        store,
        lease,
        survey,
        publisher,
        signer,
        ttlSeconds,
        lastRunAt,
        policy: rotationPolicy(domain, settings),
        now: () => cli.now().getTime(),
        random: randomHex,
      }),
    async close() {
      await Promise.all([resolver.close(), pool.close()]);
    },
  };
}
