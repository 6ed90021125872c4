import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createResolver, createServerPool } from "../../src/dns/dns2-resolver.ts";
import type { Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { type CliResult, runCli, temporaryFolder } from "./run-cli.ts";
import { journalStates } from "./stored-journal.ts";

/** A store that is rotated against a name server on loopback, with a clock that the test sets. */
export interface RotationFleet {
  readonly store: string;
  now: number;
  /** How long the host has been up; absent: it does not tell. */
  uptimeMs?: number;
  run(...argv: string[]): Promise<CliResult>;
  /** How often any server was asked for anything. */
  questions: number;
  /** By selector. */
  states(domain: string): Record<string, string>;
  /** The domain and the selectors that the signer was last told of. */
  signs(): string;
  /** The next change of the signer fails after it has been made. */
  failNext(): void;
}

const START = Date.parse("2026-11-21T12:00:00Z");

/**
 * @param port of the server, which is asked as a resolver and as the authoritative one
 * @param publish the section [publish] @param settings what follows `selector` in [rotation]
 */
export function rotationFleet(
  port: number,
  { publish, signer = true, settings = "" }: { publish: string; signer?: boolean; settings?: string },
): RotationFleet {
  const store = temporaryFolder();
  const folder = temporaryFolder();
  const config = join(folder, "dkimctl.toml");
  const used = join(folder, "used");
  const server = `127.0.0.1#${port}`;
  const activate = JSON.stringify([process.execPath, "-e", SIGNER, used]);
  writeFileSync(
    config,
    `[dns]\nservers = ["${server}"]\nauthoritative-port = ${port}\n[records]\nttl = 1\n${publish}
${signer ? `[signer]\nactivate = ${activate}\n` : ""}[rotation]\nalgorithms = ["ed25519"]\nselector = "k{random}"\n${settings}`,
  );
  const fleet: RotationFleet = {
    store,
    now: START,
    questions: 0,
    async run(...argv) {
      const pool = createServerPool({ timeoutMs: 2000, retries: 0 });
      const counted = (resolver: Resolver): Resolver => ({
        lookupTxt: (...question) => {
          fleet.questions++;
          return resolver.lookupTxt(...question);
        },
        lookup: (...question) => {
          fleet.questions++;
          return resolver.lookup(...question);
        },
        close: () => resolver.close(),
      });
      const { PATH, HOME } = process.env;
      try {
        return await runCli(argv, {
          store,
          env: { DKIMCTL_CONFIG: config, ...(PATH && { PATH }), ...(HOME && { HOME }) },
          now: new Date(fleet.now),
          ...(fleet.uptimeMs !== undefined && {
            clock: { now: fleet.now, bootId: "boot", uptimeMs: fleet.uptimeMs },
          }),
          createResolver: () =>
            counted(createResolver({ servers: [parseServerAddress(server)], timeoutMs: 2000, retries: 0 })),
          pool: { connect: (address) => counted(pool.connect(address)), close: () => pool.close() },
        });
      } finally {
        await pool.close();
      }
    },
    states: (domain) => journalStates(store, domain),
    signs: () => readFileSync(used, "utf8"),
    failNext: () => writeFileSync(`${used}.fail`, ""),
  };
  return fleet;
}

/** The selectors in one state. */
export function onlyIn(states: Record<string, string>, state: string): string[] {
  return Object.keys(states).filter((selector) => states[selector] === state);
}

/** Told of the keys, writes them down; fails once when a file beside them says so. */
const SIGNER = `
  const { DKIMCTL_DOMAIN, DKIMCTL_SELECTORS } = process.env;
  const flag = process.argv[1] + ".fail";
  fs.writeFileSync(process.argv[1], [DKIMCTL_DOMAIN, ...DKIMCTL_SELECTORS.split("\\n")].join(" "));
  if (fs.existsSync(flag)) { fs.rmSync(flag); process.exit(1); }`;
