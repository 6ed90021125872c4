import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FileAccess, type FileAccessOptions, resolveFileAccess } from "./file-access.ts";
import type { FileOperations } from "./file-operations.ts";
import { writeFailure } from "./key-file.ts";
import type { StoreLock } from "./key-store.ts";
import { StoreLockedError } from "./key-store-errors.ts";
import { CONTROL_FOLDER, ensureFolder, requireStoreFolder } from "./store-folder.ts";
import { acquireLock } from "./store-lock.ts";
import { sweepTemporaryFiles } from "./temporary-file.ts";

/** Replacing one key holds the lock for milliseconds; another process is waited for as long before it is an error. */
const LOCK_PATIENCE_MS = 2000;

/** The one door to every change of a folder of keys: rights are proven first, what killed runs left is removed, errors are put in words. */
export class StoreChanges {
  readonly #folder: string;
  readonly #options: FileAccessOptions;
  readonly #operations: FileOperations;
  #access: FileAccess | undefined;
  #locksHeld = 0;

  constructor(folder: string, options: FileAccessOptions, operations: FileOperations) {
    this.#folder = folder;
    this.#options = options;
    this.#operations = operations;
  }

  /** @param location what is changed, for messages */
  make<T>(location: string, change: (access: FileAccess) => T): T {
    requireStoreFolder(this.#folder);
    if (this.#access === undefined) {
      this.#access = resolveFileAccess(this.#options);
      sweepTemporaryFiles(this.#folder, this.#operations);
      sweepTemporaryFiles(join(this.#folder, CONTROL_FOLDER, "tags"), this.#operations);
    }
    try {
      return change(this.#access);
    } catch (error) {
      throw writeFailure(error, location);
    }
  }

  /** `make` while no other process holds the store's lock; not taken again when this one holds it. */
  async makeLocked<T>(location: string, change: (access: FileAccess) => T): Promise<T> {
    if (this.#locksHeld > 0) return this.make(location, change);
    for (let waited = 0, pause = 10; ; waited += pause, pause *= 2) {
      try {
        return this.make(location, (access) => {
          const release = this.#acquire(access);
          try {
            return change(access);
          } finally {
            release();
          }
        });
      } catch (error) {
        if (!(error instanceof StoreLockedError) || waited >= LOCK_PATIENCE_MS) throw error;
        await delay(pause);
      }
    }
  }

  lock(): StoreLock {
    const release = this.make(this.#folder, (access) => this.#acquire(access));
    this.#locksHeld++;
    let held = true;
    return {
      release: async () => {
        if (!held) return;
        held = false;
        this.#locksHeld--;
        release();
      },
    };
  }

  #acquire(access: FileAccess): () => void {
    const folder = join(this.#folder, CONTROL_FOLDER);
    ensureFolder(folder, access, this.#operations);
    return acquireLock(folder, access, this.#operations);
  }
}
