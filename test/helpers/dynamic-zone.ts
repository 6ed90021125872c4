import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digTxt } from "./dig-txt.ts";
import { type Named, startNamed } from "./named.ts";

/** A real BIND with zones that take signed updates of TXT records, TTLs of a second. */
export interface DynamicZone {
  readonly named: Named;
  /** The TSIG key that may change `zone`. */
  readonly keyFile: string;
  /** Of the same name, with another secret. */
  readonly wrongKeyFile: string;
  /** A key that the server knows, and grants nothing. */
  readonly powerlessKeyFile: string;
  readonly zone: string;
  /** What the server has at a name: the joined texts. */
  txt(name: string): string[];
  stop(): Promise<void>;
}

const ZONE = "example.test";
const TARGET = "provider.test";

/** As a customer of a provider has them: selectors that are CNAMEs into the provider's zone. */
const RING = ["s1", "s2", "s3"].map((s) => `${s}._domainkey.ring CNAME ${s}.ring.${TARGET}.\n`).join("");

export async function startDynamicZone(): Promise<DynamicZone> {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-zone-"));
  const key = (name: string, byte: number) =>
    `key "${name}" { algorithm hmac-sha256; secret "${Buffer.alloc(32, byte).toString("base64")}"; };\n`;
  const write = (file: string, text: string) => {
    writeFileSync(join(folder, file), text, { mode: 0o600 });
    return join(folder, file);
  };
  const zoneFile = write(
    "zone",
    `$TTL 1\n@ SOA ns1 hostmaster 1 60 60 60 1\n@ NS ns1\nns1 A 127.0.0.1\nforeign._domainkey TXT "v=spf1 -all"\n${RING}`,
  );
  const targetFile = write("target", `$TTL 1\n@ SOA ns1.${ZONE}. hostmaster 1 60 60 60 1\n@ NS ns1.${ZONE}.\n`);
  const named = await startNamed({
    zones: {},
    statements: `${key("dkim", 1)}${key("powerless", 3)}
zone "${ZONE}" { type primary; file "${zoneFile}"; update-policy { grant dkim zonesub TXT; }; };
zone "${TARGET}" { type primary; file "${targetFile}"; update-policy { grant dkim zonesub TXT; }; };`,
  });
  return {
    named,
    keyFile: write("dkim.key", key("dkim", 1)),
    wrongKeyFile: write("wrong.key", key("dkim", 2)),
    powerlessKeyFile: write("powerless.key", key("powerless", 3)),
    zone: ZONE,
    txt: (name) => digTxt(named.port, name),
    async stop() {
      await named.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
