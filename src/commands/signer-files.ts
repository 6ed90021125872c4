import { readFileSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperationError } from "../errors.ts";
import { systemErrorCode, systemErrorReason } from "../keys/key-store-errors.ts";
import { sweepTemporaryFiles } from "../keys/temporary-file.ts";
import type { SignerFile } from "../signers/signer-form.ts";
import { WRITTEN_BY } from "../signers/signer-form.ts";
import { replaceText } from "./export-files.ts";
import type { SignerTarget } from "./signer-target.ts";

/*
 * The files of a signer's configuration on disk. What they said before a change is kept beside them until the signer is
 * known to work with the new ones: a run that is killed in between is put back by the next.
 */

const SCHEMA = "dkimctl/signer-before/1";

/** A file and what it said; `undefined`: it was not there. */
interface FormerText {
  readonly path: string;
  readonly text: string | undefined;
}

/** The files of one signer's configuration, which `rotate` replaces and, when that fails, puts back. */
export class SignerFiles {
  readonly #target: SignerTarget;
  /** Hidden, so that no signer takes it for a part of its configuration. */
  readonly #recordPath: string;

  constructor(target: SignerTarget) {
    this.#target = target;
    this.#recordPath = join(dirname(target.mainPath), `.${basename(target.mainPath)}.dkimctl-before`);
  }

  /** Whether there is a configuration. @throws {OperationError} there is one that is not ours to replace */
  isThere(): boolean {
    const text = readIfThere(this.#target.mainPath);
    if (text === undefined) return false;
    if (text.includes(WRITTEN_BY)) return true;
    const { signer, mainPath, formOptions } = this.#target;
    throw new OperationError(`${mainPath} was not written by dkimctl, and is not replaced unasked`, {
      hint: `import its keys, then write it once by hand: dkimctl export ${signer} --output ${formOptions.folder}`,
    });
  }

  /** @throws {OperationError} a file would stay as it is, with keys that are to sign no more, and the signer may read it */
  requireNoneForgotten(files: readonly SignerFile[]): void {
    const { files: optional = [], configuration } = this.#target.form.namedByHand ?? {};
    for (const name of optional.filter((one) => !files.some((file) => file.name === one))) {
      const path = this.#target.pathOf({ name });
      if (readIfThere(path) === undefined) continue;
      throw new OperationError(`${path} is to name no key any more, and ${configuration} may still name it`, {
        hint: `take its line out of ${configuration} and of ${this.#target.mainPath}, then remove it; the next run goes on`,
      });
    }
  }

  /**
   * Replaces each file that says something else, having kept what all of them said.
   * @returns the paths of those files @throws {DkimctlError}
   */
  replace(files: readonly SignerFile[]): readonly string[] {
    const next = files.map((file) => ({ path: this.#target.pathOf(file), text: file.text }));
    const before = next.map(({ path }): FormerText => ({ path, text: readIfThere(path) }));
    const record = { schema: SCHEMA, files: before.map(({ path, text = null }) => ({ path, text })) };
    sweepTemporaryFiles(dirname(this.#recordPath));
    replaceText(this.#recordPath, `${JSON.stringify(record)}\n`, true);
    return next.filter(({ path, text }) => replaceText(path, text, false)).map(({ path }) => path);
  }

  /** The new files are in use. */
  confirm(): void {
    removeIfThere(this.#recordPath);
  }

  /**
   * The files as they were before a change that was not confirmed. They stay marked as such until `confirm`.
   * @returns whether there was one
   */
  putBack(): boolean {
    const record = readIfThere(this.#recordPath);
    if (record === undefined) return false;
    // What refers to another file goes first, so that nothing names what is not there.
    for (const { path, text } of this.#parse(record).reverse()) {
      if (text === undefined) removeIfThere(path);
      else replaceText(path, text, false);
    }
    return true;
  }

  #parse(text: string): FormerText[] {
    const fail = (): never => {
      throw new OperationError(`${this.#recordPath} is damaged: what the signer was configured with is not known`, {
        hint: `see to ${this.#target.mainPath}, and remove ${this.#recordPath}`,
      });
    };
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch {
      return fail();
    }
    const { schema, files } = (record ?? {}) as { schema?: unknown; files?: unknown };
    if (schema !== SCHEMA || !Array.isArray(files)) return fail();
    return files.map((file: { path?: unknown; text?: unknown }) => {
      // A record is obeyed for the files of this configuration only.
      if (typeof file.path !== "string" || dirname(file.path) !== dirname(this.#target.mainPath)) return fail();
      if (file.text !== null && typeof file.text !== "string") return fail();
      return { path: file.path, text: file.text ?? undefined };
    });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new OperationError(`cannot read ${path}: ${systemErrorReason(error)}`, { cause: error });
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw new OperationError(`cannot remove ${path}: ${systemErrorReason(error)}`, { cause: error });
  }
}
