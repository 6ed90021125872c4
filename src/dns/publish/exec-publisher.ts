import { type Publisher, requirePlainName } from "./publisher.ts";
import { requireProgram } from "./run-program.ts";

export interface ExecPublisherOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs: number;
}

/**
 * A program of the user's: told what to do in `DKIMCTL_ACTION` (`publish`, `replace`, `withdraw`), `DKIMCTL_NAME`,
 * `DKIMCTL_ZONE`, `DKIMCTL_TTL` and `DKIMCTL_RECORD`, and the same as JSON on its standard input.
 */
export function createExecPublisher({ command, env, timeLimitMs }: ExecPublisherOptions): Publisher {
  return {
    async change({ name, zone, ttlSeconds, before, after }, signal) {
      const action = after === undefined ? "withdraw" : (before?.length ?? 0) > 0 ? "replace" : "publish";
      const call = {
        action,
        name: requirePlainName(name),
        zone: requirePlainName(zone),
        ttl: ttlSeconds,
        record: after,
      };
      await requireProgram({
        argv: command,
        stdin: `${JSON.stringify(call)}\n`,
        env: {
          ...env,
          DKIMCTL_ACTION: action,
          DKIMCTL_NAME: name,
          DKIMCTL_ZONE: zone,
          DKIMCTL_TTL: String(ttlSeconds),
          DKIMCTL_RECORD: after ?? "",
        },
        timeLimitMs,
        signal,
      });
    },
  };
}
