import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A zone signed by BIND's tools, and the DNSKEY to trust. Skip by `requirePeer("dnssec-keygen", "dnssec-signzone")`. */
export interface SignedZone {
  readonly text: string;
  readonly trustAnchor: string;
}

export function signZone(origin: string, text: string): SignedZone {
  const directory = mkdtempSync(join(tmpdir(), "dkimctl-signed-"));
  const run = (...[program, ...args]: [string, ...string[]]) =>
    execFileSync(program, args, {
      cwd: directory,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
  try {
    run("dnssec-keygen", "-a", "ECDSAP256SHA256", "-f", "KSK", "-n", "ZONE", origin);
    const key = readdirSync(directory).find((file) => file.endsWith(".key")) ?? "";
    writeFileSync(join(directory, "zone"), text);
    run("dnssec-signzone", "-S", "-z", "-o", origin, "-f", "signed", "zone");
    return {
      text: readFileSync(join(directory, "signed"), "utf8"),
      trustAnchor: dnskeyLine(readFileSync(join(directory, key), "utf8")),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function dnskeyLine(text: string): string {
  return text.split("\n").find((line) => line.includes(" DNSKEY ")) ?? "";
}
