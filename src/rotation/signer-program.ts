import { requireProgram } from "../dns/publish/run-program.ts";
import { OperationError } from "../errors.ts";
import type { SignerSwitch, SigningKey } from "./store-world.ts";

export interface ProgramOptions {
  /** The program and its arguments. No shell sees them. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A program of the user's that writes the signer's configuration and reloads it. It is told of the keys in
 * `DKIMCTL_DOMAIN`, `DKIMCTL_SELECTORS` and `DKIMCTL_KEY_FILES` (one a line), and as JSON on its standard input. Exit status
 * 0 means that the signer uses these keys; it may be run again with the same ones.
 */
export function createSignerProgram({ command, env, timeLimitMs, signal }: ProgramOptions): SignerSwitch {
  const run = (keys: readonly SigningKey[], retired: readonly SigningKey[], ending?: AbortSignal) =>
    requireProgram({
      argv: command,
      stdin: `${JSON.stringify({ domain: keys[0]?.domain, keys: keys.map(describe), retired: retired.map(describe) })}\n`,
      env: {
        ...env,
        DKIMCTL_DOMAIN: keys[0]?.domain ?? "",
        DKIMCTL_SELECTORS: keys.map(({ selector }) => selector).join("\n"),
        DKIMCTL_KEY_FILES: keys.map(({ location }) => location).join("\n"),
      },
      timeLimitMs,
      signal: ending,
    });
  return {
    async use(keys, retired) {
      signal?.throwIfAborted();
      try {
        await run(keys, retired, signal);
      } catch (cause) {
        if (retired.length === 0) throw cause;
        const reason = cause instanceof Error ? cause.message : String(cause);
        const old = retired.map(({ selector }) => selector).join(" and ");
        try {
          // Whatever asked us to end must not end this half-way.
          await run(retired, []);
        } catch {
          throw new OperationError(`${reason}; nor did the signer go back to ${old}`, { cause });
        }
        throw new OperationError(`${reason}; the signer was put back to ${old}`, { cause });
      }
    },
  };
}

function describe({ selector, algorithm, location }: SigningKey) {
  return { selector, algorithm, file: location };
}
