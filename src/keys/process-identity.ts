import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { kill, pid } from "node:process";

/**
 * One process, told apart from every other that has had or will have its pid: on Linux by its start time, the boot it
 * runs in and its pid namespace; elsewhere by the pid alone.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, proc(5) `stat` field 22. */
  readonly startTime?: string | undefined;
  readonly bootId?: string | undefined;
  readonly pidNamespace?: string | undefined;
  readonly host: string;
}

/** The process that asks. */
export function currentProcess(): ProcessIdentity {
  return {
    pid,
    startTime: processStat("self")?.startTime,
    bootId: quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
    pidNamespace: quietly(() => readlinkSync("/proc/self/ns/pid")),
    host: hostname(),
  };
}

/** What `observer` can say about a process; `unknown` where it runs on another host or in another pid namespace. */
export function processState(other: ProcessIdentity, observer = currentProcess()): "alive" | "ended" | "unknown" {
  if (other.host !== observer.host && other.bootId !== observer.bootId) return "unknown";
  if (other.bootId !== observer.bootId) return "ended";
  if (other.pidNamespace !== observer.pidNamespace) return "unknown";
  const stat = processStat(String(other.pid));
  // proc(5) may be mounted so that it hides other users' processes (hidepid): only a signal can tell then.
  if (stat === undefined) return acceptsSignals(other.pid) ? "alive" : "ended";
  if (stat.state === "Z" || stat.state === "X") return "ended";
  return other.startTime === undefined || stat.startTime === other.startTime ? "alive" : "ended";
}

function processStat(which: string): { state: string; startTime: string } | undefined {
  const text = quietly(() => readFileSync(`/proc/${which}/stat`, "latin1"));
  if (text === undefined) return undefined;
  // Field 2, the program's name, may itself hold spaces and parentheses: count from the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

function acceptsSignals(id: number): boolean {
  try {
    return kill(id, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function quietly(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
