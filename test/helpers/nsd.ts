import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

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
  const nsd = await ServerProcess.start({
    program: "nsd",
    args: ["-d", "-V", "2", "-c", configuration],
    ready: /nsd started/,
    folder,
  });
  return { port, configuration, stop: () => nsd.stop() };
}
