import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJournal } from "../../src/rotation/journal.ts";
import type { RotationKey } from "../../src/rotation/rotation-key.ts";

/** The keys that the journal of a domain tells of, in a store that is a folder. */
export function journalKeys(store: string, domain: string): readonly RotationKey[] {
  const path = join(store, ".dkimctl", "journal", `${domain}.json`);
  return parseJournal(readFileSync(path, "utf8"), path).keys;
}

/** Their states, by selector. */
export function journalStates(store: string, domain: string): Record<string, string> {
  return Object.fromEntries(journalKeys(store, domain).map(({ selector, state }) => [selector, state]));
}
