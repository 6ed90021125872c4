import type { CliContext } from "../context.ts";
import type { SurveyOptions } from "../dns/authoritative.ts";
import type { Publisher } from "../dns/publish/publisher.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { DomainLease, JournalStore } from "../rotation/journal-store.ts";
import type { RotationWorld } from "../rotation/rotation-world.ts";
import { createStoreWorld } from "../rotation/store-world.ts";
import { type DnsOptions, openResolver, openServerPool } from "./dns-options.ts";
import { readTextFile } from "./input-files.ts";
import { randomHex } from "./key-maker.ts";
import { KeyRemarks } from "./key-remarks.ts";
import { openedOnce } from "./opened-once.ts";
import { DEFAULT_TTL_SECONDS, type GlobalOptions, type PassphraseOptions } from "./options.ts";
import { createPublishers } from "./publishers.ts";
import { type OpenedSigner, openRevealers, rotationPolicy, settingsOf } from "./rotation-settings.ts";
import { loadSettings, openJournals, openStore, type Settings } from "./settings.ts";
import { createSigners } from "./signers-of-domains.ts";

export interface RotationRoomOptions extends GlobalOptions, PassphraseOptions, DnsOptions {}

/** What is known of the clock from earlier runs; milliseconds since the epoch. */
export interface Past {
  readonly lastRunAt: number | undefined;
  readonly clockSetAt: number | undefined;
}

/** Everything a run works with, opened once for all domains. The caller closes it. */
export interface RotationRoom {
  readonly settings: Settings;
  readonly store: KeyStore;
  readonly journals: JournalStore;
  readonly survey: SurveyOptions;
  /** @throws {UsageError} its settings lack something */
  publisherOf(domain: DomainName): Promise<Publisher | undefined>;
  /** @throws {UsageError} its settings contradict each other */
  signerOf(domain: DomainName): Promise<OpenedSigner>;
  /** What the signers' configurations name is read again. To be called between two rounds. */
  readSignersAgain(): void;
  /**
   * Puts back what a run that was killed had begun to change at any signer. To be called before anything is decided.
   * What fails with a signer of some domains is told when it is their turn.
   */
  recoverSigners(): Promise<void>;
  /** What is to be known of the keys and configurations that signers have been given since the room was opened. */
  readonly signerCautions: KeyRemarks;
  readonly ttlSeconds: number;
  /** @param lease absent: nothing will be changed, only looked at */
  worldOf(domain: DomainName, past: Past, lease?: DomainLease): Promise<RotationWorld>;
  close(): Promise<void>;
}

/**
 * Opens the store, its journals, resolver and servers as options and configuration say.
 * @throws {UsageError} what all domains share contradicts itself @throws {DkimctlError} something cannot be opened
 */
export async function openRotationRoom(options: RotationRoomOptions, cli: CliContext): Promise<RotationRoom> {
  const settings = loadSettings(cli, options);
  const openPublisher = openedOnce(createPublishers(cli));
  const publisherOf = (domain: DomainName) => openPublisher(settingsOf(domain, settings).publish);
  const store = await openStore(cli, options, settings);
  const journals = await openJournals(cli, store, settings);
  const revealers = await openRevealers(settings, store);
  const resolver = await openResolver(cli, options, settings);
  const pool = await openServerPool(cli, options, settings);
  const signerCautions = new KeyRemarks();
  const signers = createSigners(settings, {
    cautions: signerCautions,
    store,
    journals,
    resolver,
    env: cli.env,
    signal: cli.signal,
    now: () => cli.now(),
    readText: (path) => readTextFile(path, cli),
  });
  // What all domains share is wrong for the whole run; what only some have, for each of those.
  const domains = Object.values(settings.domain);
  if (!domains.some((own) => own.publish !== undefined)) await openPublisher(settings.publish);
  if (!domains.some((own) => own.signer !== undefined)) await signers.openCommon();
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
    publisherOf,
    signerOf: signers.of,
    readSignersAgain: signers.readNamesAgain,
    recoverSigners: signers.recoverAll,
    signerCautions,
    ttlSeconds,
    async worldOf(domain, past, lease) {
      if (lease !== undefined) await signers.recover(domain);
      return createStoreWorld({
        domain,
        store,
        lease,
        survey,
        publisher: await publisherOf(domain),
        ...(await signers.of(domain)),
        revealer: revealers?.(domain),
        ttlSeconds,
        ...past,
        policy: rotationPolicy(domain, settings),
        now: () => cli.now().getTime(),
        random: randomHex,
      });
    },
    async close() {
      await Promise.all([resolver.close(), pool.close()]);
    },
  };
}
