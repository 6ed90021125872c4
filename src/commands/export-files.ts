import { lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { replaceFile } from "../keys/durable-file.ts";
import type { FileAccess } from "../keys/file-access.ts";
import { writeFailure } from "../keys/key-file.ts";
import type { SignerFile, SignerForm } from "../signers/signer-form.ts";

/**
 * Which file goes where. @param output a folder for a form of several files, else the file itself
 * @throws {UsageError} it is the other of the two
 */
export function outputPaths(files: readonly SignerFile[], { defaultFolder }: SignerForm<never>, output: string) {
  const isFolder = statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;
  if (defaultFolder === undefined) {
    if (isFolder) {
      throw new UsageError(`${output} is a folder, and this form is one file`, {
        hint: `name the file: --output ${join(output, files[0]?.name ?? "FILE")}`,
      });
    }
    return files.map(({ text }) => ({ path: output, text }));
  }
  if (!isFolder) {
    throw new UsageError(`${output} is not a folder, and this form has several files`, {
      hint: `make it: mkdir ${output}`,
    });
  }
  return files.map(({ name, text }) => ({ path: join(output, name), text }));
}

/** Replaces the file in one step if it says something else; owner and mode stay. @returns whether it was replaced */
export function replaceText(path: string, text: string, isSecret: boolean): boolean {
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    // What a link names is replaced, not the link.
    const target = there?.isSymbolicLink() ? realpathSync(path) : path;
    const old = there === undefined ? undefined : statSync(target);
    if (old !== undefined && readFileSync(target, "utf8") === text) return false;
    const mode = isSecret ? 0o600 : (old?.mode ?? 0o644) & 0o777;
    const access: FileAccess = { mode, uid: old?.uid, gid: old?.gid };
    replaceFile(target, new TextEncoder().encode(text), access);
    return true;
  } catch (error) {
    throw writeFailure(error, path);
  }
}
