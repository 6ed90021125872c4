import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

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
  const unbound = await ServerProcess.start({
    program: "unbound",
    args: ["-d", "-c", path],
    ready: /start of service/,
    folder: directory,
  });
  return { server: `127.0.0.1#${port}`, tlsPort, httpsPort, stop: () => unbound.stop() };
}
