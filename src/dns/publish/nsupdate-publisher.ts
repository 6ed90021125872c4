import { accessSync, constants } from "node:fs";
import { systemErrorReason } from "../../keys/key-store-errors.ts";
import { quoteTxtString, splitTxtStrings } from "../txt-strings.ts";
import { PublishAgainError, PublishError, type Publisher, type RecordChange, requirePlainName } from "./publisher.ts";
import { lastLine, type ProgramResult, runProgram } from "./run-program.ts";

export interface NsupdatePublisherOptions {
  /** The primary. */
  readonly server: { readonly host: string; readonly port: number };
  /** The TSIG key, as `tsig-keygen` writes it. The secret is never an argument. */
  readonly keyFile?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs: number;
  /** Default `nsupdate`. */
  readonly program?: string | undefined;
}

/**
 * RFC 2136 through BIND's own client: one transaction that makes sure of what is there (§2.4), deletes and adds, over
 * TCP and signed with TSIG (RFC 8945).
 */
export function createNsupdatePublisher(options: NsupdatePublisherOptions): Publisher {
  const { server, keyFile, env, timeLimitMs, program = "nsupdate" } = options;
  const seconds = String(Math.max(1, Math.floor(timeLimitMs / 1000)));
  const argv = [program, "-v", "-t", seconds, ...(keyFile === undefined ? [] : ["-k", keyFile])];
  const send = (zone: string, lines: readonly string[], signal: AbortSignal | undefined) => {
    const head = [`server ${server.host} ${server.port}`, `zone ${zone}.`];
    const stdin = `${[...head, ...lines, "send", "quit"].join("\n")}\n`;
    return runProgram({ argv, stdin, env, timeLimitMs: timeLimitMs + 2000, signal });
  };
  return {
    async change(change, signal) {
      const zone = requirePlainName(change.zone);
      requireKeyFile(keyFile);
      const result = await send(zone, updateOf(change), signal);
      if (result.exitCode === 0) return;
      const code = responseCode(result.output);
      if (code === "NXRRSET" || code === "YXRRSET" || code === "NXDOMAIN" || code === "YXDOMAIN") {
        // An earlier run may have been killed, or its answer lost, after the server had done this very change.
        const again = await send(zone, proofOf(change), signal);
        if (again.exitCode === 0) return;
        throw new PublishAgainError(`the record at ${change.name} is not what it was a moment ago (${code})`, {
          hint: "somebody else changes it too; see: dkimctl testkeys",
        });
      }
      throw failureOf(code, result, options);
    },
  };
}

/** nsupdate goes on without a signature when it cannot read its key. */
function requireKeyFile(keyFile: string | undefined): void {
  if (keyFile === undefined) return;
  try {
    accessSync(keyFile, constants.R_OK);
  } catch (error) {
    throw new PublishError(`the TSIG key ${keyFile} cannot be read: ${systemErrorReason(error)}`, { cause: error });
  }
}

/** RFC 2136 §2.4.2 and §2.4.3 before §2.5.2 and §2.5.1. */
function updateOf(change: RecordChange): string[] {
  const name = `${requirePlainName(change.name)}.`;
  const { before, after, ttlSeconds } = change;
  const expected =
    before === undefined
      ? []
      : before.length === 0
        ? [`prereq nxrrset ${name} IN TXT`]
        : before.map((strings) => `prereq yxrrset ${name} IN TXT ${quoted(strings)}`);
  const add = after === undefined ? [] : [`update add ${name} ${ttlSeconds} IN TXT ${quoted(splitTxtStrings(after))}`];
  return [...expected, `update delete ${name} IN TXT`, ...add];
}

/** Changes nothing, and succeeds only when the change is made already. */
function proofOf({ name, after }: RecordChange): string[] {
  const absolute = `${requirePlainName(name)}.`;
  return after === undefined
    ? [`prereq nxrrset ${absolute} IN TXT`]
    : [`prereq yxrrset ${absolute} IN TXT ${quoted(splitTxtStrings(after))}`];
}

function quoted(strings: readonly string[]): string {
  return strings.map(quoteTxtString).join(" ");
}

function responseCode(output: string): string | undefined {
  return /update failed: ([A-Z]+(?:\([A-Z]+\))?)/.exec(output)?.[1];
}

function failureOf(
  code: string | undefined,
  { exitCode, output }: ProgramResult,
  { server, keyFile }: NsupdatePublisherOptions,
): PublishError | PublishAgainError {
  const primary = `${server.host}#${server.port}`;
  if (/timed out|Communication with .* failed|connection refused|unreachable/i.test(output)) {
    return new PublishAgainError(`${primary} does not answer updates: ${lastLine(output)}`);
  }
  if (code?.includes("BADTIME") === true) {
    return new PublishError(`${primary} refused the TSIG signature: the clocks differ (${code})`, {
      hint: "set the clocks of both hosts by NTP",
    });
  }
  if (code?.startsWith("NOTAUTH(") === true || /tsig|TSIG|BADKEY|BADSIG/.test(output)) {
    return new PublishError(`${primary} does not accept the TSIG key of ${keyFile ?? "no file"}: ${lastLine(output)}`, {
      hint: "name, algorithm and secret must be those of the server's key statement",
    });
  }
  if (code === "REFUSED") {
    return new PublishError(`${primary} refused the update (REFUSED)`, {
      hint: "its update-policy must let this key change TXT records of the zone",
    });
  }
  if (code === "NOTAUTH" || code === "NOTZONE") {
    return new PublishError(`${primary} is not the primary of the zone (${code})`, { hint: "see [publish] server" });
  }
  if (code === "SERVFAIL") return new PublishAgainError(`${primary} failed (SERVFAIL)`);
  return new PublishError(`nsupdate failed (${code ?? `exit status ${exitCode ?? "none"}`}): ${lastLine(output)}`);
}
