/** Scripts depend on these: never renumber, only add. */
export const ExitCode = { ok: 0, checkFailed: 1, usage: 2, operationFailed: 3, tryAgain: 4, internal: 70 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface DkimctlErrorOptions extends ErrorOptions {
  /** The next step, as the user would type or do it: lower case, no full stop. */
  readonly hint?: string | undefined;
}

/**
 * A failure the user can act on. Whatever else is thrown is a bug and exits 70.
 * The message is lower case, without a full stop, quotes the offending value, and never holds private key text.
 */
export abstract class DkimctlError extends Error {
  abstract readonly code: `DKIM_${string}`;
  readonly exitCode: ExitCode = ExitCode.operationFailed;
  readonly hint: string | undefined;
  constructor(message: string, { hint, ...options }: DkimctlErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** What the user typed, or wrote into the configuration, cannot be what they meant. */
export class UsageError extends DkimctlError {
  override readonly code: `DKIM_${string}` = "DKIM_USAGE";
  override readonly exitCode: ExitCode = ExitCode.usage;
}

/** The question was fine; carrying it out failed (a full disk, no permission, no such key). */
export class OperationError extends DkimctlError {
  override readonly code: `DKIM_${string}` = "DKIM_OPERATION";
}

/** Nothing failed for good: temporary DNS or lock trouble. */
export class TryAgainError extends DkimctlError {
  override readonly code: `DKIM_${string}` = "DKIM_TRY_AGAIN";
  override readonly exitCode: ExitCode = ExitCode.tryAgain;
}
