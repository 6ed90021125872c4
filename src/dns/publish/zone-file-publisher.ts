import { readFileSync } from "node:fs";
import { replaceFile } from "../../keys/durable-file.ts";
import { systemErrorCode, systemErrorReason } from "../../keys/key-store-errors.ts";
import { quoteTxtString, splitTxtStrings } from "../txt-strings.ts";
import { PublishError, type Publisher, requirePlainName } from "./publisher.ts";
import { requireProgram } from "./run-program.ts";

export interface ZoneFilePublisherOptions {
  /** The file that the zone includes; `{zone}` in it is the name of the zone. */
  readonly file: string;
  /** Makes the server read it: the program and its arguments. `{zone}` in them is the name of the zone. */
  readonly reload?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs: number;
}

const HEAD = "; written by dkimctl: each change replaces this file; include it in the zone with $INCLUDE\n";
const FILE_MODE = 0o644;

/** A file of TXT records, one a line with its whole name, replaced in one step; then the server's reload. */
export function createZoneFilePublisher({ file, reload, env, timeLimitMs }: ZoneFilePublisherOptions): Publisher {
  return {
    async change({ name, zone, ttlSeconds, after }, signal) {
      const owner = `${requirePlainName(name).toLowerCase()}.`;
      const origin = requirePlainName(zone).toLowerCase();
      const path = file.replaceAll("{zone}", origin);
      const old = readLines(path);
      const others = old.filter((line) => !line.toLowerCase().startsWith(`${owner}\t`));
      const line = `${owner}\t${ttlSeconds}\tIN\tTXT\t${splitTxtStrings(after ?? "")
        .map(quoteTxtString)
        .join(" ")}`;
      const lines = after === undefined ? others : [...others, line].sort();
      if (lines.join("\n") !== old.join("\n")) {
        try {
          replaceFile(path, Buffer.from(`${HEAD}${lines.map((text) => `${text}\n`).join("")}`, "latin1"), {
            mode: FILE_MODE,
          });
        } catch (error) {
          throw unwritable(error, path);
        }
      }
      // Also without a change: an earlier run may have been killed before it.
      if (reload === undefined) return;
      const argv = reload.map((word) => word.replaceAll("{zone}", origin));
      await requireProgram({ argv, stdin: "", env: { ...env, DKIMCTL_ZONE: origin }, timeLimitMs, signal });
    },
  };
}

/** Our own lines; whatever else stands in the file is somebody's who must be asked. */
function readLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw unwritable(error, path);
  }
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  const foreign = lines.findIndex((line) => !/^[a-z0-9_.-]+\.\t[0-9]+\tIN\tTXT\t".*"$/i.test(line));
  if (foreign >= 0) {
    throw new PublishError(`${path} holds something that dkimctl did not write: it is not replaced`, {
      hint: "give dkimctl a file of its own, and include it in the zone with $INCLUDE",
    });
  }
  return lines;
}

function unwritable(error: unknown, path: string): unknown {
  if (systemErrorCode(error) === undefined) return error;
  return new PublishError(`the zone file ${path} cannot be replaced: ${systemErrorReason(error)}`, { cause: error });
}
