import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { createResolver, createServerPool } from "../../src/dns/dns2-resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import type { DynamicZone } from "./dynamic-zone.ts";
import { type CliResult, runCli } from "./run-cli.ts";
import { signerFolder } from "./signer-daemons.ts";
import { journalStates } from "./stored-journal.ts";

/** The daemons have clocks of their own. */
const START = Date.now();
export const HOUR = 3_600_000;

/** A signer that `rotate` writes for and reloads, with its store, at a time of its own. */
export interface Signer {
  readonly folder: string;
  readonly store: string;
  readonly config: string;
  now: number;
  run(...argv: string[]): Promise<CliResult>;
  configure(signer: string, rest?: string): void;
  states(domain: string): Record<string, string>;
  only(domain: string, state: string): string;
  /** Until the first key signs, or would. */
  bringUp(...domains: string[]): Promise<CliResult>;
  /** The next key is ready; the next run changes the signer. */
  prepareNext(): Promise<void>;
}

/** A store whose keys the user "nobody" can read, and a folder for the signer; the records go into `zone`. */
export function switchedSigner(zone: DynamicZone): Signer {
  const { folder, store } = signerFolder();
  const config = join(folder, "dkimctl.toml");
  const signer: Signer = {
    folder,
    store,
    config,
    now: START,
    configure(lines, rest = `[store]\nmode = "0640"\ngroup = "nogroup"\n`) {
      writeFileSync(
        config,
        `${rest}[dns]\nservers = ["127.0.0.1#${zone.named.port}"]\nauthoritative-port = ${zone.named.port}
[records]\nttl = 1
[publish]\nmethod = "nsupdate"\nserver = "127.0.0.1#${zone.named.port}"\nkey-file = "${zone.keyFile}"
[rotation]\nbits = 1024\nselector = "k{n}"
[signer]\nuser = "nobody"\n${lines}\n`,
      );
    },
    async run(...argv) {
      const pool = createServerPool({ timeoutMs: 2000, retries: 0 });
      try {
        return await runCli(argv, {
          store,
          env: { DKIMCTL_CONFIG: config, ...(process.env.PATH && { PATH: process.env.PATH }) },
          now: new Date(signer.now),
          createResolver: () =>
            createResolver({ servers: [parseServerAddress(zone.named.server)], timeoutMs: 2000, retries: 0 }),
          pool,
        });
      } finally {
        await pool.close();
      }
    },
    states: (domain) => journalStates(store, domain),
    only(domain, state) {
      const states = signer.states(domain);
      return Object.keys(states).find((selector) => states[selector] === state) ?? "";
    },
    async bringUp(...domains) {
      const first = await signer.run("rotate", ...domains);
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      signer.now += 2 * HOUR;
      return signer.run("rotate");
    },
    async prepareNext() {
      await signer.run("rotate", "--now");
      signer.now += 2 * HOUR;
    },
  };
  return signer;
}

/** A signer that is only files: its reload notes what it reads, or fails. */
export function fakeReload(own: Signer, output: string): string {
  return failingReload(own, `cat ${output} > ${own.folder}/loaded 2>/dev/null || :\necho >> ${own.folder}/reloads`);
}

/** A reload that does as `commands` of a shell say; it fails once, doing nothing, when there is a file `fail` in the folder. */
export function failingReload(own: Signer, commands: string): string {
  const script = join(own.folder, "reload");
  const fail = join(own.folder, "fail");
  writeFileSync(script, `#!/bin/sh\n[ ! -e ${fail} ] || { rm ${fail}; echo no; exit 1; }\n${commands}\n`);
  chmodSync(script, 0o755);
  return script;
}

/** How often `fakeReload` was run. */
export function reloads(own: Signer): number {
  return readFileSync(join(own.folder, "reloads"), "utf8").length;
}
