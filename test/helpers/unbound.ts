import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { findBinary } from "./peers.ts";

/** A real unbound on loopback: a validating resolver, over UDP, TCP, TLS and HTTPS. Skip by `requirePeer("unbound")`. */
export interface Unbound {
  /** `127.0.0.1#5353` */
  readonly server: string;
  readonly tlsPort: number;
  readonly httpsPort: number;
  stop(): Promise<void>;
}

export interface UnboundOptions {
  /** Zones and the port on 127.0.0.1 that serves them. */
  readonly stubs: Readonly<Record<string, number>>;
  /** Lines of DNSKEY or DS records. Zones without one are insecure. */
  readonly trustAnchors: readonly string[];
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
}

export async function startUnbound({ stubs, trustAnchors, certificate, key }: UnboundOptions): Promise<Unbound> {
  const [port, tlsPort, httpsPort] = [await freePort(), await freePort(), await freePort()];
  const directory = await mkdtemp(join(tmpdir(), "dkimctl-unbound-"));
  await writeFile(join(directory, "anchors"), `${trustAnchors.join("\n")}\n`);
  const path = join(directory, "unbound.conf");
  await writeFile(
    path,
    `
server:
  directory: "${directory}"
  chroot: ""
  username: ""
  pidfile: ""
  logfile: ""
  use-syslog: no
  verbosity: 1
  num-threads: 1
  interface: 127.0.0.1@${port}
  interface: 127.0.0.1@${tlsPort}
  interface: 127.0.0.1@${httpsPort}
  tls-port: ${tlsPort}
  https-port: ${httpsPort}
  tls-service-key: "${key}"
  tls-service-pem: "${certificate}"
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "${join(directory, "anchors")}"
  ede: yes
  local-zone: "test." nodefault
  target-fetch-policy: "0 0 0 0 0"
remote-control:
  control-enable: no
${Object.entries(stubs)
  .map(([zone, at]) => `stub-zone:\n  name: "${zone}"\n  stub-addr: 127.0.0.1@${at}\n  stub-prime: no`)
  .join("\n")}
`,
  );
  let log = "";
  const child = spawn(findBinary("unbound") ?? "unbound", ["-d", "-c", path], { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + 20_000;
  while (!log.includes("start of service")) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`unbound does not serve:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { server: `127.0.0.1#${port}`, tlsPort, httpsPort, stop };
}
