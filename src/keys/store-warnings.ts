import { folderPermissionWarnings, realPathIfKnown } from "./file-permissions.ts";

/** One for all the keys that come after the first. */
const NONE: readonly string[] = [];

/** What a store has to say once, with the first key that is read: 100,000 keys in a folder need not tell of it each. */
export class StoreWarnings {
  readonly #told = new Set<string>();

  /** `[text]` the first time, `[]` from then on. */
  once(text: string): readonly string[] {
    if (this.#told.has(text)) return NONE;
    this.#told.add(text);
    return [text];
  }

  /** Who else can change this folder, or what is in it. */
  ofFolder(folder: string): readonly string[] {
    if (this.once(folder).length === 0) return NONE;
    return folderPermissionWarnings(realPathIfKnown(folder) ?? folder).flatMap((warning) => this.once(warning));
  }
}
