import * as fs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FileOperations } from "../../src/keys/file-operations.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import type { NewKey, RecordTags } from "../../src/keys/key-store.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";

/** A new empty folder, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An Ed25519 key told by a number. */
export function testKey(number: number, tags: RecordTags = {}): NewKey {
  return { privateKey: ed25519PrivateKeyFromSeed(new Uint8Array(32).fill(number)), tags };
}

export const MAIL = parseKeyName("example.com", "mail");

/** node:fs, where call number `failAt` fails with `code`; `calls` tells what was called. */
export function faultyOperations(
  failAt: number | ((call: string) => boolean),
  code = "EIO",
): { operations: FileOperations; calls: string[] } {
  const calls: string[] = [];
  const operations = new Proxy(fs, {
    get(target, property: keyof FileOperations) {
      return (...parameters: unknown[]) => {
        calls.push(property);
        if (typeof failAt === "number" ? calls.length === failAt : failAt(property)) {
          // What was opened is closed, as the system does it.
          if (property === "closeSync") fs.closeSync(parameters[0] as number);
          throw Object.assign(new Error(code), { code, errno: -5, syscall: property });
        }
        return Reflect.apply(target[property], target, parameters);
      };
    },
  });
  return { operations, calls };
}
