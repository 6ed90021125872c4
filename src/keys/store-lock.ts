import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { giveName, writeTemporary } from "./durable-file.ts";
import type { FileAccess } from "./file-access.ts";
import type { FileOperations } from "./file-operations.ts";
import { shellQuote } from "./file-permissions.ts";
import { StoreLockedError, systemErrorCode } from "./key-store-errors.ts";
import { currentProcess, type ProcessIdentity, processState } from "./process-identity.ts";
import { sweepTemporaryFiles, unlinkQuietly } from "./temporary-file.ts";

/*
 * One file, `lock`, names the process that holds the lock and a token that is never used twice. It is made by link(),
 * which one of many succeeds in. A lock whose process has ended is inherited, and here lies the trap: who removes a
 * stale lock may remove the fresh one of somebody who was quicker. So nothing stale is ever removed. Who finds the
 * holder of token T ended claims to be its heir by making `lock.heir.T` (link() again: one succeeds), reads `lock`
 * again, and only when it still holds T replaces it by rename(). Should the heir die in between, its own token has an
 * heir in turn, and the chain is walked to its end. `lock` never returns to T, so a claim that comes late is seen to
 * be late and withdrawn. While a holder lives nobody but itself touches `lock`.
 */

interface LockHolder extends ProcessIdentity {
  readonly token: string;
  /** When the lock was taken, for people. */
  readonly since: string;
}

/** Many times the number of processes that can end between two looks at the lock. */
const MAX_ATTEMPTS = 100;

/**
 * Takes the lock of `folder`, or fails at once.
 * @returns the function that releases it
 * @throws {StoreLockedError} a process that is alive holds it, or one that cannot be seen from here
 */
export function acquireLock(folder: string, access: FileAccess, operations: FileOperations): () => void {
  sweepTemporaryFiles(folder, operations);
  const path = join(folder, "lock");
  const heirPath = (token: string) => join(folder, `lock.heir.${token}`);
  const self: LockHolder = { ...currentProcess(), token: randomUUID(), since: new Date().toISOString() };
  const bytes = new TextEncoder().encode(`${JSON.stringify(self)}\n`);
  const own = writeTemporary(path, bytes, access, operations);
  const makeOwn = (target: string) => isFree(() => giveName(own, target, bytes, access, operations));
  const release = () => {
    // One that cannot be removed is inherited as soon as this process has ended.
    if (readHolder(path)?.token === self.token) unlinkQuietly(path, operations);
  };
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (makeOwn(path)) return release;
      const holder = readHolder(path);
      if (holder === undefined) continue;
      const last = lastOfChain(holder, self, path, heirPath);
      if (!makeOwn(heirPath(last.token))) continue;
      if (readHolder(path)?.token !== holder.token) {
        unlinkQuietly(heirPath(last.token), operations);
        continue;
      }
      operations.renameSync(own, path);
      for (const name of readdirSync(folder)) {
        if (name.startsWith("lock.heir.")) unlinkQuietly(join(folder, name), operations);
      }
      return release;
    }
    throw new StoreLockedError(`${path} changes hands all the time`, { hint: "try again" });
  } finally {
    unlinkQuietly(own, operations);
  }
}

/** The last process in the line of heirs that starts at `holder`, all of which have ended. */
function lastOfChain(
  holder: LockHolder,
  self: ProcessIdentity,
  path: string,
  heirPath: (token: string) => string,
): LockHolder {
  for (let last = holder; ; ) {
    const state = processState(last, self);
    if (state !== "ended") throw lockedError(last, self, state, path);
    const heir = readHolder(heirPath(last.token));
    if (heir === undefined) return last;
    last = heir;
  }
}

function lockedError(
  holder: LockHolder,
  self: ProcessIdentity,
  state: "alive" | "unknown",
  path: string,
): StoreLockedError {
  const where = holder.host === self.host ? "" : ` on host ${JSON.stringify(holder.host)}`;
  return new StoreLockedError(`the key store is locked by process ${holder.pid}${where} since ${holder.since}`, {
    hint:
      state === "alive"
        ? "try again when it has ended"
        : `it cannot be seen from here; when it has surely ended: rm ${shellQuote(path)}`,
  });
}

function isFree(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function readHolder(path: string): LockHolder | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  const holder = parseHolder(text);
  if (holder === undefined) {
    throw new StoreLockedError(`the lock file ${path} is damaged, so its holder cannot be known`, {
      hint: `when no other dkimctl runs: rm ${shellQuote(path)}`,
    });
  }
  return holder;
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const value: Partial<Record<keyof LockHolder, unknown>> | null = JSON.parse(text);
    if (value === null || typeof value !== "object") return undefined;
    const { pid, startTime, bootId, pidNamespace, host, token, since } = value;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof token !== "string" || !/^[0-9a-f-]{36}$/.test(token)) return undefined;
    if (typeof host !== "string" || typeof since !== "string" || !/^[0-9T:.Z-]{1,32}$/.test(since)) return undefined;
    const optional = (part: unknown) => (typeof part === "string" ? part : undefined);
    return {
      pid,
      startTime: optional(startTime),
      bootId: optional(bootId),
      pidNamespace: optional(pidNamespace),
      host,
      token,
      since,
    };
  } catch {
    return undefined;
  }
}
