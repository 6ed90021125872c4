import { execFileSync } from "node:child_process";
import { findBinary } from "./peers.ts";

/** What the server on this loopback port has at a name: the joined texts. Skip by `requirePeer("dig")`. */
export function digTxt(port: number, name: string): string[] {
  const argv = ["@127.0.0.1", "-p", String(port), name, "TXT", "+short", "+norecurse"];
  const lines = execFileSync(findBinary("dig") ?? "dig", argv)
    .toString()
    .split("\n");
  return lines.filter((line) => line !== "").map((line) => line.replaceAll(/" "|^"|"$/g, ""));
}
