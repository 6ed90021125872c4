import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { readIfStored } from "../keys/stored-key.ts";
import { liveKey } from "../rotation/rotation-key.ts";
import { REVOKED_RECORD } from "../rotation/rotation-world.ts";
import { describeKey } from "../rotation/store-world.ts";
import { collect } from "./options.ts";
import { addRecordChangeOptions, changeRecords, type WantedRecord } from "./record-change.ts";
import type { RotationRoom, RotationRoomOptions } from "./rotation-room.ts";

interface WithdrawOptions extends RotationRoomOptions {
  readonly revoke?: boolean;
  readonly force?: boolean;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("withdraw")
    .description("remove records through the configured publisher, or mark them as revoked")
    .argument("<domain>", "whose record", parseDomainName)
    .argument("<selector...>", "which", collect(parseSelector))
    .option("--revoke", "do not remove the record: publish that the key is revoked (p=)")
    .option("-f, --force", "also of a key that signs, or whose mail may be on its way");
  addRecordChangeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl withdraw example.com mail2019           remove an unused record
  dkimctl withdraw example.com mail2019 --revoke  say that it is revoked`,
    )
    .action((domain: DomainName, selectors: Selector[]) => {
      const options = command.optsWithGlobals<WithdrawOptions>();
      return changeRecords(options, cli, domain, (room) => unwantedRecords(room, domain, selectors, options));
    });
}

async function unwantedRecords(
  room: RotationRoom,
  domain: DomainName,
  selectors: readonly Selector[],
  { revoke, force }: WithdrawOptions,
): Promise<WantedRecord[]> {
  const journal = await room.journals.read(domain);
  for (const selector of selectors) {
    const state = journal === undefined ? undefined : liveKey(journal, selector)?.state;
    if (force || state === undefined || state === "tombstone") continue;
    throw new UsageError(`${selector} of ${domain} is ${state}: mail that it signed would no longer verify`, {
      hint: `let rotate do it: dkimctl rotate ${domain} --compromised ${selector}; or add --force`,
    });
  }
  return Promise.all(
    selectors.map(async (selector): Promise<WantedRecord> => {
      const own = await storedRecord(room, domain, selector);
      return revoke
        ? { domain, selector, own, after: REVOKED_RECORD, serves: "revoked" }
        : { domain, selector, own, after: undefined, serves: "nothing" };
    }),
  );
}

async function storedRecord(
  { store }: RotationRoom,
  domain: DomainName,
  selector: Selector,
): Promise<string | undefined> {
  const stored = await readIfStored(store, { domain, selector });
  return stored && describeKey(stored.privateKey.publicKey, stored.tags).record;
}
