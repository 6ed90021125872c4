import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findBinary } from "./peers.ts";

export interface BrowserVisit {
  /** The document as it was when all was quiet. */
  readonly dom: string;
  /** What the browser said in its console: errors of scripts, breaches of the page's policy, and what it could not load. */
  readonly console: readonly string[];
}

/** Pages' timers run through so much of virtual time before the document is taken. */
const VIRTUAL_TIME_MS = 5000;

/** Opens a page in a Chromium of its own, that asks nobody but the page's server. */
export async function visit(url: string, { width = 1280, height = 900 } = {}): Promise<BrowserVisit> {
  const profile = mkdtempSync(join(tmpdir(), "dkimctl-chromium-"));
  try {
    const { stdout, stderr } = await promisify(execFile)(
      findBinary("chromium") ?? "chromium",
      [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
        ...["--disable-background-networking", "--disable-component-update", `--user-data-dir=${profile}`],
        ...["--enable-logging=stderr", `--virtual-time-budget=${VIRTUAL_TIME_MS}`, `--window-size=${width},${height}`],
        ...["--dump-dom", url],
      ],
      { maxBuffer: 1 << 26, timeout: 60_000, env: { ...process.env, HOME: profile } },
    );
    return { dom: stdout, console: stderr.split("\n").filter((line) => line.includes(":CONSOLE")) };
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
