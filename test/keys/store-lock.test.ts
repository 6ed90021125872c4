import * as fs from "node:fs";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileOperations } from "../../src/keys/file-operations.ts";
import { StoreLockedError } from "../../src/keys/key-store-errors.ts";
import { currentProcess } from "../../src/keys/process-identity.ts";
import { acquireLock } from "../../src/keys/store-lock.ts";
import { temporaryFolder } from "../helpers/store.ts";

const ACCESS = { mode: 0o600 };

/** Lets `interfere` act once, before or after call number `at`: whatever else may run on the machine in between. */
function interrupted(at: number, when: "before" | "after", interfere: () => void) {
  let calls = 0;
  const operations = new Proxy(fs, {
    get(target, property: keyof FileOperations) {
      return (...parameters: unknown[]) => {
        const now = ++calls === at;
        if (now && when === "before") interfere();
        try {
          return Reflect.apply(target[property], target, parameters);
        } finally {
          if (now && when === "after") interfere();
        }
      };
    },
  });
  return { operations, calls: () => calls };
}

function tryLock(folder: string, operations: FileOperations = fs): (() => void) | undefined {
  try {
    return acquireLock(folder, ACCESS, operations);
  } catch (error) {
    if (error instanceof StoreLockedError) return undefined;
    throw error;
  }
}

/** Turns the holder in the lock file, or the claim of an heir, into a process that has ended. */
function bury(path: string): void {
  const holder = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(`${path}.new`, JSON.stringify({ ...holder, startTime: "1" }));
  fs.renameSync(`${path}.new`, path);
}

const TURNS = {
  "takes it and keeps it": (folder: string) => tryLock(folder),
  "takes it and releases it": (folder: string) => {
    tryLock(folder)?.();
    return undefined;
  },
  "takes it and dies": (folder: string) => {
    if (tryLock(folder) !== undefined) bury(join(folder, "lock"));
    return undefined;
  },
  "takes it and dies, and a third takes it": (folder: string) => {
    if (tryLock(folder) === undefined) return undefined;
    bury(join(folder, "lock"));
    return tryLock(folder);
  },
  "dies as its heir": (folder: string) => {
    let claim: string | undefined;
    const dying = new Proxy(fs, {
      get(target, property: keyof FileOperations) {
        if (property !== "renameSync" && claim === undefined) return target[property];
        return () => {
          claim ??= readdirSync(folder).find((file) => file.startsWith("lock.heir."));
          throw new Error("killed");
        };
      },
    });
    try {
      acquireLock(folder, ACCESS, dying)();
    } catch {
      if (claim !== undefined) bury(join(folder, claim));
    }
    return undefined;
  },
};

test
  .skipIf(!existsSync("/proc/self/stat"))
  .each(
    Object.entries(TURNS).flatMap(([title, turn]) => [true, false].map((isStale) => [title, isStale, turn] as const)),
  )("another process %s (stale lock: %s) between any two calls: one holder", (_, isStale, turn) => {
  for (const when of ["before", "after"] as const) {
    for (let at = 1; ; at++) {
      const folder = temporaryFolder();
      const lock = join(folder, "lock");
      const dead = {
        ...currentProcess(),
        startTime: "1",
        token: crypto.randomUUID(),
        since: "2025-01-01T00:00:00.000Z",
      };
      if (isStale) writeFileSync(lock, JSON.stringify(dead));
      let others: (() => void) | undefined;
      let isTaken = false;
      const { operations, calls } = interrupted(at, when, () => {
        if (!isTaken) others = turn(folder);
      });
      const ours = tryLock(folder, operations);
      const callsMade = calls();
      isTaken = true;
      const reached = { when, at, ours: ours !== undefined, others: others !== undefined };
      expect(reached.ours && reached.others, JSON.stringify(reached)).toBe(false);
      const holder = ours ?? others;
      if (holder !== undefined) {
        expect(tryLock(folder), "a second holder").toBeUndefined();
        holder();
      }
      const next = tryLock(folder);
      expect(next, JSON.stringify(reached)).toBeDefined();
      next?.();
      expect(existsSync(lock)).toBe(false);
      if (callsMade < at) break;
    }
  }
});
