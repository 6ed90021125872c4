import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { findBinary } from "./peers.ts";

/** A real NSD on loopback, without root. Skip by `requirePeer("nsd", "nsd-control")`. */
export interface Nsd {
  readonly port: number;
  /** For `nsd-control -c`. */
  readonly configuration: string;
  stop(): Promise<void>;
}

/** @param zones the master file by origin */
export async function startNsd(zones: Readonly<Record<string, string>>): Promise<Nsd> {
  const folder = await mkdtemp(join(tmpdir(), "dkimctl-nsd-"));
  const port = await freePort();
  const configuration = join(folder, "nsd.conf");
  const control = join(folder, "control");
  await writeFile(
    configuration,
    `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  xfrdfile: "${join(folder, "xfrd.state")}"
  zonelistfile: "${join(folder, "zone.list")}"
  xfrdir: "${folder}"
  server-count: 1
remote-control:
  control-enable: yes
  control-interface: "${control}"
${Object.entries(zones)
  .map(([name, file]) => `zone:\n  name: "${name}"\n  zonefile: "${file}"`)
  .join("\n")}
`,
  );
  let log = "";
  const child = spawn(findBinary("nsd") ?? "nsd", ["-d", "-V", "2", "-c", configuration], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await exited;
      clearTimeout(timer);
    }
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 20_000;
  while (!log.includes("nsd started")) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`nsd does not serve:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, configuration, stop };
}
