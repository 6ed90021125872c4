import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { type DomainName, parseDomainName } from "../keys/domain-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { describeKey } from "../rotation/store-world.ts";
import { collect } from "./options.ts";
import { addRecordChangeOptions, changeRecords, type WantedRecord } from "./record-change.ts";
import type { RotationRoom, RotationRoomOptions } from "./rotation-room.ts";
import { readKeysOf } from "./stored-keys.ts";

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("publish")
    .description("publish the records of stored keys through the configured publisher")
    .argument("<domain>", "whose keys", parseDomainName)
    .argument("[selector...]", "only these", collect(parseSelector));
  addRecordChangeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl publish example.com       the records of all keys of this domain
  dkimctl publish example.com mail  of this key`,
    )
    .action((domain: DomainName, selectors: Selector[] | undefined) =>
      changeRecords(command.optsWithGlobals<RotationRoomOptions>(), cli, domain, (room) =>
        storedRecords(room, domain, selectors),
      ),
    );
}

async function storedRecords(
  { store, journals }: RotationRoom,
  domain: DomainName,
  selectors: readonly Selector[] = [],
): Promise<WantedRecord[]> {
  const missing = new Set(selectors);
  const journal = await journals.read(domain);
  const revoked = new Set(journal?.keys.flatMap(({ selector, state }) => (state === "tombstone" ? [selector] : [])));
  const wanted: WantedRecord[] = [];
  for await (const reading of readKeysOf(store, domain)) {
    if (reading.kind === "failed") throw reading.error;
    const { name, privateKey, tags } = reading.key;
    if (selectors.length > 0 && !missing.delete(name.selector)) continue;
    if (revoked.has(name.selector)) {
      if (selectors.length === 0) continue;
      throw new UsageError(`${name.selector} of ${domain} is revoked: it must not be published again`);
    }
    const { record } = describeKey(privateKey.publicKey, tags);
    wanted.push({ ...name, own: record, after: record, serves: "ours" });
  }
  const [first] = missing;
  if (first !== undefined || wanted.length === 0) {
    throw new UsageError(`there is no key ${first === undefined ? "" : `${first} `}of ${domain} in ${store.location}`, {
      hint: "see what there is: dkimctl showkeys",
    });
  }
  return wanted;
}
