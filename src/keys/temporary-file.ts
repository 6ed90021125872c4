import { createHash, randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type FileOperations, fileOperations } from "./file-operations.ts";
import { currentProcess, type ProcessIdentity, processState } from "./process-identity.ts";

/*
 * A file that is being written is named after the process that writes it, so that the next run can remove what a
 * killed one has left: .dkimctl-tmp.<host>.<boot>.<pid>.<start time>.<random>
 */
const PREFIX = ".dkimctl-tmp.";

/** Files of other hosts and pid namespaces, whose processes cannot be seen, are left alone for so long. */
const UNSEEN_GRACE_MS = 24 * 60 * 60 * 1000;

/** A path in `folder` that no other process and no other call uses, hidden from every listing. */
export function temporaryPath(folder: string): string {
  const self = currentProcess();
  const parts = [hostMark(self), bootMark(self), self.pid, self.startTime ?? "0", randomBytes(6).toString("hex")];
  return join(folder, PREFIX + parts.join("."));
}

/** Removes the temporary files in `folder` whose processes have ended. Failing to is nobody's error. */
export function sweepTemporaryFiles(folder: string, operations: FileOperations = fileOperations): void {
  for (const path of abandonedTemporaryFiles(folder)) unlinkQuietly(path, operations);
}

/** The temporary files in `folder` whose processes have ended. */
export function abandonedTemporaryFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
    if (names.length === 0) return [];
    const self = currentProcess();
    return names.filter((name) => isLeftOver(folder, name, self)).map((name) => join(folder, name));
  } catch {
    // A folder that cannot be listed is not ours to tidy.
    return [];
  }
}

/** Removes a file; one that cannot be removed is left to a later run. */
export function unlinkQuietly(path: string, operations: FileOperations): void {
  try {
    operations.unlinkSync(path);
  } catch {
    // Gone already, or swept by a later run.
  }
}

function isLeftOver(folder: string, name: string, self: ProcessIdentity): boolean {
  const [host, boot, pid, startTime] = name.slice(PREFIX.length).split(".");
  if (host !== hostMark(self)) {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats !== undefined && Date.now() - stats.mtimeMs > UNSEEN_GRACE_MS;
  }
  if (boot !== bootMark(self)) return true;
  return (
    processState({ ...self, pid: Number(pid), startTime: startTime === "0" ? undefined : startTime }, self) === "ended"
  );
}

function hostMark({ host, pidNamespace }: ProcessIdentity): string {
  return mark(`${host}\n${pidNamespace}`);
}

function bootMark({ bootId }: ProcessIdentity): string {
  return mark(String(bootId));
}

function mark(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
