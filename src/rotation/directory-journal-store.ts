import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DomainName } from "../keys/domain-name.ts";
import { replaceFile } from "../keys/durable-file.ts";
import { type FileAccess, type FileAccessOptions, resolveFileAccess } from "../keys/file-access.ts";
import { type FileOperations, fileOperations } from "../keys/file-operations.ts";
import { writeFailure } from "../keys/key-file.ts";
import type { LockableKeyStore } from "../keys/key-store.ts";
import { KeyNotFoundError, systemErrorCode, systemErrorReason } from "../keys/key-store-errors.ts";
import { CONTROL_FOLDER, ensureFolder } from "../keys/store-folder.ts";
import { sweepTemporaryFiles } from "../keys/temporary-file.ts";
import { type ClockReading, formatClockReading, parseClockReading } from "./host-clock.ts";
import { formatJournal, JournalError, parseJournal } from "./journal.ts";
import type { DomainLease, JournalStore, RotationTurn } from "./journal-store.ts";
import type { Journal } from "./rotation-key.ts";

/** A file name must not be longer than 255 octets. */
const LONGEST_STEM = 200;

/** The journals of a folder of keys, one file a domain, in `.dkimctl/journal` within it; and when the last run was. */
export class DirectoryJournalStore implements JournalStore {
  readonly #store: LockableKeyStore;
  readonly #path: string;
  readonly #options: FileAccessOptions;
  readonly #operations: FileOperations;
  #access: FileAccess | undefined;

  /** @param store a folder: its location is the path */
  constructor(store: LockableKeyStore, options: FileAccessOptions, operations: FileOperations = fileOperations) {
    this.#store = store;
    this.#path = join(store.location, CONTROL_FOLDER, "journal");
    this.#options = options;
    this.#operations = operations;
  }

  locationOf(domain: DomainName): string {
    const stem = domain.length <= LONGEST_STEM ? domain : `sha256-${createHash("sha256").update(domain).digest("hex")}`;
    return join(this.#path, `${stem}.json`);
  }

  async read(domain: DomainName): Promise<Journal | undefined> {
    const path = this.locationOf(domain);
    const text = readIfThere(path);
    if (text === undefined) return undefined;
    const journal = parseJournal(text, path);
    if (journal.domain !== domain) throw new JournalError(`${path} is the journal of ${journal.domain}`);
    return journal;
  }

  async domains(): Promise<DomainName[]> {
    const files = listFolder(this.#path).filter((name) => name.endsWith(".json"));
    return files
      .map((name) =>
        name.startsWith("sha256-")
          ? parseJournal(readFileSync(join(this.#path, name), "utf8"), join(this.#path, name)).domain
          : (name.slice(0, -".json".length) as DomainName),
      )
      .sort();
  }

  async lastRunAt(): Promise<number | undefined> {
    const time = Date.parse(readIfThere(join(this.#path, "last-run"))?.trim() ?? "");
    return Number.isNaN(time) ? undefined : time;
  }

  async recordRun(now: number): Promise<void> {
    this.#put(join(this.#path, "last-run"), `${new Date(now).toISOString()}\n`);
  }

  async lastClock(): Promise<ClockReading | undefined> {
    return parseClockReading(readIfThere(join(this.#path, "clock")) ?? "");
  }

  async recordClock(reading: ClockReading): Promise<void> {
    this.#put(join(this.#path, "clock"), formatClockReading(reading));
  }

  /** The lock of the store is the lease of every domain. */
  async begin(): Promise<RotationTurn> {
    const lock = await this.#store.lock();
    return { lease: async () => this.#lease, release: () => lock.release() };
  }

  readonly #lease: DomainLease = {
    writeJournal: async (journal) => this.#write(journal),
    createKey: async (name, key, journal) => {
      await this.#store.create(name, key);
      this.#write(journal);
    },
    removeKey: async (name, journal) => {
      try {
        await this.#store.remove(name);
      } catch (error) {
        // An earlier run was killed after this; or somebody was quicker.
        if (!(error instanceof KeyNotFoundError)) throw error;
      }
      this.#write(journal);
    },
    release: async () => {},
  };

  #write(journal: Journal): void {
    this.#put(this.locationOf(journal.domain as DomainName), formatJournal(journal));
  }

  #put(path: string, text: string): void {
    try {
      if (this.#access === undefined) {
        const access = resolveFileAccess(this.#options);
        ensureFolder(join(this.#store.location, CONTROL_FOLDER), access, this.#operations);
        ensureFolder(this.#path, access, this.#operations);
        sweepTemporaryFiles(this.#path);
        this.#access = access;
      }
      replaceFile(path, new TextEncoder().encode(text), this.#access, { operations: this.#operations });
    } catch (error) {
      throw writeFailure(error, path);
    }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new JournalError(`${path} cannot be read: ${systemErrorReason(error)}`, { cause: error });
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new JournalError(`${path} cannot be read: ${systemErrorReason(error)}`, { cause: error });
  }
}
