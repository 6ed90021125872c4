import { mkdtemp, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** A real BIND on loopback, without root, gone with `stop`. Skip tests that use it by `requirePeer("named")`. */
export interface Named {
  readonly port: number;
  readonly addresses: readonly string[];
  /** `127.0.0.1#5353`, for `--server`. */
  readonly server: string;
  readonly directory: string;
  /** Writes a zone anew and returns once it is served. */
  replaceZone(origin: string, text: string): Promise<void>;
  /** All that named has logged. */
  log(): string;
  stop(): Promise<void>;
}

export interface NamedOptions {
  /** Zone text by origin, such as `{ "example.com": "@ 60 SOA ns hostmaster 1 60 60 60 60\n@ 60 NS ns\n…" }`. */
  readonly zones: Readonly<Record<string, string>>;
  /** Default `["127.0.0.1"]`. An interface must have them, as it has ::1; named does not take the rest of 127.0.0.0/8. */
  readonly addresses?: readonly string[];
  /** Default: one that is free on all addresses. */
  readonly port?: number;
  /** Statements for the `options` block, such as `minimal-responses yes;`. */
  readonly options?: string;
  /** Statements beside it, such as `tls` or another `zone`. */
  readonly statements?: string;
}

/** @throws {Error} named does not start; its log is in the message */
export async function startNamed(settings: NamedOptions): Promise<Named> {
  const { zones, addresses = ["127.0.0.1"] } = settings;
  const port = settings.port ?? (await freePort(addresses));
  const directory = await mkdtemp(join(tmpdir(), "dkimctl-named-"));
  for (const [origin, text] of Object.entries(zones)) await writeZone(directory, origin, text);
  await writeFile(join(directory, "named.conf"), configuration(settings, directory, port, addresses));

  const named = await ServerProcess.start({
    program: "named",
    args: ["-g", "-n", "1", "-U", "1", "-c", join(directory, "named.conf")],
    ready: / running$/m,
    folder: directory,
  });
  return {
    port,
    addresses,
    server: `${addresses[0]}#${port}`,
    directory,
    async replaceZone(origin, text) {
      const from = named.log.length;
      await writeZone(directory, origin, text);
      named.signal("SIGHUP");
      await named.logged(/all zones loaded/, from);
    },
    log: () => named.log,
    stop: () => named.stop(),
  };
}

function configuration(
  { zones, options = "", statements = "" }: NamedOptions,
  directory: string,
  port: number,
  addresses: readonly string[],
) {
  const list = (v6: boolean) => addresses.filter((a) => a.includes(":") === v6).map((address) => `${address};`);
  const listen = (keyword: string, items: string[]) => `${keyword} port ${port} { ${items.join(" ") || "none;"} };`;
  return `
options {
  directory "${directory}"; managed-keys-directory "${directory}"; pid-file none; session-keyfile none; lock-file none;
  ${listen("listen-on", list(false))}
  ${listen("listen-on-v6", list(true))}
  recursion no; dnssec-validation no; notify no; allow-transfer { any; }; minimal-responses no; empty-zones-enable no;
  ${options}
};
controls { };
${Object.keys(zones)
  .map((origin) => `zone "${origin}" { type primary; file "${zoneFile(origin)}"; check-names ignore; };`)
  .join("\n")}
${statements}
`;
}

function zoneFile(origin: string): string {
  return `${origin.replaceAll("/", "_")}.zone`;
}

/** named compares modification times to the second: a second write in the same second must not look old. */
let generation = 0;

async function writeZone(directory: string, origin: string, text: string): Promise<void> {
  const path = join(directory, zoneFile(origin));
  await writeFile(path, text);
  generation += 1;
  const stamp = Date.now() / 1000 + generation - 3600;
  await utimes(path, stamp, stamp);
}
