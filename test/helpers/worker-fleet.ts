import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { formatKeyRecord, keyRecordFor } from "../../src/dns/key-record.ts";
import { type DomainName, parseDomainName } from "../../src/keys/domain-name.ts";
import { ed25519PrivateKeyFromSeed } from "../../src/keys/private-key.ts";
import { parseSelector } from "../../src/keys/selector.ts";
import type { JournalStore } from "../../src/rotation/journal-store.ts";
import type { Journal } from "../../src/rotation/rotation-key.ts";

const ROOT = resolve(import.meta.dirname, "../..");
export const ZONE = "example";
const OLD = parseSelector("old");
const DAY_MS = 86_400_000;

/** What the world has seen. */
export interface WorldReport {
  readonly questions: number;
  readonly violations: readonly string[];
  /** Each domain's selectors in the order in which it was told to sign with them. */
  readonly signed: Readonly<Record<string, readonly string[]>>;
  readonly names: readonly string[];
}

export interface World {
  readonly port: number;
  report(): Promise<WorldReport>;
  stop(): void;
}

export function fleetDomains(count: number): DomainName[] {
  return Array.from({ length: count }, (_, index) => parseDomainName(`d${String(index).padStart(5, "0")}.${ZONE}`));
}

/** Every domain has one key that has signed for 100 days, and whose record is published: each is due. */
export async function seedStore(
  domains: readonly DomainName[],
  journals: JournalStore,
  folder: string,
): Promise<string> {
  const records: string[] = [];
  const turn = await journals.begin();
  const since = Date.now() - 100 * DAY_MS;
  for (let at = 0; at < domains.length; at += 100) {
    await Promise.all(
      domains.slice(at, at + 100).map(async (domain, offset) => {
        const seed = new Uint8Array(32).fill(1);
        new DataView(seed.buffer).setUint32(0, at + offset);
        const privateKey = ed25519PrivateKeyFromSeed(seed);
        const record = formatKeyRecord(keyRecordFor(privateKey.publicKey, {}));
        records.push(`${OLD}._domainkey.${domain}\t${record}\n`);
        const entered = { new: since, published: since, ready: since, active: since };
        const key = {
          selector: OLD,
          algorithm: "ed25519",
          state: "active",
          entered,
          record,
          provenSince: since,
        } as const;
        const journal: Journal = {
          domain,
          keys: [{ ...key, servedAt: `${OLD}._domainkey.${domain}`, staleSeconds: 1, ttlSeconds: 1 }],
        };
        const lease = await turn.lease(domain);
        await lease?.createKey({ domain, selector: OLD }, { privateKey, tags: {} }, journal);
        await lease?.release();
      }),
    );
  }
  await turn.release();
  const file = join(folder, "records");
  writeFileSync(file, records.join(""));
  return file;
}

export async function startWorld(records: string, delayMs = 0): Promise<World> {
  const script = join(ROOT, "bench/rotation-world.js");
  const child = spawn(process.execPath, [script, ZONE, records, String(delayMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(text.toString());
  const ask = (line: string) =>
    new Promise<string>((done, reject) => {
      let answer = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(`${line}\n`));
      socket.on("data", (octets) => {
        answer += octets;
      });
      socket.once("error", reject).once("end", () => done(answer));
    });
  return { port, report: async () => JSON.parse(await ask("report")), stop: () => child.kill("SIGKILL") };
}

/** Bash speaks TCP by itself: a publisher and a signer's switch that take milliseconds. */
const TELL = 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "%s\\n" "$2" >&3; read -r answer <&3; [ "$answer" = ok ]';
const PUBLISH = `case $DKIMCTL_ACTION in withdraw) set -- "$1" "withdraw $DKIMCTL_NAME" ;; *) set -- "$1" "publish $DKIMCTL_NAME $DKIMCTL_RECORD" ;; esac; ${TELL}`;
const ACTIVATE = `set -- "$1" "activate $DKIMCTL_DOMAIN $(printf %s "$DKIMCTL_SELECTORS" | tr '\\n' ,)"; ${TELL}`;

/** @returns the path of the configuration that all workers have */
export function fleetConfig(folder: string, storeUrl: string, { port }: World): string {
  const path = join(folder, "dkimctl.toml");
  const program = (script: string) => JSON.stringify(["bash", "-c", script, "tell", String(port)]);
  writeFileSync(
    path,
    `[store]\nurl = ${JSON.stringify(storeUrl)}
[dns]\nservers = ["127.0.0.1#${port}"]\nauthoritative-port = ${port}\nretries = 3
[records]\nttl = 1
[publish]\nmethod = "exec"\ncommand = ${program(PUBLISH)}
[signer]\nactivate = ${program(ACTIVATE)}
[rotation]\nalgorithms = ["ed25519"]\nselector = "k{n}"\nmargin = "0s"\n`,
  );
  return path;
}

/** One host: it runs `dkimctl rotate` again and again, whatever becomes of a run. */
export class Worker {
  runs = 0;
  kills = 0;
  stops = 0;
  readonly exitCodes = new Map<number, number>();
  stderr = "";
  #child: ChildProcess | undefined;
  #ends = false;
  readonly #loop: Promise<void>;

  constructor(bin: string, config: string, env: Record<string, string> = {}) {
    this.#loop = this.#run([bin, "rotate", "--config", config], { PATH: process.env.PATH ?? "", ...env });
  }

  kill(): void {
    if (this.#child?.kill("SIGKILL")) this.kills++;
  }

  /** Sleeps in the midst of what it does, as a virtual machine that is moved. */
  async pause(ms: number): Promise<void> {
    const child = this.#child;
    if (!child?.kill("SIGSTOP")) return;
    this.stops++;
    await new Promise((done) => setTimeout(done, ms));
    child.kill("SIGCONT");
  }

  async end(): Promise<void> {
    this.#ends = true;
    await this.#loop;
  }

  async #run(argv: readonly string[], env: Record<string, string>): Promise<void> {
    while (!this.#ends) {
      const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "ignore", "pipe"] });
      this.#child = child;
      this.runs++;
      child.stderr.on("data", (text) => {
        this.stderr += text;
      });
      await once(child, "close");
      if (child.exitCode !== null) this.exitCodes.set(child.exitCode, (this.exitCodes.get(child.exitCode) ?? 0) + 1);
    }
  }
}
