import { getSystemErrorMap } from "node:util";
import { OperationError, TryAgainError, UsageError } from "../errors.ts";

/** The store as a whole cannot be read or written: no such folder, no permission, a full disk. */
export class KeyStoreError extends OperationError {
  override readonly code = "DKIM_KEY_STORE";
}

/** No key is stored under this name. */
export class KeyNotFoundError extends OperationError {
  override readonly code = "DKIM_KEY_NOT_FOUND";
}

/** The name is taken; what is stored there was not touched. */
export class KeyExistsError extends OperationError {
  override readonly code = "DKIM_KEY_EXISTS";
}

/** One file cannot be used as a key; the others are not concerned. `cause` tells why, where there is more to tell. */
export class KeyFileError extends OperationError {
  override readonly code = "DKIM_KEY_FILE";
}

/** This kind of store has no such thing: a server keeps no files to link to or to give to a user. */
export class UnsupportedByStoreError extends UsageError {
  override readonly code = "DKIM_UNSUPPORTED_BY_STORE";
}

/** A mode, owner or group that a key file must not or cannot be given. */
export class FileAccessError extends UsageError {
  override readonly code = "DKIM_FILE_ACCESS";
}

/** Another process, which may be alive, changes the store at this moment. */
export class StoreLockedError extends TryAgainError {
  override readonly code = "DKIM_STORE_LOCKED";
}

/** A server that keeps keys cannot be reached, or is not ready: later it may answer, and nothing is lost. */
export class StoreUnavailableError extends TryAgainError {
  override readonly code = "DKIM_STORE_UNAVAILABLE";
}

/** The name of the operating system's error (`ENOSPC`), `undefined` when `error` is something else. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && "syscall" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** The operating system's error in words: `no space left on device`. */
export function systemErrorReason(error: unknown): string {
  if (error instanceof Error && "errno" in error && typeof error.errno === "number") {
    const known = getSystemErrorMap().get(error.errno);
    if (known !== undefined) return known[1];
  }
  return systemErrorCode(error) ?? String(error);
}
