import { createHash } from "node:crypto";
import { constants, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { publishedKeyBytes } from "../dns/key-record.ts";
import { OperationError } from "../errors.ts";
import { giveName, withSyncedFolder, writeTemporary } from "../keys/durable-file.ts";
import { type FileOperations, fileOperations } from "../keys/file-operations.ts";
import { shellQuote } from "../keys/file-permissions.ts";
import { systemErrorCode, systemErrorReason } from "../keys/key-store-errors.ts";
import { encodePrivateKey, type PrivateKey } from "../keys/private-key.ts";
import { sweepTemporaryFiles, unlinkQuietly } from "../keys/temporary-file.ts";
import { REVEAL_README } from "./reveal-readme.ts";

/** Everybody may read what is in it, nobody may list it: a key is found by who knows its public key. */
const FOLDER_MODE = 0o711;
const FILE_ACCESS = { mode: 0o644, uid: undefined, gid: undefined } as const;

/** Seconds since the epoch, the same for all: when a key was revealed would tell when others are. */
const NO_TIME = 1_000_000_000;

/** A private key that was to be published could not be; it is still in the store. */
export class RevealError extends OperationError {
  override readonly code = "DKIM_REVEAL";
}

/**
 * The folder in which private keys are published whose public keys have left the DNS:
 * `<two digits>/<SHA-256 of what p= held>.pem`, and a README.txt that tells how to find one.
 */
export class RevealFolder {
  readonly path: string;
  readonly #operations: FileOperations;

  constructor(path: string, operations: FileOperations = fileOperations) {
    this.path = path;
    this.#operations = operations;
  }

  /** @param publicKey what p= holds, decoded @throws {RevealError} it cannot be told */
  has(publicKey: Uint8Array): boolean {
    const path = this.#pathOf(publicKey);
    try {
      return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    } catch (error) {
      throw revealError(error, path);
    }
  }

  /**
   * Publishes the key: durable when it returns. May be called again, whatever an earlier call was killed in.
   * @throws {RevealError}
   */
  reveal(privateKey: PrivateKey): void {
    const path = this.#pathOf(publishedKeyBytes(privateKey.publicKey));
    try {
      this.#prepareFolder(this.path, false);
      this.#prepareFolder(dirname(path), true);
      this.#write(join(this.path, "README.txt"), REVEAL_README, "any");
      this.#write(path, encodePrivateKey(privateKey, "pkcs8"), "same");
    } catch (error) {
      throw revealError(error, path);
    }
  }

  #pathOf(publicKey: Uint8Array): string {
    const hash = createHash("sha256").update(publicKey).digest("hex");
    return join(this.path, hash.slice(0, 2), `${hash}.pem`);
  }

  /** @param isOurs its mode is ours too, and not what the person who made it wanted @throws {RevealError} */
  #prepareFolder(path: string, isOurs: boolean): void {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & 0o022) !== 0) {
      throw new RevealError(`${path} can be changed by others, who could put false keys into it`, {
        hint: `take away their right to write: chmod go-w ${shellQuote(path)}`,
      });
    }
    if (found !== undefined && (!isOurs || (found.mode & 0o777) === FOLDER_MODE)) return;
    withSyncedFolder(dirname(path), this.#operations, (sync) => {
      if (found === undefined) this.#operations.mkdirSync(path, FOLDER_MODE);
      const descriptor = this.#operations.openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        // Whatever the umask left of it.
        this.#operations.fchmodSync(descriptor, FOLDER_MODE);
      } finally {
        this.#operations.closeSync(descriptor);
      }
      sync();
    });
  }

  /** @param expected what may be there already: `any` file, or one of the `same` text */
  #write(path: string, text: string, expected: "any" | "same"): void {
    const folder = dirname(path);
    withSyncedFolder(folder, this.#operations, (sync) => {
      sweepTemporaryFiles(folder, this.#operations);
      const bytes = Buffer.from(text);
      const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
      if (isThere && expected === "same" && !readFileSync(path).equals(bytes)) {
        throw new RevealError(`${path} is there, and does not hold the key that belongs there`, {
          hint: "look at it, and move it away",
        });
      }
      if (!isThere) {
        const temporary = writeTemporary(path, bytes, FILE_ACCESS, this.#operations);
        try {
          this.#hideTime(temporary);
          giveName(temporary, path, bytes, FILE_ACCESS, this.#operations);
          this.#operations.unlinkSync(temporary);
        } catch (error) {
          unlinkQuietly(temporary, this.#operations);
          throw error;
        }
      }
      // A file system without hard links made a new file, and a run that was killed here has left the folder's own time.
      if (expected === "same" || !isThere) this.#hideTime(path);
      sync();
      this.#hideTime(folder);
    });
  }

  #hideTime(path: string): void {
    this.#operations.utimesSync(path, NO_TIME, NO_TIME);
  }
}

function revealError(error: unknown, path: string): unknown {
  if (systemErrorCode(error) === undefined) return error;
  return new RevealError(`the private key cannot be published as ${path}: ${systemErrorReason(error)}`, {
    hint: "it is still in the store, and the next run tries again",
    cause: error,
  });
}
