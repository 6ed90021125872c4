import { UsageError } from "../errors.ts";
import { quoteName } from "../keys/domain-name.ts";
import { KeyExistsError } from "../keys/key-store-errors.ts";

/**
 * Refuses what can only be meant otherwise as the name of a file to make: nothing, a folder, a mistyped option.
 * @throws {UsageError}
 */
export function requireFileName(file: string): void {
  if (file === "") throw new UsageError("the name of the file to make is empty");
  if (file.startsWith("-")) {
    throw new UsageError(`the file name ${quoteName(file)} starts with "-"`, {
      hint: `an option may be mistyped; for a file of that name write ./${file}`,
    });
  }
  if (/(^|\/)\.{0,2}$/.test(file)) {
    throw new UsageError(`${quoteName(file)} names a folder, not a file to make`, {
      hint: "name the file in it: <domain>.<selector>.pem",
    });
  }
}

/**
 * The store speaks of its own options when a name is taken; for a file outside of it the next step is another.
 * @throws whatever `write` throws
 */
export function withHintIfTaken<T>(hint: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof KeyExistsError)) throw error;
    throw new KeyExistsError(error.message, { hint, cause: error });
  }
}
