import { realpathSync } from "node:fs";
import { folderPermissionWarnings } from "./file-permissions.ts";

/** What a store has to say once, with the first key that is read: 100,000 keys in a folder need not tell of it each. */
export class StoreWarnings {
  readonly #told = new Set<string>();

  /** `[text]` the first time, `[]` from then on. */
  once(text: string): string[] {
    if (this.#told.has(text)) return [];
    this.#told.add(text);
    return [text];
  }

  /** Who else can change these folders, or what is in them. */
  ofFolders(folders: readonly string[]): string[] {
    return folders
      .filter((folder) => this.once(folder).length > 0)
      .flatMap((folder) => folderPermissionWarnings(realpathSync(folder)))
      .flatMap((warning) => this.once(warning));
  }

  /** Whether it has told of this folder. */
  hasTold(folder: string): boolean {
    return this.#told.has(folder);
  }
}
