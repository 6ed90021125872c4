import type { CliContext } from "../context.ts";
import { OperationError } from "../errors.ts";
import type { DomainName } from "../keys/domain-name.ts";
import { parseSelector, type Selector } from "../keys/selector.ts";
import { type AdoptableKey, AmbiguousSignerError, adoptKeys } from "../rotation/adopt.ts";
import type { DomainLease } from "../rotation/journal-store.ts";
import { observeKey } from "../rotation/key-observer.ts";
import { describeKey } from "../rotation/store-world.ts";
import type { Notices } from "./notices.ts";
import type { DomainOutcome } from "./rotate-report.ts";
import type { RotationRoom } from "./rotation-room.ts";
import { readKeysOf } from "./stored-keys.ts";

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
  for await (const reading of readKeysOf(room.store, domain)) {
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
  const named = active.length > 0 ? active : await signingInConfiguration(domain, keys, room, notices);
  const { journal, leftOut } = await askingWhichSigns(cli, named, (chosen) => adoptKeys(domain, keys, chosen, now));
  await lease.writeJournal(journal);
  for (const { selector, reason } of leftOut) notices.warn(`${domain}: ${selector} is left out: ${reason}`);
  for (const { selector, state } of journal.keys) notices.notice(`${domain}: ${selector} is taken over as ${state}`);
  return { domain, steps: [], waits: [], findings: [] };
}

/** What the signer's configuration says; nothing where nobody has told where that is, or it does not know the domain. */
async function signingInConfiguration(
  domain: DomainName,
  keys: readonly AdoptableKey[],
  { signerOf }: RotationRoom,
  notices: Notices,
): Promise<readonly Selector[]> {
  const { names } = await signerOf(domain);
  const named = names?.(domain);
  if (named?.kind === "unknown") notices.warn(`${domain}: ${named.reason}: which key signs is not read from it`);
  if (named?.kind !== "known") return [];
  for (const selector of named.signing) {
    if (keys.some((key) => key.selector === selector)) continue;
    throw new OperationError(
      `${named.where(selector)} signs for ${domain} with ${selector}, which is not in the store`,
      {
        hint: "bring it in: dkimctl import --help; or say which key signs: --active SELECTOR",
      },
    );
  }
  return named.signing.map(parseSelector);
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
