import { spawn } from "node:child_process";
import { OperationError } from "../../errors.ts";
import { escapeDnsText } from "../escape-dns-text.ts";

export interface ProgramCall {
  /** The program and its arguments. No shell sees them. */
  readonly argv: readonly string[];
  readonly stdin: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** How many characters of its output are kept; default 64 KiB. */
  readonly mostOutput?: number | undefined;
}

export interface ProgramResult {
  /** `undefined` when it was killed. */
  readonly exitCode: number | undefined;
  /** What it said on both streams, in the order it came, the last `mostOutput` of it. */
  readonly output: string;
}

/** A program of the user's could not be run, failed, or took too long. */
export class ProgramError extends OperationError {
  override readonly code = "DKIM_PROGRAM";
}

const MOST_OUTPUT = 65_536;

/**
 * Runs a program in a process group of its own to its end, and ends the whole group when the time is up or the signal
 * comes. After the signal none is begun.
 * @throws {ProgramError} it cannot be started, or took too long
 * @throws the reason of the signal that came before it was started
 */
export function runProgram({
  argv,
  stdin,
  env,
  timeLimitMs,
  signal,
  mostOutput = MOST_OUTPUT,
}: ProgramCall): Promise<ProgramResult> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const [program = "", ...parameters] = argv;
  const label = JSON.stringify(program);
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let late = false;
    const end = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, timeLimitMs);
    signal?.addEventListener("abort", end, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("latin1").on("data", (text: string) => {
        output = (output + text).slice(-mostOutput);
      });
    }
    // A program that does not read its input closes the pipe; that is its right.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
    child.once("error", (cause) => {
      settle();
      const reason = "code" in cause && cause.code === "ENOENT" ? "there is no such program" : cause.message;
      reject(new ProgramError(`cannot run ${label}: ${reason}`, { cause }));
    });
    child.once("close", (exitCode) => {
      settle();
      if (late) reject(new ProgramError(`${label} was ended after ${timeLimitMs / 1000} s`));
      else resolve({ exitCode: exitCode ?? undefined, output });
    });
  });
}

/** The same for programs whose exit status 0 means success. @throws {ProgramError} any other exit status too */
export async function requireProgram(call: ProgramCall): Promise<string> {
  const { exitCode, output } = await runProgram(call);
  if (exitCode === 0) return output;
  const end = exitCode === undefined ? "was killed" : `failed with exit status ${exitCode}`;
  const said = lastLine(output);
  throw new ProgramError(`${JSON.stringify(call.argv[0] ?? "")} ${end}${said === "" ? "" : `: ${said}`}`);
}

/** The last line that says something, escaped and of bounded length. */
export function lastLine(output: string): string {
  return shown(output.trim().split(/\r?\n/).at(-1) ?? "", 200);
}

/** All lines as one, for programs whose first line tells most; escaped and of bounded length. */
export function joinedLines(output: string): string {
  return shown(
    output
      .trim()
      .split(/\s*\n\s*/)
      .join("; "),
    500,
  );
}

function shown(text: string, most: number): string {
  return escapeDnsText(text.length > most ? `${text.slice(0, most - 3)}...` : text);
}
