import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digTxt } from "./dig-txt.ts";
import { freePort } from "./free-port.ts";
import { startNamed } from "./named.ts";
import { startNsd } from "./nsd.ts";
import { findBinary } from "./peers.ts";

/** A real server of one zone, whose master file includes a file, and which reads both when it is told to. */
export interface ReloadingZone {
  readonly port: number;
  readonly zone: string;
  /** The master file, which has a CNAME at `alias._domainkey`. */
  readonly master: string;
  readonly include: string;
  /** Argument lists, with `{zone}`. */
  readonly check: readonly string[];
  readonly reload: readonly string[];
  /** What cannot reach the server. */
  readonly failingReload: readonly string[];
  txt(name: string): string[];
  serial(): number;
  stop(): Promise<void>;
}

export const RELOADING_SERVERS = [
  { server: "BIND", peers: ["named", "rndc", "named-checkzone", "dig"], start: startReloadingNamed },
  { server: "NSD", peers: ["nsd", "nsd-control", "nsd-checkzone", "dig"], start: startReloadingNsd },
] as const;

const ZONE = "example.test";
/** Raised by what is tested, and so laid out as people do. */
const MASTER = `$ORIGIN ${ZONE}.
$TTL 1
@ IN SOA ns1 hostmaster.example.test. ( ; the 2nd is "a mailbox"
        7    ; serial
        60 60 600 1 )
  IN NS ns1
ns1 IN A 127.0.0.1
alias._domainkey IN CNAME elsewhere.example.net.
`;

function writeZone() {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-reload-"));
  const [master, include] = [join(folder, `db.${ZONE}`), join(folder, `${ZONE}.inc`)];
  writeFileSync(master, `${MASTER}$INCLUDE ${include}\n`);
  writeFileSync(include, "");
  return { folder, master, include };
}

function asked(port: number) {
  return {
    port,
    zone: ZONE,
    txt: (name: string) => digTxt(port, name),
    serial() {
      const argv = ["@127.0.0.1", "-p", String(port), ZONE, "SOA", "+short", "+norecurse"];
      return Number(execFileSync("dig", argv).toString().split(" ")[2]);
    },
  };
}

async function startReloadingNamed(): Promise<ReloadingZone> {
  const { folder, master, include } = writeZone();
  const controlPort = await freePort();
  const secret = Buffer.alloc(32, 7).toString("base64");
  const key = `key "rndc-key" { algorithm hmac-sha256; secret "${secret}"; };\n`;
  const rndc = (port: number, file: string) => {
    const path = join(folder, file);
    const target = `default-key "rndc-key"; default-server 127.0.0.1; default-port ${port};`;
    writeFileSync(path, `${key}options { ${target} };\n`, { mode: 0o600 });
    return [findBinary("rndc") ?? "rndc", "-c", path, "reload", "{zone}"];
  };
  const named = await startNamed({
    zones: {},
    statements: `${key}
controls { inet 127.0.0.1 port ${controlPort} allow { 127.0.0.1; } keys { "rndc-key"; }; };
zone "${ZONE}" { type primary; file "${master}"; };`,
  });
  return {
    ...asked(named.port),
    master,
    include,
    check: [findBinary("named-checkzone") ?? "named-checkzone", "{zone}", master.replace(ZONE, "{zone}")],
    reload: rndc(controlPort, "rndc.conf"),
    failingReload: rndc(await freePort(), "nobody.conf"),
    async stop() {
      await named.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startReloadingNsd(): Promise<ReloadingZone> {
  const { folder, master, include } = writeZone();
  const nsd = await startNsd({ [ZONE]: master });
  const control = [findBinary("nsd-control") ?? "nsd-control", "-c", nsd.configuration];
  return {
    ...asked(nsd.port),
    master,
    include,
    check: [findBinary("nsd-checkzone") ?? "nsd-checkzone", "{zone}", master.replace(ZONE, "{zone}")],
    reload: [...control, "reload", "{zone}"],
    failingReload: [...control, "-s", "127.0.0.1@1", "reload", "{zone}"],
    async stop() {
      await nsd.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
