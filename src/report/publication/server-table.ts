import type { AuthoritativeCheck, ServerLine } from "../../checks/authoritative-check.ts";
import { renderTable } from "../../terminal/table.ts";

/** What each authoritative server says; no lines where they are of one mind: then there is nothing to compare. */
export function serverTable(check: AuthoritativeCheck | undefined): string[] {
  if (check === undefined || check.servers.length === 0) return [];
  if (check.state === "agree" && !check.serialsDiffer) return [];
  return renderTable(["ZONE", "SERVER", "ADDRESS", "SERIAL", "SERVES"], check.servers.map(tableRow))
    .trimEnd()
    .split("\n");
}

function tableRow({ zone, nameServer, address, serial, serves, problem }: ServerLine): string[] {
  const content = [serves, problem].filter((text) => text !== null).join("; ");
  return [zone, nameServer, address ?? "-", serial === null ? "-" : String(serial), content];
}
