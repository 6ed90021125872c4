import { type KeyName, keyRecordName } from "../keys/key-name.ts";
import type { Notices } from "./notices.ts";

/** So many keys are named one by one. */
const FEW_KEYS = 3;

/** What is to be said of keys: sentences, each with the keys that it holds for. */
export class KeyRemarks {
  readonly #keys = new Map<string, KeyName[]>();

  add(name: KeyName, sentence: string): void {
    const known = this.#keys.get(sentence);
    if (known === undefined) this.#keys.set(sentence, [name]);
    else known.push(name);
  }

  /** A sentence that holds whatever the keys are. */
  addGeneral(sentence: string): void {
    this.#keys.set(sentence, []);
  }

  /**
   * Warns of few keys one by one; of more in one line, with how many there are and the first of them. `--verbose` names
   * the others.
   * @param lead what comes before the names, such as `left out `
   */
  tell(notices: Notices, lead = ""): void {
    for (const [sentence, names] of this.#keys) {
      if (names.length === 0) notices.warn(sentence);
      const few = names.length <= FEW_KEYS ? names : [];
      for (const name of few) notices.warn(`${lead}${keyRecordName(name)}: ${sentence}`);
      if (names.length === few.length) continue;
      const first = names.slice(0, FEW_KEYS).map(keyRecordName).join(", ");
      notices.warn(`${lead}${names.length} keys, ${first} and others: ${sentence}`);
      for (const name of names.slice(FEW_KEYS)) notices.detail(`${lead}${keyRecordName(name)}`);
    }
  }
}
