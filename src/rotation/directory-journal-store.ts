import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DomainName } from "../keys/domain-name.ts";
import { replaceFile } from "../keys/durable-file.ts";
import { type FileAccess, type FileAccessOptions, resolveFileAccess } from "../keys/file-access.ts";
import { type FileOperations, fileOperations } from "../keys/file-operations.ts";
import { writeFailure } from "../keys/key-file.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { LockableKeyStore } from "../keys/key-store.ts";
import { KeyNotFoundError, systemErrorCode, systemErrorReason } from "../keys/key-store-errors.ts";
import { CONTROL_FOLDER, ensureFolder } from "../keys/store-folder.ts";
import { sweepTemporaryFiles } from "../keys/temporary-file.ts";
import { type ClockReading, formatClockReading, parseClockReading } from "./host-clock.ts";
import { formatJournal, JournalError, parseJournal, parseJournalOf } from "./journal.ts";
import type { DomainLease, JournalStore, RotationTurn } from "./journal-store.ts";
import type { KeptLook } from "./look.ts";
import { formatLooks, parseLooks } from "./looks-file.ts";
import type { Journal } from "./rotation-key.ts";

/** A file name must not be longer than 255 octets. */
const LONGEST_STEM = 200;

/** Begins the file name of a longer domain's journal. */
const HASHED = "sha256-";

/**
 * The journals of a folder of keys, one file a domain, in `.dkimctl/journal` within it; and when the last run was. The looks
 * at all domains are one file, which is removed before a journal is written and made anew at the end of a turn: a run that
 * was killed in between is followed by one that looks at every domain.
 */
export class DirectoryJournalStore implements JournalStore {
  readonly #store: LockableKeyStore;
  readonly #path: string;
  readonly #looksPath: string;
  readonly #options: FileAccessOptions;
  readonly #operations: FileOperations;
  #access: FileAccess | undefined;
  /** As they are to be at the end of the turn; `undefined`: nobody has asked so far. */
  #looks: Map<string, KeptLook> | undefined;
  /** Whether the file told something else when the turn began. */
  #looksHaveChanged = false;
  /** Whether the file is known not to be there. */
  #looksAreDropped = false;

  /** @param store a folder: its location is the path */
  constructor(store: LockableKeyStore, options: FileAccessOptions, operations: FileOperations = fileOperations) {
    this.#store = store;
    this.#path = join(store.location, CONTROL_FOLDER, "journal");
    this.#looksPath = join(this.#path, "looks");
    this.#options = options;
    this.#operations = operations;
  }

  locationOf(domain: DomainName): string {
    const stem =
      domain.length <= LONGEST_STEM ? domain : `${HASHED}${createHash("sha256").update(domain).digest("hex")}`;
    return join(this.#path, `${stem}.json`);
  }

  async read(domain: DomainName): Promise<Journal | undefined> {
    const path = this.locationOf(domain);
    const text = readIfThere(path);
    return text === undefined ? undefined : parseJournalOf(domain, text, path);
  }

  async domains(): Promise<DomainName[]> {
    const stems = listFolder(this.#path).flatMap((name) =>
      name.endsWith(".json") ? name.slice(0, -".json".length) : [],
    );
    const domains: DomainName[] = [];
    const unknown: string[] = [];
    for (const stem of stems) {
      if (!stem.startsWith(HASHED)) domains.push(stem as DomainName);
      else {
        const told = this.#domainToldBy(join(this.#path, `${stem}.json`));
        if (told === "damaged") unknown.push(stem);
        else if (told !== "gone") domains.push(told.domain);
      }
    }
    if (unknown.length > 0) {
      const stored = await this.#storedByPath();
      // Nobody's keys: named as its file is, where `read` finds it and tells of the damage.
      for (const stem of unknown) domains.push(stored.get(join(this.#path, `${stem}.json`)) ?? (stem as DomainName));
    }
    return domains.sort();
  }

  async looks(): Promise<ReadonlyMap<string, KeptLook>> {
    return this.#knownLooks();
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
    this.#looks = undefined;
    this.#looksHaveChanged = false;
    this.#looksAreDropped = false;
    return {
      lease: async (domain) => this.#lease(domain),
      release: async () => {
        try {
          await this.#keepLooks();
        } finally {
          await lock.release();
        }
      },
    };
  }

  readonly #lease = (domain: DomainName): DomainLease => ({
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
    release: async (served, look) => {
      if (served === undefined) return;
      const looks = this.#knownLooks();
      const wasKnown = looks.delete(domain);
      if (served && look !== undefined) looks.set(domain, look);
      if (wasKnown || looks.has(domain)) this.#looksHaveChanged = true;
    },
  });

  /** The domain of a journal whose file name does not tell it. */
  #domainToldBy(path: string): { readonly domain: DomainName } | "damaged" | "gone" {
    try {
      const text = readIfThere(path);
      if (text === undefined) return "gone";
      const { domain } = parseJournal(text, path);
      return this.locationOf(domain) === path ? { domain } : "damaged";
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      return "damaged";
    }
  }

  /** The domains that the store has keys of, by where their journals are. */
  async #storedByPath(): Promise<Map<string, DomainName>> {
    const stored = new Map<string, DomainName>();
    // The names are all that is wanted: what the filter lets through would be looked at, a file each.
    const note = ({ domain }: KeyName) => {
      stored.set(this.locationOf(domain), domain);
      return false;
    };
    for await (const _ of this.#store.list(note));
    return stored;
  }

  #knownLooks(): Map<string, KeptLook> {
    this.#looks ??= parseLooks(readIfThere(this.#looksPath) ?? "");
    return this.#looks;
  }

  async #keepLooks(): Promise<void> {
    if (!this.#looksHaveChanged) return;
    const looks = this.#knownLooks();
    const managed = new Set<string>(await this.domains());
    for (const domain of looks.keys()) if (!managed.has(domain)) looks.delete(domain);
    this.#put(this.#looksPath, formatLooks(looks));
  }

  /** What is known stays in memory until the turn ends. */
  #dropLooks(): void {
    if (this.#looksAreDropped) return;
    this.#knownLooks();
    try {
      this.#operations.unlinkSync(this.#looksPath);
      this.#looksHaveChanged = true;
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw writeFailure(error, this.#looksPath);
    }
    this.#looksAreDropped = true;
  }

  #write(journal: Journal): void {
    this.#dropLooks();
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
