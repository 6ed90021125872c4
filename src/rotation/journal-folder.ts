import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DomainName } from "../keys/domain-name.ts";
import { replaceFile } from "../keys/durable-file.ts";
import { type FileAccess, type FileAccessOptions, resolveFileAccess } from "../keys/file-access.ts";
import { type FileOperations, fileOperations } from "../keys/file-operations.ts";
import { writeFailure } from "../keys/key-file.ts";
import { systemErrorCode, systemErrorReason } from "../keys/key-store-errors.ts";
import { ensureFolder } from "../keys/store-folder.ts";
import { sweepTemporaryFiles } from "../keys/temporary-file.ts";
import { formatJournal, JournalError, parseJournal } from "./journal.ts";
import type { Journal } from "./rotation-key.ts";

/** A file name must not be longer than 255 octets. */
const LONGEST_STEM = 200;

/** The journals of a store, one file a domain, in `.dkimctl/journal` within it; and when the last run was. */
export class JournalFolder {
  readonly #store: string;
  readonly #path: string;
  readonly #options: FileAccessOptions;
  readonly #operations: FileOperations;
  #access: FileAccess | undefined;

  constructor(store: string, options: FileAccessOptions, operations: FileOperations = fileOperations) {
    this.#store = store;
    this.#path = join(store, ".dkimctl", "journal");
    this.#options = options;
    this.#operations = operations;
  }

  /** For messages. */
  locationOf(domain: DomainName): string {
    const stem = domain.length <= LONGEST_STEM ? domain : `sha256-${createHash("sha256").update(domain).digest("hex")}`;
    return join(this.#path, `${stem}.json`);
  }

  /** @returns `undefined`: the domain is not managed @throws {JournalError} it is damaged */
  read(domain: DomainName): Journal | undefined {
    const path = this.locationOf(domain);
    const text = readIfThere(path);
    if (text === undefined) return undefined;
    const journal = parseJournal(text, path);
    if (journal.domain !== domain) throw new JournalError(`${path} is the journal of ${journal.domain}`);
    return journal;
  }

  /** The domains that have a journal, damaged or not, in order. @throws {JournalError} */
  domains(): DomainName[] {
    const files = listFolder(this.#path).filter((name) => name.endsWith(".json"));
    return files
      .map((name) =>
        name.startsWith("sha256-")
          ? parseJournal(readFileSync(join(this.#path, name), "utf8"), join(this.#path, name)).domain
          : (name.slice(0, -".json".length) as DomainName),
      )
      .sort();
  }

  /** Durable when it returns. @throws {KeyStoreError | FileAccessError} the old one is in place */
  write(journal: Journal & { readonly domain: string }): void {
    this.#put(this.locationOf(journal.domain as DomainName), formatJournal(journal));
  }

  /** Milliseconds since the epoch; `undefined` before the first run. */
  lastRunAt(): number | undefined {
    const time = Date.parse(readIfThere(join(this.#path, "last-run"))?.trim() ?? "");
    return Number.isNaN(time) ? undefined : time;
  }

  recordRun(now: number): void {
    this.#put(join(this.#path, "last-run"), `${new Date(now).toISOString()}\n`);
  }

  #put(path: string, text: string): void {
    try {
      if (this.#access === undefined) {
        const access = resolveFileAccess(this.#options);
        ensureFolder(join(this.#store, ".dkimctl"), access, this.#operations);
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
