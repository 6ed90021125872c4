import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { Publisher } from "../dns/publish/publisher.ts";
import { DkimctlError, ExitCode, UsageError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import type { Selector } from "../keys/selector.ts";
import { observeKey } from "../rotation/key-observer.ts";
import type { Agreement } from "../rotation/observation.ts";
import { NotProvenError } from "../rotation/store-world.ts";
import { addDnsOptions } from "./dns-options.ts";
import { createNotices, type Notices } from "./notices.ts";
import { addPassphraseOption } from "./options.ts";
import { openRotationRoom, type RotationRoom, type RotationRoomOptions } from "./rotation-room.ts";
import { addSettingOptions } from "./setting-options.ts";

/** What `publish` and `withdraw` want to be at the name of one key. */
export interface WantedRecord {
  readonly domain: DomainName;
  readonly selector: Selector;
  /** The record of the key; `undefined` when the store does not have it. */
  readonly own: string | undefined;
  readonly after: string | undefined;
  readonly serves: Agreement["serves"];
}

type PublishingRoom = Pick<RotationRoom, "survey" | "ttlSeconds"> & { readonly publisher: Publisher };

/** The options of both commands. */
export function addRecordChangeOptions(command: Command): Command {
  addDnsOptions(command);
  return addSettingOptions(addPassphraseOption(command), "publish");
}

/**
 * Changes records one by one through the configured publisher, and asks every server for the outcome.
 * @param choose the changes to make, in order
 */
export async function changeRecords(
  options: RotationRoomOptions,
  cli: CliContext,
  domain: DomainName,
  choose: (room: RotationRoom) => Promise<readonly WantedRecord[]>,
): Promise<void> {
  const notices = createNotices(cli, options);
  const room = await openRotationRoom(options, cli);
  try {
    const publisher = await room.publisherOf(domain);
    if (publisher === undefined) {
      throw new UsageError("no publisher is configured: records are published by hand", {
        hint: "print them with dkimctl showkeys, or set [publish] method; see dkimctl.toml(5)",
      });
    }
    for (const wanted of await choose(room)) {
      cli.signal.throwIfAborted();
      await changeRecord(wanted, { ...room, publisher }, cli, notices);
    }
  } finally {
    await room.close();
  }
}

/** One that fails does not stop the others. A failure that lasts outweighs one that may pass. */
async function changeRecord(
  wanted: WantedRecord,
  room: PublishingRoom,
  cli: CliContext,
  notices: Notices,
): Promise<void> {
  const label = `${wanted.selector}._domainkey.${wanted.domain}`;
  try {
    if (await ensureRecord(wanted, room)) notices.notice(`${label}: every server has it so`);
    else {
      notices.warn(`${label}: asked for, and not every server has it so yet`, "see: dkimctl testkeys --authoritative");
      if (cli.exitCode === ExitCode.ok) cli.exitCode = ExitCode.tryAgain;
    }
  } catch (error) {
    if (!(error instanceof DkimctlError)) throw error;
    notices.error(error);
    const passing = error.exitCode === ExitCode.tryAgain;
    if (!passing) cli.exitCode = error.exitCode;
    else if (cli.exitCode === ExitCode.ok) cli.exitCode = ExitCode.tryAgain;
  }
}

/** @returns whether every server has it so */
async function ensureRecord(
  { domain, selector, own, after, serves }: WantedRecord,
  { survey, publisher, ttlSeconds }: PublishingRoom,
): Promise<boolean> {
  const look = async () => (await observeKey({ domain, selector }, own, survey)).observation;
  const seen = await look();
  if (seen.kind === "doubt") {
    throw new NotProvenError(`${selector} of ${domain} is not touched while its servers disagree: ${seen.reason}`);
  }
  if (seen.serves === serves) return true;
  const { servedAt: name, zone, rrset: before } = seen;
  await publisher.change({ name, zone, ttlSeconds, before, after }, survey.signal);
  const now = await look();
  return now.kind === "agreed" && now.serves === serves;
}
