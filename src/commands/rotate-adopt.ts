import type { CliContext } from "../context.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { type AdoptableKey, AmbiguousSignerError, adoptKeys } from "../rotation/adopt.ts";
import type { DomainLease } from "../rotation/journal-store.ts";
import { observeKey } from "../rotation/key-observer.ts";
import { describeKey } from "../rotation/store-world.ts";
import type { Notices } from "./notices.ts";
import type { DomainOutcome } from "./rotate-report.ts";
import type { RotationRoom } from "./rotation-room.ts";
import { readKeys } from "./stored-keys.ts";

interface AdoptionRun {
  readonly options: { readonly active?: readonly Selector[] };
  readonly cli: CliContext;
  readonly notices: Notices;
  readonly room: RotationRoom;
}

/** `--adopt`: proves the keys of the store, asks which one signs where that is not clear, and writes the journal. */
export async function adoptDomain(
  domain: DomainName,
  lease: DomainLease,
  { options: { active = [] }, cli, notices, room }: AdoptionRun,
): Promise<DomainOutcome> {
  const keys: AdoptableKey[] = [];
  for await (const reading of readKeys(room.store, (candidate) => candidate === domain, false)) {
    if (reading.kind === "failed") {
      notices.error(reading.error);
      continue;
    }
    const { name, privateKey, tags } = reading.key;
    const made = describeKey(privateKey.publicKey, tags);
    const { observation } = await observeKey(name, made.record, room.survey);
    keys.push({ selector: name.selector, algorithm: privateKey.type, ...made, seen: observation });
  }
  const now = cli.now().getTime();
  const { journal, leftOut } = await askingWhichSigns(cli, active, (chosen) => adoptKeys(domain, keys, chosen, now));
  await lease.writeJournal(journal);
  for (const { selector, reason } of leftOut) notices.warn(`${domain}: ${selector} is left out: ${reason}`);
  for (const { selector, state } of journal.keys) notices.notice(`${domain}: ${selector} is taken over as ${state}`);
  return { domain, steps: [], waits: [], findings: [] };
}

/** On a terminal a person is asked, once for each algorithm at most. */
async function askingWhichSigns<Result>(
  cli: CliContext,
  active: readonly Selector[],
  adopt: (active: readonly Selector[]) => Result,
): Promise<Result> {
  try {
    return adopt(active);
  } catch (error) {
    const prompter = error instanceof AmbiguousSignerError ? await cli.openPrompter() : undefined;
    if (!(error instanceof AmbiguousSignerError) || prompter === undefined) throw error;
    const choices = error.candidates.map((selector) => ({ name: selector, value: selector as string }));
    const chosen = await prompter.choose("Which key signs?", choices);
    return adopt([...active, parseSelector(chosen)]);
  }
}
