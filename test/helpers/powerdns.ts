import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digTxt } from "./dig-txt.ts";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** A real PowerDNS on loopback, without root, its zones changed over its API. Skip by `requirePeer(...POWERDNS_PEERS)`. */
export interface PowerDns {
  readonly port: number;
  /** `127.0.0.1#5353` */
  readonly server: string;
  /** `http://127.0.0.1:8081` */
  readonly api: string;
  readonly apiKey: string;
  /** As another tool would. */
  replace(zone: string, name: string, type: string, content: string): Promise<void>;
  txt(name: string): string[];
  stop(): Promise<void>;
}

export const POWERDNS_PEERS = ["pdns_server", "sqlite3", "dig"] as const;

const SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";
const API_KEY = "sesame-opens-the-dns";

/** @param zones served by `ns1` of each, on 127.0.0.1; all TTLs are one second */
export async function startPowerDns(zones: readonly string[]): Promise<PowerDns> {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-pdns-"));
  const [port, apiPort] = [await freePort(), await freePort()];
  const database = join(folder, "zones.sqlite");
  execFileSync("sqlite3", [database], { input: readFileSync(SCHEMA) });
  writeFileSync(
    join(folder, "pdns.conf"),
    `launch=gsqlite3
gsqlite3-database=${database}
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port=${port}
api=yes
api-key=${API_KEY}
webserver=yes
webserver-address=127.0.0.1
webserver-port=${apiPort}
webserver-allow-from=127.0.0.1
socket-dir=${folder}
security-poll-suffix=
version-string=anonymous
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
`,
  );
  const pdns = await ServerProcess.start({
    program: "pdns_server",
    args: [`--config-dir=${folder}`, "--daemon=no", "--guardian=no"],
    ready: /Done launching threads/,
    folder,
  });
  const api = `http://127.0.0.1:${apiPort}`;
  const ask = async (method: string, path: string, body: unknown) => {
    const response = await fetch(`${api}/api/v1/servers/localhost/zones${path}`, {
      method,
      headers: { "X-API-Key": API_KEY },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`PowerDNS: ${response.status} ${await response.text()}`);
  };
  try {
    for (const zone of zones) {
      const rrset = (name: string, type: string, content: string) => ({
        name,
        type,
        ttl: 1,
        records: [{ content, disabled: false }],
      });
      await ask("POST", "", {
        name: `${zone}.`,
        kind: "Native",
        rrsets: [
          rrset(`${zone}.`, "SOA", `ns1.${zone}. hostmaster.${zone}. 1 60 60 600 1`),
          rrset(`${zone}.`, "NS", `ns1.${zone}.`),
          rrset(`ns1.${zone}.`, "A", "127.0.0.1"),
        ],
      });
    }
  } catch (error) {
    await pdns.stop();
    throw error;
  }
  return {
    port,
    server: `127.0.0.1#${port}`,
    api,
    apiKey: API_KEY,
    replace: (zone, name, type, content) =>
      ask("PATCH", `/${zone}.`, {
        rrsets: [{ name: `${name}.`, type, ttl: 1, changetype: "REPLACE", records: [{ content, disabled: false }] }],
      }),
    txt: (name) => digTxt(port, name),
    stop: () => pdns.stop(),
  };
}
