import { keyRecordName } from "../keys/key-name.ts";
import type { SignerKey } from "../signers/signer-form.ts";
import type { SignerEntry } from "../signers/signer-reading.ts";
import type { KeyRemarks } from "./key-remarks.ts";
import type { SignerTarget } from "./signer-target.ts";

export interface SignerCautionsOptions {
  readonly target: SignerTarget;
  /** Collects what is to be told, of all signers of a run. */
  readonly cautions: KeyRemarks;
}

/** What a person is to know of a configuration that `rotate` has written: once, of what the signer is new to. */
export class SignerCautions {
  readonly #options: SignerCautionsOptions;
  /** The keys that the configuration names, so that no more is to be said of them. */
  readonly #named = new Set<string>();

  constructor(options: SignerCautionsOptions) {
    this.#options = options;
  }

  /** Of these keys nothing will be said: the configuration names them already. */
  areNamed(entries: readonly Pick<SignerEntry, "name">[]): void {
    for (const { name } of entries) this.#named.add(keyRecordName(name));
  }

  /** @param keys all that the configuration names from now on @param changed the paths of the files that say something new */
  written(keys: readonly SignerKey[], changed: readonly string[]): void {
    const { cautions, target } = this.#options;
    const { form, mainPath } = target;
    if (form.warning !== undefined && changed.includes(mainPath)) cautions.addGeneral(`${mainPath}: ${form.warning}`);
    if (form.caution === undefined) return;
    for (const key of keys) {
      const name = keyRecordName(key.name);
      const caution = this.#named.has(name) ? undefined : form.caution(key);
      this.#named.add(name);
      if (caution !== undefined) cautions.add(key.name, caution);
    }
  }
}
